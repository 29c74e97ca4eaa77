// Everything that can be made to go wrong, and that the counters own up to it.
#include "consumer.h"
#include "stamp_reader.h"

TEST_CASE("id gaps: every so many frames some are lost in the camera") {
  OpenStream open;
  open.features.set("FaultFrameIdGapEvery", 5);
  open.features.set("FaultFrameIdGapLength", 2);
  open.start_frames(21, 32);
  std::vector<uint64_t> ids;
  for (int number = 0; number < 15; ++number) ids.push_back(open.fetch().id);
  CHECK(ids == std::vector<uint64_t>{0, 1, 2, 3, 4, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18});
  REQUIRE(eventually([&] { return open.features.get("SimulationFramesExposed") == 21; }));
  CHECK(open.features.get("SimulationIdsSkipped") == 6);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED) == 15);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_UNDERRUN) == 0);
}

TEST_CASE("the camera's count is the sum of what was delivered, skipped and lost for want of buffers") {
  OpenStream open;
  open.features.set("FaultFrameIdGapEvery", 4);
  open.features.set("FaultFrameIdGapLength", 1);
  open.start_frames(50, 7);
  REQUIRE(eventually([&] { return open.features.get("SimulationFramesExposed") == 50; }));
  REQUIRE(open.features.execute("AcquisitionStop") == GC_ERR_SUCCESS);
  const auto delivered = static_cast<int64_t>(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED));
  const auto underrun = static_cast<int64_t>(open.info<uint64_t>(STREAM_INFO_NUM_UNDERRUN));
  CHECK(delivered == 7);
  CHECK(delivered + underrun + open.features.get("SimulationIdsSkipped") == 50);
}

TEST_CASE("incomplete frames arrive with half their pixels and say so") {
  OpenStream open;
  open.features.set("FaultIncompleteEvery", 3);
  open.start_frames(9, 16);
  for (uint64_t number = 0; number < 9; ++number) {
    const Fetched frame = open.fetch();
    const bool cut = number % 3 == 2;
    CHECK(frame.incomplete == cut);
    CHECK(open.buffer_info<size_t>(frame.buffer, BUFFER_INFO_SIZE_FILLED) == (cut ? 64 * 24 : 64 * 48));
    CHECK(open.buffer_info<size_t>(frame.buffer, BUFFER_INFO_DATA_SIZE) == 64 * 48);
    const StampRead stamp = read_stamp(open.pixels(frame.buffer), 64 * 48);
    CHECK(stamp.whole);
    CHECK(stamp.pixels_match == !cut);
  }
  REQUIRE(eventually([&] { return open.features.get("SimulationFramesIncomplete") == 3; }));
}

TEST_CASE("a buffer that is too small for the frame is filled as far as it goes") {
  std::vector<uint8_t> small(100);
  OpenStream open;
  open.start(1);
  BUFFER_HANDLE buffer = nullptr;
  REQUIRE(DSAnnounceBuffer(open.stream, small.data(), small.size(), nullptr, &buffer) == GC_ERR_SUCCESS);
  REQUIRE(DSQueueBuffer(open.stream, buffer) == GC_ERR_SUCCESS);
  open.fetch();
  const Fetched frame = open.fetch();
  REQUIRE(frame.buffer == buffer);
  CHECK(frame.incomplete);
  CHECK(open.buffer_info<bool8_t>(buffer, BUFFER_INFO_DATA_LARGER_THAN_BUFFER) == 1);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_SIZE_FILLED) == 100);
}

