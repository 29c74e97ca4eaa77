// Systems, interfaces and devices: enumeration, opening, parents, and who else holds a camera.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "consumer.h"

namespace {

template <class T>
T device_info(IF_HANDLE interface, const std::string& id, DEVICE_INFO_CMD command) {
  T value{};
  size_t size = sizeof value;
  INFO_DATATYPE type = 0;
  REQUIRE(IFGetDeviceInfo(interface, id.c_str(), command, &type, &value, &size) == GC_ERR_SUCCESS);
  return value;
}

int32_t access_status(IF_HANDLE interface, int number) {
  return device_info<int32_t>(interface, serial(number), DEVICE_INFO_ACCESS_STATUS);
}

}  // namespace

TEST_CASE("interfaces are listed after an update, by index and by name") {
  const LoadedLibrary library;
  TL_HANDLE system = nullptr;
  REQUIRE(TLOpen(&system) == GC_ERR_SUCCESS);
  uint32_t count = 9;
  REQUIRE(TLGetNumInterfaces(system, &count) == GC_ERR_SUCCESS);
  CHECK(count == 0);
  bool8_t changed = 0;
  REQUIRE(TLUpdateInterfaceList(system, &changed, 0) == GC_ERR_SUCCESS);
  CHECK(changed == 1);
  REQUIRE(TLUpdateInterfaceList(system, &changed, 0) == GC_ERR_SUCCESS);
  CHECK(changed == 0);
  REQUIRE(TLGetNumInterfaces(system, &count) == GC_ERR_SUCCESS);
  CHECK(count == 1);
  size_t size = 0;
  CHECK(TLGetInterfaceID(system, 1, nullptr, &size) == GC_ERR_INVALID_INDEX);
  INFO_DATATYPE type = 0;
  CHECK(TLGetInterfaceInfo(system, "no such", INTERFACE_INFO_ID, &type, nullptr, &size) == GC_ERR_INVALID_ID);
  IF_HANDLE interface = nullptr;
  CHECK(TLOpenInterface(system, "no such", &interface) == GC_ERR_INVALID_ID);
  CHECK(TLOpenInterface(system, nullptr, &interface) == GC_ERR_INVALID_PARAMETER);
}

