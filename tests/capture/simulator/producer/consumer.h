// A small GenTL consumer for the tests: opens the modules, sets features by name, fetches frames.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <sstream>
#include <string>
#include <vector>

#include "gentl.h"

constexpr uint64_t kPatienceMs = 10'000;  // how long a test waits for what has to come

inline std::string serial(int number) {
  std::istringstream list(std::getenv("DFME_SIMULATOR_SERIALS"));
  std::string found;
  for (int index = 0; index <= number; ++index) std::getline(list, found, ',');
  return found;
}

inline std::string last_error_text() {
  GC_ERROR code = 0;
  char text[512] = {};
  size_t size = sizeof text;
  REQUIRE(GCGetLastError(&code, text, &size) == GC_ERR_SUCCESS);
  return text;
}

struct LoadedLibrary {
  LoadedLibrary() { REQUIRE(GCInitLib() == GC_ERR_SUCCESS); }
  ~LoadedLibrary() { GCCloseLib(); }
};

struct OpenInterface : LoadedLibrary {
  TL_HANDLE system = nullptr;
  IF_HANDLE interface = nullptr;
  OpenInterface() {
    REQUIRE(TLOpen(&system) == GC_ERR_SUCCESS);
    REQUIRE(TLUpdateInterfaceList(system, nullptr, 100) == GC_ERR_SUCCESS);
    char id[64];
    size_t size = sizeof id;
    REQUIRE(TLGetInterfaceID(system, 0, id, &size) == GC_ERR_SUCCESS);
    REQUIRE(TLOpenInterface(system, id, &interface) == GC_ERR_SUCCESS);
    REQUIRE(IFUpdateDeviceList(interface, nullptr, 100) == GC_ERR_SUCCESS);
  }
};

// A camera's remote port, by feature name; addresses come from the XML that the port serves.
class Features {
 public:
  explicit Features(PORT_HANDLE port) : port_(port) {
    char url[128];
    size_t size = sizeof url;
    INFO_DATATYPE type = 0;
    REQUIRE(GCGetPortURLInfo(port, 0, URL_INFO_URL, &type, url, &size) == GC_ERR_SUCCESS);
    unsigned long long address = 0;
    unsigned long long length = 0;
    REQUIRE(std::sscanf(std::strchr(url, ';'), ";%llx;%llx", &address, &length) == 2);
    xml_.resize(length);
    size_t bytes = length;
    REQUIRE(GCReadPort(port, address, xml_.data(), &bytes) == GC_ERR_SUCCESS);
  }

  const std::string& xml() const { return xml_; }

  uint64_t address(const std::string& name) const {
    size_t node = xml_.find("Name=\"" + name + "_Register\"");
    if (node == std::string::npos) node = xml_.find("<StringReg Name=\"" + name + "\"");
    INFO(name);
    REQUIRE(node != std::string::npos);
    const size_t text = xml_.find("<Address>", node);
    return std::stoull(xml_.substr(text + 9, 20), nullptr, 16);
  }

  template <class T>
  GC_ERROR try_set(const std::string& name, T value) const {
    size_t size = sizeof value;
    return GCWritePort(port_, address(name), &value, &size);
  }
  void set(const std::string& name, int64_t value) const { REQUIRE_MESSAGE(try_set(name, value) == 0, last_error_text()); }
  void set(const std::string& name, int value) const { set(name, int64_t{value}); }
  void set(const std::string& name, double value) const { REQUIRE_MESSAGE(try_set(name, value) == 0, last_error_text()); }
  void set(const std::string& name, const std::string& text) const {
    std::string padded = text;
    padded.push_back('\0');
    size_t size = padded.size();
    REQUIRE(GCWritePort(port_, address(name), padded.data(), &size) == GC_ERR_SUCCESS);
  }
  GC_ERROR execute(const std::string& command) const { return try_set(command, int64_t{1}); }

  template <class T = int64_t>
  T get(const std::string& name) const {
    T value{};
    size_t size = sizeof value;
    REQUIRE_MESSAGE(GCReadPort(port_, address(name), &value, &size) == GC_ERR_SUCCESS, last_error_text());
    return value;
  }
  std::string text(const std::string& name) const {
    char value[64] = {};
    size_t size = sizeof value;
    REQUIRE(GCReadPort(port_, address(name), value, &size) == GC_ERR_SUCCESS);
    return value;
  }

 private:
  PORT_HANDLE port_;
  std::string xml_;
};

struct OpenDevice : OpenInterface {
  DEV_HANDLE device = nullptr;
  PORT_HANDLE port = nullptr;
  explicit OpenDevice(int number = 0, DEVICE_ACCESS_FLAGS access = DEVICE_ACCESS_EXCLUSIVE) {
    REQUIRE_MESSAGE(IFOpenDevice(interface, serial(number).c_str(), access, &device) == GC_ERR_SUCCESS, last_error_text());
    REQUIRE(DevGetPort(device, &port) == GC_ERR_SUCCESS);
  }
};

struct Fetched {
  BUFFER_HANDLE buffer = nullptr;
  uint64_t id = 0;
  uint64_t device_ns = 0;
  bool incomplete = false;
};