TEST_CASE("a stall shifts the schedule once, and ids do not advance in it") {
  OpenStream open;
  open.features.set("FaultStallAfterFrames", 5);
  open.features.set("FaultStallDuration", 30);
  open.start_frames(12, 16);
  uint64_t previous = 0;
  for (uint64_t number = 0; number < 12; ++number) {
    const Fetched frame = open.fetch();
    CHECK(frame.id == number);
    if (number > 0) CHECK(frame.device_ns - previous == (number == 5 ? 30'500'000 : 500'000));
    previous = frame.device_ns;
  }
}

TEST_CASE("jitter delays delivery and leaves exposure times alone") {
  OpenStream open;
  open.features.set("FaultJitter", 3000.0);
  open.start_frames(30, 32);
  const uint64_t first = open.fetch().device_ns;
  for (uint64_t number = 1; number < 30; ++number) CHECK(open.fetch().device_ns == first + number * 500'000);
}

TEST_CASE("ids start where they are told and wrap at the width they are told") {
  OpenStream open;
  open.features.set("FaultFrameIdStart", 65534);
  open.features.set("FaultFrameIdBits", 16);
  open.start_frames(4, 8);
  CHECK(open.fetch().id == 65534);
  CHECK(open.fetch().id == 65535);
  CHECK(open.fetch().id == 0);
  CHECK(open.fetch().id == 1);
}

TEST_CASE("a disconnected camera answers nothing, delivers nothing, and vanishes from the list until it comes back") {
  OpenStream open;
  open.features.set("FaultDisconnectAfterFrames", 3);
  open.features.set("FaultDisconnectDuration", 50);
  open.start(8);
  for (uint64_t number = 0; number < 3; ++number) CHECK(open.fetch().id == number);
  REQUIRE(eventually([&] { return open.features.try_set("ExposureTime", 20.0) == GC_ERR_IO; }));
  CHECK(last_error_text() == "camera " + serial(0) + " is disconnected: close it and open it again");
  uint32_t count = 0;
  bool8_t changed = 0;
  REQUIRE(IFUpdateDeviceList(open.interface, &changed, 0) == GC_ERR_SUCCESS);
  REQUIRE(IFGetNumDevices(open.interface, &count) == GC_ERR_SUCCESS);
  CHECK(count == 1);
  CHECK(changed == 1);
  BUFFER_HANDLE none = nullptr;
  CHECK(open.poll(&none) == GC_ERR_TIMEOUT);
  int64_t width = 0;
  size_t size = sizeof width;
  CHECK(GCReadPort(open.port, open.features.address("Width"), &width, &size) == GC_ERR_IO);

  // What is on the host's side still works, so that everything can be put away.
  CHECK(DSStopAcquisition(open.stream, ACQ_STOP_FLAGS_KILL) == GC_ERR_SUCCESS);
  CHECK(DSFlushQueue(open.stream, ACQ_QUEUE_ALL_DISCARD) == GC_ERR_SUCCESS);
  REQUIRE(DevClose(open.device) == GC_ERR_SUCCESS);
  DEV_HANDLE again = nullptr;
  REQUIRE(eventually([&] {
    return IFOpenDevice(open.interface, serial(0).c_str(), DEVICE_ACCESS_EXCLUSIVE, &again) == GC_ERR_SUCCESS;
  }));
  PORT_HANDLE port = nullptr;
  REQUIRE(DevGetPort(again, &port) == GC_ERR_SUCCESS);
  CHECK(Features(port).get("FaultDisconnectAfterFrames") == 0);
}

namespace {

// The cameras of this process and one more, so that what happens to it meets no other test.
struct SpareCamera {
  const std::string before = std::getenv("DFME_SIMULATOR_SERIALS");
  explicit SpareCamera(const std::string& name) {
    ::setenv("DFME_SIMULATOR_SERIALS", (before + "," + serial(0) + name).c_str(), 1);
  }
  ~SpareCamera() { ::setenv("DFME_SIMULATOR_SERIALS", before.c_str(), 1); }
};

bool unplugged(const OpenStream& open) {
  return eventually([&] { return open.features.try_set("ExposureTime", 20.0) == GC_ERR_IO; });
}

int32_t access_of(DEV_HANDLE device) {
  int32_t status = -1;
  size_t size = sizeof status;
  INFO_DATATYPE type = 0;
  REQUIRE(DevGetInfo(device, DEVICE_INFO_ACCESS_STATUS, &type, &status, &size) == GC_ERR_SUCCESS);
  return status;
}

// Opens the spare camera as soon as it is there.
struct Reopened {
  OpenInterface open;
  DEV_HANDLE device = nullptr;
  PORT_HANDLE port = nullptr;
  Reopened() {
    REQUIRE(eventually([&] {
      return IFOpenDevice(open.interface, serial(2).c_str(), DEVICE_ACCESS_EXCLUSIVE, &device) == GC_ERR_SUCCESS;
    }));
    REQUIRE(DevGetPort(device, &port) == GC_ERR_SUCCESS);
  }
  int64_t latched() const {
    const Features features(port);
    REQUIRE(features.execute("TimestampLatch") == GC_ERR_SUCCESS);
    return features.get("TimestampLatchValue");
  }
};

}  // namespace

TEST_CASE("a camera disconnected for good stays away, whether or not the library is closed") {
  const SpareCamera spare("gone");
  {
    OpenStream open(2);
    open.features.set("FaultDisconnectAfterFrames", 1);
    open.start(2);
    REQUIRE(unplugged(open));
    CHECK(access_of(open.device) == DEVICE_ACCESS_STATUS_NOACCESS);
    REQUIRE(DSStopAcquisition(open.stream, ACQ_STOP_FLAGS_KILL) == GC_ERR_SUCCESS);
    CHECK(DSStartAcquisition(open.stream, ACQ_START_FLAGS_DEFAULT, GENTL_INFINITE) == GC_ERR_IO);
    REQUIRE(DevClose(open.device) == GC_ERR_SUCCESS);
  }
  const OpenInterface again;
  DEV_HANDLE device = nullptr;
  CHECK(IFOpenDevice(again.interface, serial(2).c_str(), DEVICE_ACCESS_EXCLUSIVE, &device) == GC_ERR_INVALID_ID);
}

TEST_CASE("a camera that comes back counts from the start and has the clock that was chosen") {
  const SpareCamera spare("back");
  for (const int64_t keeps_clock : {0, 1}) {
    int64_t before = 0;
    {
      OpenStream open(2);
      open.features.set("FaultDisconnectAfterFrames", 2);
      open.features.set("FaultDisconnectDuration", 20);
      open.features.set("FaultDisconnectKeepsClock", keeps_clock);
      open.start(4);
      CHECK(open.fetch().id == 0);
      before = static_cast<int64_t>(open.fetch().device_ns);
      REQUIRE(unplugged(open));
      // Back or not, the old handle stays what it is.
      REQUIRE(eventually([&] { return IFUpdateDeviceList(open.interface, nullptr, 0) == GC_ERR_SUCCESS; }));
      CHECK(open.features.try_set("ExposureTime", 20.0) == GC_ERR_IO);
    }
    const Reopened again;
    const int64_t after = again.latched();
    if (keeps_clock == 0) CHECK(after < 10'000'000'000);
    if (keeps_clock == 1) CHECK(after >= before + 20'000'000);
  }
}

TEST_CASE("a camera can be unplugged a limited number of times") {
  const SpareCamera spare("once");
  {
    OpenStream open(2);
    open.features.set("FaultDisconnectAfterFrames", 1);
    open.features.set("FaultDisconnectDuration", 1);
    open.features.set("FaultDisconnectTimes", 1);
    open.start(2);
    REQUIRE(unplugged(open));
  }
  { const Reopened back; }
  OpenStream open(2);
  open.features.set("FaultDisconnectAfterFrames", 1);
  open.features.set("FaultDisconnectTimes", 1);
  open.start_frames(8, 16);
  for (uint64_t number = 0; number < 8; ++number) CHECK(open.fetch().id == number);
}

TEST_CASE("poor light: for some frames the exposure is longer, and the rate what it permits") {
  OpenStream open;
  open.features.set("FaultSlowAfterFrames", 5);
  open.features.set("FaultSlowFrames", 4);
  open.features.set("FaultSlowExposure", 2000.0);
  open.start_frames(14, 32);
  uint64_t previous = open.fetch().device_ns;
  for (int number = 1; number < 14; ++number) {
    const uint64_t now = open.fetch().device_ns;
    // The rate changes with the frame behind the one that was longer.
    CHECK(now - previous == (number >= 6 && number <= 9 ? 2'000'000 : 500'000));
    previous = now;
  }
  CHECK(open.features.get<double>("ExposureTime") == 10.0);
}
