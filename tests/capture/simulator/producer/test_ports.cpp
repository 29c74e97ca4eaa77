// Ports: identity, XML, register access and its errors.
#include <cmath>

#include "consumer.h"

namespace {

std::string port_text(PORT_HANDLE port, PORT_INFO_CMD command) {
  char text[64] = {};
  size_t size = sizeof text;
  INFO_DATATYPE type = 0;
  REQUIRE(GCGetPortInfo(port, command, &type, text, &size) == GC_ERR_SUCCESS);
  CHECK(type == INFO_DATATYPE_STRING);
  return text;
}

}  // namespace

TEST_CASE("all five kinds of port say who they are and serve a description that names their port") {
  const OpenStream open;
  const struct {
    PORT_HANDLE handle;
    const char* module;
    const char* port;
  } ports[] = {{open.system, "TLSystem", "TLPort"},
               {open.interface, "TLInterface", "InterfacePort"},
               {open.device, "TLDevice", "DevicePort"},
               {open.stream, "TLDataStream", "StreamPort"},
               {open.port, "Device", "Device"}};
  for (const auto& port : ports) {
    CAPTURE(port.module);
    CHECK(port_text(port.handle, PORT_INFO_MODULE) == port.module);
    CHECK(port_text(port.handle, PORT_INFO_PORTNAME) == port.port);
    CHECK(port_text(port.handle, PORT_INFO_TLTYPE) == "Custom");
    const Features description(port.handle);
    CHECK(description.xml().rfind("<?xml", 0) == 0);
    CHECK(description.xml().find("<Port Name=\"" + std::string(port.port) + "\"") != std::string::npos);
    CHECK(description.xml().find("</RegisterDescription>") != std::string::npos);
  }
}

TEST_CASE("a URL can be asked for in every way the standard has") {
  const OpenDevice open;
  uint32_t count = 0;
  REQUIRE(GCGetNumPortURLs(open.port, &count) == GC_ERR_SUCCESS);
  CHECK(count == 1);
  INFO_DATATYPE type = 0;
  uint64_t number = 0;
  size_t size = sizeof number;
  REQUIRE(GCGetPortURLInfo(open.port, 0, URL_INFO_FILE_SIZE, &type, &number, &size) == GC_ERR_SUCCESS);
  CHECK(number == Features(open.port).xml().size());
  size = 0;
  CHECK(GCGetPortURLInfo(open.port, 0, URL_INFO_FILE_SHA1_HASH, &type, nullptr, &size) == GC_ERR_NOT_AVAILABLE);
  CHECK(GCGetPortURLInfo(open.port, 1, URL_INFO_URL, &type, nullptr, &size) == GC_ERR_INVALID_INDEX);
  char list[128] = {'?'};
  size = sizeof list;
  REQUIRE(GCGetPortURL(open.port, list, &size) == GC_ERR_SUCCESS);
  CHECK(std::string(list).rfind("local:dfme_simulator.xml;f0000000;", 0) == 0);
  CHECK(list[size - 1] == '\0');
  CHECK(list[size - 2] == '\0');
}

TEST_CASE("register access is refused with the error that fits") {
  const OpenDevice open;
  const Features features(open.port);
  int64_t value = 1;
  uint8_t nine[9] = {};
  size_t size = sizeof value;
  CHECK(GCReadPort(open.port, 0, &value, &size) == GC_ERR_INVALID_ADDRESS);
  CHECK(GCReadPort(open.port, ~uint64_t{0}, &value, &size) == GC_ERR_INVALID_ADDRESS);
  size = 9;
  CHECK(GCReadPort(open.port, features.address("Width"), nine, &size) == GC_ERR_INVALID_ADDRESS);
  size = 0;
  CHECK(GCReadPort(open.port, features.address("Width"), &value, &size) == GC_ERR_INVALID_ADDRESS);
  CHECK(GCReadPort(open.port, features.address("Width"), nullptr, &size) == GC_ERR_INVALID_PARAMETER);
  CHECK(GCReadPort(open.port, features.address("Width"), &value, nullptr) == GC_ERR_INVALID_PARAMETER);
  CHECK(features.try_set("SensorWidth", int64_t{1}) == GC_ERR_ACCESS_DENIED);
  size = sizeof value;
  CHECK(GCReadPort(open.port, features.address("AcquisitionStart"), &value, &size) == GC_ERR_ACCESS_DENIED);
  CHECK(GCWritePort(open.port, 0xF0000000, &value, &size) == GC_ERR_ACCESS_DENIED);
  CHECK(features.try_set("Width", int64_t{0}) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("Width", int64_t{4097}) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("ExposureTime", 9.0) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("ExposureTime", std::nan("")) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("AcquisitionMode", int64_t{7}) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("TriggerSoftware", int64_t{2}) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("ChunkModeActive", int64_t{2}) == GC_ERR_INVALID_VALUE);
  CHECK(features.try_set("FaultFrameIdBits", int64_t{12}) == GC_ERR_INVALID_VALUE);
  const std::string endless(4096, 'x');
  size = endless.size();
  CHECK(GCWritePort(open.port, features.address("SimulationBankPath"), endless.data(), &size) == GC_ERR_INVALID_VALUE);
  CHECK(features.get("Width") == 1024);
}

