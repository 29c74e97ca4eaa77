// What the camera exposes and when: pacing, modes, triggers, stamps and chunks.
#include <cmath>
#include <set>

#include "consumer.h"
#include "stamp_reader.h"

TEST_CASE("frames are exposed on a schedule without drift, from 1 to 5,000 a second") {
  const struct {
    double fps;
    size_t frames;
  } runs[] = {{1.0, 2}, {300.0, 40}, {997.3, 100}, {5000.0, 400}};
  for (const auto& run : runs) {
    CAPTURE(run.fps);
    OpenStream open;
    open.features.set("AcquisitionFrameRate", run.fps);
    open.start(16);
    const std::vector<Fetched> frames = open.fetch(run.frames);
    for (const Fetched& frame : frames) {
      const double scheduled = static_cast<double>(frame.id - frames[0].id) * 1e9 / run.fps;
      CHECK(std::abs(static_cast<double>(frame.device_ns - frames[0].device_ns) - scheduled) <= 1.0);
    }
  }
}

TEST_CASE("without a frame rate the camera runs as fast as the exposure permits") {
  OpenStream open;
  open.features.set("ExposureTime", 1250.0);
  open.features.set("AcquisitionFrameRateEnable", 0);
  open.start(4);
  const std::vector<Fetched> frames = open.fetch(5);
  CHECK(frames[4].device_ns - frames[0].device_ns == (frames[4].id - frames[0].id) * 1'250'000);
}

TEST_CASE("a rate changed while frames are exposed counts from the next frame on") {
  OpenStream open;
  open.features.set("AcquisitionFrameRate", 1000.0);
  open.start(64);
  open.fetch(3);
  open.features.set("AcquisitionFrameRate", 500.0);
  const std::vector<Fetched> frames = open.fetch(40);
  for (size_t index = 38; index < 40; ++index) {
    CHECK(frames[index].device_ns - frames[index - 1].device_ns ==
          (frames[index].id - frames[index - 1].id) * 2'000'000);
  }
}

TEST_CASE("a host that comes late finds the frames stamped as scheduled") {
  OpenStream open;
  open.features.set("AcquisitionFrameRate", 5000.0);
  open.start_frames(200, 200);
  REQUIRE(eventually([&] { return open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 200; }));
  const uint64_t first = open.fetch().device_ns;
  for (uint64_t number = 1; number < 200; ++number) CHECK(open.fetch().device_ns == first + number * 200'000);
}

TEST_CASE("single and multiple frame acquisitions end by themselves and can be repeated") {
  OpenStream open;
  open.start_frames(3, 8);
  open.fetch(3);
  REQUIRE(eventually([&] { return open.features.try_set("Width", int64_t{64}) == GC_ERR_SUCCESS; }));
  CHECK(open.features.get("SimulationFramesExposed") == 3);
  open.features.set("AcquisitionMode", 1);
  REQUIRE(open.features.execute("AcquisitionStart") == GC_ERR_SUCCESS);
  CHECK(open.fetch().id == 0);
  BUFFER_HANDLE none = nullptr;
  CHECK(open.poll(&none, 5) == GC_ERR_TIMEOUT);
  CHECK(open.features.get("SimulationFramesExposed") == 1);
}

TEST_CASE("stopping does not wait for a slow frame") {
  OpenStream open;
  open.features.set("AcquisitionFrameRate", 1.0);
  open.features.set("ExposureTime", 1e6);
  open.start(2);
  open.stop();
  CHECK(open.features.get("SimulationFramesExposed") == 0);
  CHECK(open.features.execute("AcquisitionStop") == GC_ERR_SUCCESS);
}

TEST_CASE("frames exposed before the host listens are lost and not counted as underrun") {
  OpenStream open;
  REQUIRE(open.features.execute("AcquisitionStart") == GC_ERR_SUCCESS);
  REQUIRE(eventually([&] { return open.features.get("SimulationFramesExposed") > 3; }));
  open.announce(2);
  open.queue_all();
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_UNDERRUN) == 0);
  REQUIRE(DSStartAcquisition(open.stream, 0, GENTL_INFINITE) == GC_ERR_SUCCESS);
  CHECK(open.fetch().id > 3);
}