struct OpenStream : OpenDevice {
  DS_HANDLE stream = nullptr;
  EVENT_HANDLE event = nullptr;
  Features features;
  std::vector<std::vector<uint8_t>> memories;
  std::vector<BUFFER_HANDLE> buffers;

  explicit OpenStream(int number = 0) : OpenDevice(number), features(port) {
    char id[128];
    size_t size = sizeof id;
    REQUIRE(DevGetDataStreamID(device, 0, id, &size) == GC_ERR_SUCCESS);
    REQUIRE(DevOpenDataStream(device, id, &stream) == GC_ERR_SUCCESS);
    REQUIRE(GCRegisterEvent(stream, EVENT_NEW_BUFFER, &event) == GC_ERR_SUCCESS);
    features.set("Width", 64);
    features.set("Height", 48);
    features.set("ExposureTime", 10.0);
    features.set("AcquisitionFrameRate", 2000.0);
  }

  // The camera must not write into memories that are going away.
  ~OpenStream() { GCCloseLib(); }

  void announce(size_t count) {
    const auto payload = static_cast<size_t>(features.get("PayloadSize"));
    for (size_t index = 0; index < count; ++index) {
      memories.emplace_back(payload);
      BUFFER_HANDLE buffer = nullptr;
      REQUIRE(DSAnnounceBuffer(stream, memories.back().data(), payload, nullptr, &buffer) == GC_ERR_SUCCESS);
      buffers.push_back(buffer);
    }
  }
  void queue_all() const {
    for (BUFFER_HANDLE buffer : buffers) REQUIRE(DSQueueBuffer(stream, buffer) == GC_ERR_SUCCESS);
  }
  void start(size_t buffer_count, uint64_t frames = GENTL_INFINITE) {
    announce(buffer_count);
    queue_all();
    REQUIRE(DSStartAcquisition(stream, ACQ_START_FLAGS_DEFAULT, frames) == GC_ERR_SUCCESS);
    REQUIRE_MESSAGE(features.execute("AcquisitionStart") == GC_ERR_SUCCESS, last_error_text());
  }
  // MultiFrame: the camera stops by itself, so every frame of the run can be waited for.
  void start_frames(int64_t frames, size_t buffer_count) {
    features.set("AcquisitionMode", 2);
    features.set("AcquisitionFrameCount", frames);
    start(buffer_count);
  }
  void stop() const {
    REQUIRE(features.execute("AcquisitionStop") == GC_ERR_SUCCESS);
    REQUIRE(DSStopAcquisition(stream, ACQ_STOP_FLAGS_KILL) == GC_ERR_SUCCESS);
  }

  template <class T>
  T info(STREAM_INFO_CMD command) const {
    T value{};
    size_t size = sizeof value;
    INFO_DATATYPE type = 0;
    REQUIRE(DSGetInfo(stream, command, &type, &value, &size) == GC_ERR_SUCCESS);
    return value;
  }
  template <class T>
  T buffer_info(BUFFER_HANDLE buffer, BUFFER_INFO_CMD command) const {
    T value{};
    size_t size = sizeof value;
    INFO_DATATYPE type = 0;
    INFO(command);
    REQUIRE(DSGetBufferInfo(stream, buffer, command, &type, &value, &size) == GC_ERR_SUCCESS);
    return value;
  }
  const uint8_t* pixels(BUFFER_HANDLE buffer) const {
    return static_cast<const uint8_t*>(buffer_info<void*>(buffer, BUFFER_INFO_BASE));
  }

  GC_ERROR poll(BUFFER_HANDLE* buffer, uint64_t timeout_ms = 0) const {
    EVENT_NEW_BUFFER_DATA data{};
    size_t size = sizeof data;
    const GC_ERROR result = EventGetData(event, &data, &size, timeout_ms);
    *buffer = data.BufferHandle;
    return result;
  }
  Fetched fetch() const {
    Fetched frame;
    REQUIRE(poll(&frame.buffer, kPatienceMs) == GC_ERR_SUCCESS);
    frame.id = buffer_info<uint64_t>(frame.buffer, BUFFER_INFO_FRAMEID);
    frame.device_ns = buffer_info<uint64_t>(frame.buffer, BUFFER_INFO_TIMESTAMP_NS);
    frame.incomplete = buffer_info<bool8_t>(frame.buffer, BUFFER_INFO_IS_INCOMPLETE) != 0;
    return frame;
  }
  // Fetches and queues again.
  std::vector<Fetched> fetch(size_t count) const {
    std::vector<Fetched> frames;
    while (frames.size() < count) {
      frames.push_back(fetch());
      REQUIRE(DSQueueBuffer(stream, frames.back().buffer) == GC_ERR_SUCCESS);
    }
    return frames;
  }
};

// Waits for a condition without sleeping for a fixed time; false after the test's patience.
template <class Condition>
bool eventually(Condition condition) {
  timespec start{};
  clock_gettime(CLOCK_MONOTONIC, &start);
  while (!condition()) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (static_cast<uint64_t>(now.tv_sec - start.tv_sec) * 1000 > kPatienceMs) return false;
    const timespec moment{0, 200'000};
    nanosleep(&moment, nullptr);
  }
  return true;
}