TEST_CASE("parts of a register can be read and written") {
  const OpenDevice open;
  const Features features(open.port);
  uint8_t low = 0;
  size_t size = 1;
  REQUIRE(GCReadPort(open.port, features.address("Height"), &low, &size) == GC_ERR_SUCCESS);
  CHECK(low == (768 & 0xFF));
  const uint8_t high = 1;
  REQUIRE(GCWritePort(open.port, features.address("Height") + 1, &high, &size) == GC_ERR_SUCCESS);
  CHECK(features.get("Height") == 256);
}

TEST_CASE("stacked access does all entries, or says how far it came") {
  const OpenDevice open;
  const Features features(open.port);
  int64_t width = 320;
  int64_t height = 200;
  int64_t wrong = 5000;
  PORT_REGISTER_STACK_ENTRY entries[] = {{features.address("Width"), &width, 8}, {features.address("Height"), &height, 8}};
  size_t count = 2;
  REQUIRE(GCWritePortStacked(open.port, entries, &count) == GC_ERR_SUCCESS);
  CHECK(count == 2);
  width = height = 0;
  REQUIRE(GCReadPortStacked(open.port, entries, &count) == GC_ERR_SUCCESS);
  CHECK(width == 320);
  CHECK(height == 200);
  entries[1].pBuffer = &wrong;
  CHECK(GCWritePortStacked(open.port, entries, &count) == GC_ERR_INVALID_VALUE);
  CHECK(count == 1);
}

TEST_CASE("size and offset leave each other room") {
  const OpenDevice open;
  const Features features(open.port);
  features.set("OffsetX", 3000);
  CHECK(features.try_set("Width", int64_t{1097}) == GC_ERR_INVALID_VALUE);
  features.set("Width", 1096);
  CHECK(features.try_set("OffsetX", int64_t{3001}) == GC_ERR_INVALID_VALUE);
  CHECK(features.get("PayloadSize") == 1096 * 768);
}

TEST_CASE("format features are locked by TLParamsLocked and while frames are exposed") {
  OpenStream open;
  open.features.set("TLParamsLocked", 1);
  CHECK(open.features.try_set("Width", int64_t{32}) == GC_ERR_ACCESS_DENIED);
  CHECK(open.features.try_set("SimulationBankPath", int64_t{0}) == GC_ERR_ACCESS_DENIED);
  CHECK(open.features.execute("UserSetLoad") == GC_ERR_ACCESS_DENIED);
  open.features.set("TLParamsLocked", 0);
  open.start(2);
  CHECK(open.features.try_set("Width", int64_t{32}) == GC_ERR_ACCESS_DENIED);
  CHECK(open.features.execute("AcquisitionStart") == GC_ERR_ACCESS_DENIED);
  open.features.set("ExposureTime", 20.0);
  open.stop();
  open.features.set("Width", 32);
}

TEST_CASE("the default user set restores everything") {
  const OpenDevice open;
  const Features features(open.port);
  features.set("Width", 99);
  features.set("FaultJitter", 5.0);
  features.set("SimulationBankPath", std::string("/somewhere"));
  REQUIRE(features.execute("UserSetLoad") == GC_ERR_SUCCESS);
  CHECK(features.get("Width") == 1024);
  CHECK(features.get<double>("FaultJitter") == 0.0);
  CHECK(features.text("SimulationBankPath").empty());
}

TEST_CASE("exposure, throughput and the switch bound the frame rate") {
  const OpenDevice open;
  const Features features(open.port);
  features.set("AcquisitionFrameRate", 5000.0);
  features.set("ExposureTime", 2000.0);
  CHECK(features.get<double>("AcquisitionFrameRate") == doctest::Approx(500.0));
  CHECK(features.get<double>("ResultingFrameRate") == doctest::Approx(500.0));
  CHECK(features.try_set("AcquisitionFrameRate", 501.0) == GC_ERR_INVALID_VALUE);
  features.set("DeviceLinkThroughputLimitMode", 1);
  features.set("DeviceLinkThroughputLimit", 1024 * 768 * 50);
  CHECK(features.get<double>("ResultingFrameRate") == doctest::Approx(50.0));
  features.set("AcquisitionFrameRateEnable", 0);
  CHECK(features.get<double>("ResultingFrameRate") == doctest::Approx(50.0));
  CHECK(features.try_set("AcquisitionFrameRate", 20.0) == GC_ERR_ACCESS_DENIED);
  features.set("AcquisitionFrameRateEnable", 1);
  features.set("AcquisitionFrameRate", 20.0);
  CHECK(features.get<double>("ResultingFrameRate") == doctest::Approx(20.0));
}

TEST_CASE("automatic exposure and gain take the value out of the user's hand") {
  const OpenDevice open;
  const Features features(open.port);
  features.set("ExposureAuto", 2);
  CHECK(features.try_set("ExposureTime", 100.0) == GC_ERR_ACCESS_DENIED);
  features.set("ExposureAuto", 0);
  features.set("ExposureTime", 100.0);
  features.set("GainAuto", 2);
  CHECK(features.try_set("Gain", 1.0) == GC_ERR_ACCESS_DENIED);
}
