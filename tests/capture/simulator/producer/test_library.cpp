// Library state, last errors, info getters and handles.
#include <thread>

#include "consumer.h"

TEST_CASE("nothing works before GCInitLib, and GCInitLib works once") {
  TL_HANDLE system = nullptr;
  CHECK(TLOpen(&system) == GC_ERR_NOT_INITIALIZED);
  CHECK(GCCloseLib() == GC_ERR_NOT_INITIALIZED);
  GC_ERROR code = 0;
  size_t size = 0;
  CHECK(GCGetLastError(&code, nullptr, &size) == GC_ERR_NOT_INITIALIZED);
  REQUIRE(GCInitLib() == GC_ERR_SUCCESS);
  CHECK(GCInitLib() == GC_ERR_RESOURCE_IN_USE);
  CHECK(GCCloseLib() == GC_ERR_SUCCESS);
  CHECK(GCCloseLib() == GC_ERR_NOT_INITIALIZED);
}

TEST_CASE("a library can be closed with everything open, and opened again") {
  for (int round = 0; round < 3; ++round) {
    OpenStream stream;
    stream.start(4);
    stream.fetch(3);
  }
}

TEST_CASE("info getters tell the size first, refuse small buffers, and report what they filled") {
  const LoadedLibrary library;
  INFO_DATATYPE type = 0;
  size_t size = 0;
  REQUIRE(GCGetInfo(TL_INFO_VENDOR, &type, nullptr, &size) == GC_ERR_SUCCESS);
  CHECK(type == INFO_DATATYPE_STRING);
  CHECK(size == 5);
  char text[16] = {};
  size = 4;
  CHECK(GCGetInfo(TL_INFO_VENDOR, &type, text, &size) == GC_ERR_BUFFER_TOO_SMALL);
  size = sizeof text;
  REQUIRE(GCGetInfo(TL_INFO_VENDOR, &type, text, &size) == GC_ERR_SUCCESS);
  CHECK(std::string(text) == "dfme");
  CHECK(size == 5);
  CHECK(GCGetInfo(TL_INFO_VENDOR, nullptr, text, &size) == GC_ERR_INVALID_PARAMETER);
  CHECK(GCGetInfo(TL_INFO_VENDOR, &type, text, nullptr) == GC_ERR_INVALID_PARAMETER);
  CHECK(GCGetInfo(4711, &type, text, &size) == GC_ERR_NOT_IMPLEMENTED);
}

TEST_CASE("the producer says what it is") {
  const LoadedLibrary library;
  INFO_DATATYPE type = 0;
  char text[512] = {};
  size_t size = sizeof text;
  REQUIRE(GCGetInfo(TL_INFO_TLTYPE, &type, text, &size) == GC_ERR_SUCCESS);
  CHECK(std::string(text) == "Custom");
  size = sizeof text;
  REQUIRE(GCGetInfo(TL_INFO_NAME, &type, text, &size) == GC_ERR_SUCCESS);
  CHECK(std::string(text) == "dfme_simulator.cti");
  uint32_t version = 0;
  size = sizeof version;
  REQUIRE(GCGetInfo(TL_INFO_GENTL_VER_MINOR, &type, &version, &size) == GC_ERR_SUCCESS);
  CHECK(type == INFO_DATATYPE_UINT32);
  CHECK(version == 6);
}

TEST_CASE("the last error belongs to the thread, and survives calls that succeed") {
  const LoadedLibrary library;
  TL_HANDLE system = nullptr;
  REQUIRE(TLOpen(&system) == GC_ERR_SUCCESS);
  TL_HANDLE second = nullptr;
  REQUIRE(TLOpen(&second) == GC_ERR_RESOURCE_IN_USE);
  uint32_t count = 0;
  REQUIRE(TLGetNumInterfaces(system, &count) == GC_ERR_SUCCESS);

  GC_ERROR here = 0;
  size_t size = 0;
  REQUIRE(GCGetLastError(&here, nullptr, &size) == GC_ERR_SUCCESS);
  CHECK(here == GC_ERR_RESOURCE_IN_USE);
  CHECK(last_error_text().size() + 1 == size);
  char small[2];
  size = sizeof small;
  CHECK(GCGetLastError(&here, small, &size) == GC_ERR_BUFFER_TOO_SMALL);
  CHECK(last_error_text() == "the system is open already");

  std::string elsewhere;
  GC_ERROR elsewhere_code = 1;
  std::thread([&] {
    char text[64];
    size_t length = sizeof text;
    GCGetLastError(&elsewhere_code, text, &length);
    elsewhere = text;
  }).join();
  CHECK(elsewhere_code == GC_ERR_SUCCESS);
  CHECK(elsewhere == "No Error");
}

TEST_CASE("stale, foreign and mismatched handles are refused and never followed") {
  void* foreign[] = {nullptr, reinterpret_cast<void*>(~uintptr_t{0}), reinterpret_cast<void*>(uintptr_t{16}), &foreign};
  OpenStream open;
  uint32_t count = 0;
  size_t size = 8;
  int64_t value = 0;
  INFO_DATATYPE type = 0;
  for (void* handle : foreign) {
    CHECK(TLGetNumInterfaces(handle, &count) == GC_ERR_INVALID_HANDLE);
    CHECK(IFGetNumDevices(handle, &count) == GC_ERR_INVALID_HANDLE);
    CHECK(DevGetNumDataStreams(handle, &count) == GC_ERR_INVALID_HANDLE);
    CHECK(DSQueueBuffer(handle, handle) == GC_ERR_INVALID_HANDLE);
    CHECK(DSQueueBuffer(open.stream, handle) == GC_ERR_INVALID_HANDLE);
    CHECK(DSStopAcquisition(handle, 0) == GC_ERR_INVALID_HANDLE);
    CHECK(GCReadPort(handle, 0, &value, &size) == GC_ERR_INVALID_HANDLE);
    CHECK(GCGetPortInfo(handle, PORT_INFO_ID, &type, nullptr, &size) == GC_ERR_INVALID_HANDLE);
    CHECK(EventGetData(handle, nullptr, &size, 0) == GC_ERR_INVALID_HANDLE);
    CHECK(EventKill(handle) == GC_ERR_INVALID_HANDLE);
  }
  CHECK(TLGetNumInterfaces(open.interface, &count) == GC_ERR_INVALID_HANDLE);
  CHECK(DSStopAcquisition(open.event, 0) == GC_ERR_INVALID_HANDLE);
  CHECK(GCReadPort(open.event, 0, &value, &size) == GC_ERR_INVALID_HANDLE);

  open.announce(1);
  CHECK(GCReadPort(open.buffers[0], 0, &value, &size) == GC_ERR_NOT_IMPLEMENTED);
  REQUIRE(DSRevokeBuffer(open.stream, open.buffers[0], nullptr, nullptr) == GC_ERR_SUCCESS);
  CHECK(DSQueueBuffer(open.stream, open.buffers[0]) == GC_ERR_INVALID_HANDLE);
  REQUIRE(DSClose(open.stream) == GC_ERR_SUCCESS);
  CHECK(DSClose(open.stream) == GC_ERR_INVALID_HANDLE);
  CHECK(EventKill(open.event) == GC_ERR_INVALID_HANDLE);
}