TEST_CASE("the cameras that the environment names are there") {
  const OpenInterface open;
  uint32_t count = 0;
  REQUIRE(IFGetNumDevices(open.interface, &count) == GC_ERR_SUCCESS);
  REQUIRE(count == 2);
  char id[64];
  size_t size = sizeof id;
  REQUIRE(IFGetDeviceID(open.interface, 1, id, &size) == GC_ERR_SUCCESS);
  char name[64];
  size = sizeof name;
  INFO_DATATYPE type = 0;
  REQUIRE(IFGetDeviceInfo(open.interface, id, DEVICE_INFO_SERIAL_NUMBER, &type, name, &size) == GC_ERR_SUCCESS);
  CHECK(std::string(name) == serial(1));
  CHECK(device_info<uint64_t>(open.interface, id, DEVICE_INFO_TIMESTAMP_FREQUENCY) == 1'000'000'000);
  size = 0;
  CHECK(IFGetDeviceID(open.interface, 2, nullptr, &size) == GC_ERR_INVALID_INDEX);
  CHECK(IFGetDeviceInfo(open.interface, "other", DEVICE_INFO_ID, &type, nullptr, &size) == GC_ERR_INVALID_ID);
  CHECK(IFGetDeviceInfo(open.interface, id, 99, &type, nullptr, &size) == GC_ERR_NOT_IMPLEMENTED);
}

TEST_CASE("a module is opened once, and again after it was closed") {
  OpenDevice open;
  void* again = nullptr;
  CHECK(TLOpen(&again) == GC_ERR_RESOURCE_IN_USE);
  CHECK(IFOpenDevice(open.interface, serial(0).c_str(), DEVICE_ACCESS_EXCLUSIVE, &again) == GC_ERR_RESOURCE_IN_USE);
  CHECK(access_status(open.interface, 0) == DEVICE_ACCESS_STATUS_OPEN_READWRITE);
  CHECK(access_status(open.interface, 1) == DEVICE_ACCESS_STATUS_READWRITE);
  REQUIRE(DevClose(open.device) == GC_ERR_SUCCESS);
  size_t size = 8;
  int64_t value = 0;
  CHECK(GCReadPort(open.port, 0x1000, &value, &size) == GC_ERR_INVALID_HANDLE);
  CHECK(IFOpenDevice(open.interface, serial(0).c_str(), DEVICE_ACCESS_NONE, &again) == GC_ERR_INVALID_PARAMETER);
  CHECK(IFOpenDevice(open.interface, serial(0).c_str(), DEVICE_ACCESS_CONTROL, &again) == GC_ERR_SUCCESS);
}

TEST_CASE("closing the interface closes what is below it") {
  OpenStream open;
  open.start(2);
  REQUIRE(IFClose(open.interface) == GC_ERR_SUCCESS);
  CHECK(DevClose(open.device) == GC_ERR_INVALID_HANDLE);
  CHECK(DSClose(open.stream) == GC_ERR_INVALID_HANDLE);
  CHECK(IFClose(open.interface) == GC_ERR_INVALID_HANDLE);
  CHECK(TLClose(open.system) == GC_ERR_SUCCESS);
}

TEST_CASE("children know their parents") {
  const OpenStream open;
  void* parent = nullptr;
  REQUIRE(DSGetParentDev(open.stream, &parent) == GC_ERR_SUCCESS);
  CHECK(parent == open.device);
  REQUIRE(DevGetParentIF(open.device, &parent) == GC_ERR_SUCCESS);
  CHECK(parent == open.interface);
  REQUIRE(IFGetParentTL(open.interface, &parent) == GC_ERR_SUCCESS);
  CHECK(parent == open.system);
  CHECK(IFGetParentTL(open.interface, nullptr) == GC_ERR_INVALID_PARAMETER);
}

TEST_CASE("a camera opened to read only refuses writes") {
  const OpenDevice open(0, DEVICE_ACCESS_READONLY);
  const Features features(open.port);
  CHECK(access_status(open.interface, 0) == DEVICE_ACCESS_STATUS_OPEN_READONLY);
  CHECK(features.get("Width") == 1024);
  CHECK(features.try_set("Width", int64_t{512}) == GC_ERR_ACCESS_DENIED);
}

TEST_CASE("a camera held by another process is busy until that process is gone, however it ends") {
  int told[2];
  REQUIRE(::pipe(told) == 0);
  const pid_t other = ::fork();
  REQUIRE(other >= 0);
  if (other == 0) {
    const OpenDevice held(1);
    const char done = 'x';
    if (::write(told[1], &done, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  ::close(told[1]);
  char done = 0;
  REQUIRE(::read(told[0], &done, 1) == 1);

  const OpenInterface open;
  DEV_HANDLE device = nullptr;
  CHECK(access_status(open.interface, 1) == DEVICE_ACCESS_STATUS_BUSY);
  CHECK(IFOpenDevice(open.interface, serial(1).c_str(), DEVICE_ACCESS_EXCLUSIVE, &device) == GC_ERR_RESOURCE_IN_USE);
  CHECK(last_error_text() == "camera " + serial(1) + " is in use by another process");
  CHECK(access_status(open.interface, 0) == DEVICE_ACCESS_STATUS_READWRITE);

  ::kill(other, SIGKILL);
  REQUIRE(::waitpid(other, nullptr, 0) == other);
  CHECK(access_status(open.interface, 1) == DEVICE_ACCESS_STATUS_READWRITE);
  CHECK(IFOpenDevice(open.interface, serial(1).c_str(), DEVICE_ACCESS_EXCLUSIVE, &device) == GC_ERR_SUCCESS);
  ::close(told[0]);
}

TEST_CASE("two cameras stream at once and do not share settings") {
  OpenStream first(0);
  DEV_HANDLE device = nullptr;
  REQUIRE(IFOpenDevice(first.interface, serial(1).c_str(), DEVICE_ACCESS_EXCLUSIVE, &device) == GC_ERR_SUCCESS);
  PORT_HANDLE port = nullptr;
  REQUIRE(DevGetPort(device, &port) == GC_ERR_SUCCESS);
  const Features second(port);
  CHECK(second.get("Width") == 1024);
  second.set("Width", 32);
  CHECK(first.features.get("Width") == 64);
  CHECK(second.text("DeviceSerialNumber") == serial(1));
  first.start(4);
  REQUIRE(second.execute("AcquisitionStart") == GC_ERR_SUCCESS);
  first.fetch(10);
  CHECK(eventually([&] { return second.get("SimulationFramesExposed") >= 10; }));
}