TEST_CASE("with the trigger on, each software trigger gives one frame") {
  OpenStream open;
  open.features.set("TriggerMode", 1);
  open.start(4);
  BUFFER_HANDLE none = nullptr;
  CHECK(open.poll(&none, 5) == GC_ERR_TIMEOUT);
  uint64_t previous = 0;
  for (uint64_t number = 0; number < 4; ++number) {
    REQUIRE(open.features.execute("TriggerSoftware") == GC_ERR_SUCCESS);
    const Fetched frame = open.fetch();
    CHECK(frame.id == number);
    CHECK(frame.device_ns > previous);
    previous = frame.device_ns;
    REQUIRE(DSQueueBuffer(open.stream, frame.buffer) == GC_ERR_SUCCESS);
  }
  open.features.set("TriggerSource", 1);
  REQUIRE(open.features.execute("TriggerSoftware") == GC_ERR_SUCCESS);
  CHECK(open.poll(&none, 5) == GC_ERR_TIMEOUT);
  open.features.set("TriggerMode", 0);
  CHECK(open.fetch().id == 4);
}

TEST_CASE("every frame carries a stamp that proves id, time and pixels, and the pictures differ") {
  OpenStream open;
  open.start(40);
  std::set<std::vector<uint8_t>> different;
  for (uint64_t number = 0; number < 33; ++number) {
    const Fetched frame = open.fetch();
    const uint8_t* image = open.pixels(frame.buffer);
    const StampRead stamp = read_stamp(image, 64 * 48);
    CHECK(stamp.present);
    CHECK(stamp.whole);
    CHECK(stamp.pixels_match);
    CHECK(stamp.frame_id == frame.id);
    CHECK(stamp.device_ns == frame.device_ns);
    CHECK(stamp.picture == number % 32);
    different.emplace(image + 64, image + 64 * 48);
  }
  CHECK(different.size() == 32);
}

TEST_CASE("frames smaller than a stamp hold as much of it as they can") {
  OpenStream open;
  open.features.set("Width", 4);
  open.features.set("Height", 2);
  open.start(2);
  CHECK(std::memcmp(open.pixels(open.fetch().buffer), "DFMESTMP", 8) == 0);
}

TEST_CASE("the smallest and a large frame work") {
  for (const int64_t side : {1, 2500}) {
    OpenStream open;
    open.features.set("Width", side);
    open.features.set("Height", side);
    open.features.set("AcquisitionFrameRate", 100.0);
    open.start(2);
    const Fetched frame = open.fetch();
    CHECK(open.buffer_info<size_t>(frame.buffer, BUFFER_INFO_SIZE_FILLED) == static_cast<size_t>(side * side));
  }
}

TEST_CASE("chunks follow the image and tell what the buffer info tells") {
  OpenStream open;
  open.features.set("ChunkModeActive", 1);
  CHECK(open.features.get("PayloadSize") == 64 * 48 + 24);
  open.start(2);
  const Fetched frame = open.fetch();
  CHECK(open.buffer_info<bool8_t>(frame.buffer, BUFFER_INFO_CONTAINS_CHUNKDATA) == 1);
  size_t count = 0;
  REQUIRE(DSGetBufferChunkData(open.stream, frame.buffer, nullptr, &count) == GC_ERR_SUCCESS);
  REQUIRE(count == 3);
  SINGLE_CHUNK_DATA chunks[3];
  count = 2;
  CHECK(DSGetBufferChunkData(open.stream, frame.buffer, chunks, &count) == GC_ERR_BUFFER_TOO_SMALL);
  count = 3;
  REQUIRE(DSGetBufferChunkData(open.stream, frame.buffer, chunks, &count) == GC_ERR_SUCCESS);
  const uint8_t* image = open.pixels(frame.buffer);
  uint64_t value = 0;
  std::memcpy(&value, image + chunks[0].ChunkOffset, 8);
  CHECK(value == frame.device_ns);
  std::memcpy(&value, image + chunks[1].ChunkOffset, 8);
  CHECK(value == frame.id);
  double exposure_us = 0;
  std::memcpy(&exposure_us, image + chunks[2].ChunkOffset, 8);
  CHECK(exposure_us == doctest::Approx(10.0));
}

TEST_CASE("chunks can be left out one by one") {
  OpenStream open;
  open.features.set("ChunkModeActive", 1);
  open.features.set("ChunkSelector", 0);
  open.features.set("ChunkEnable", 0);
  open.features.set("ChunkSelector", 2);
  CHECK(open.features.get("ChunkEnable") == 1);
  open.features.set("ChunkEnable", 0);
  CHECK(open.features.get("PayloadSize") == 64 * 48 + 8);
  open.start(2);
  const Fetched frame = open.fetch();
  SINGLE_CHUNK_DATA chunk{};
  size_t count = 1;
  REQUIRE(DSGetBufferChunkData(open.stream, frame.buffer, &chunk, &count) == GC_ERR_SUCCESS);
  CHECK(chunk.ChunkOffset == 64 * 48);
  uint64_t id = 99;
  std::memcpy(&id, open.pixels(frame.buffer) + chunk.ChunkOffset, 8);
  CHECK(id == frame.id);
}
