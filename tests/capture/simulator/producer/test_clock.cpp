// The device clock: latch, reset, PTP, drift and steps.
#include <unistd.h>

#include <ctime>
#include <fstream>

#include "consumer.h"

namespace {

int64_t host_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

int64_t latch(const Features& features) {
  REQUIRE(features.execute("TimestampLatch") == GC_ERR_SUCCESS);
  return features.get("TimestampLatchValue");
}

struct Truth {
  uint64_t id;
  int64_t host_ns;
  int64_t device_ns;
};

std::vector<Truth> read_truth(const std::string& path) {
  std::ifstream file(path);
  std::string header;
  std::getline(file, header);
  CHECK(header == "frame_id\thost_ns\tdevice_ns");
  std::vector<Truth> lines;
  for (Truth line{}; file >> line.id >> line.host_ns >> line.device_ns;) lines.push_back(line);
  return lines;
}

// Runs `frames` frames and returns what the truth log says of them.
std::vector<Truth> run_with_truth(OpenStream& open, int64_t frames) {
  char path[] = "/tmp/dfme-truth-XXXXXX";
  const int descriptor = ::mkstemp(path);
  REQUIRE(descriptor >= 0);
  ::close(descriptor);
  open.features.set("SimulationTruthLog", std::string(path));
  open.start_frames(frames, 4);
  REQUIRE(eventually([&] { return open.features.get("SimulationFramesExposed") == frames; }));
  REQUIRE(open.features.execute("AcquisitionStop") == GC_ERR_SUCCESS);
  const std::vector<Truth> truth = read_truth(path);
  std::remove(path);
  REQUIRE(truth.size() == static_cast<size_t>(frames));
  return truth;
}

}  // namespace

TEST_CASE("a latched time lies between the host times around it, on a clock that runs as the host's") {
  const OpenDevice open;
  const Features features(open.port);
  const int64_t before_first = host_ns();
  const int64_t first = latch(features);
  const int64_t after_first = host_ns();
  const int64_t before_second = host_ns();
  const int64_t second = latch(features);
  const int64_t after_second = host_ns();
  CHECK(second - first >= before_second - after_first);
  CHECK(second - first <= after_second - before_first);
  CHECK(features.get("TimestampLatchValue") == second);
}

TEST_CASE("a reset sets the device time to zero") {
  const OpenDevice open;
  const Features features(open.port);
  const int64_t before = host_ns();
  REQUIRE(features.execute("TimestampReset") == GC_ERR_SUCCESS);
  const int64_t device = latch(features);
  CHECK(device >= 0);
  CHECK(device <= host_ns() - before);
}

TEST_CASE("PTP puts the camera on the host's clock") {
  const OpenDevice open;
  const Features features(open.port);
  REQUIRE(features.execute("PtpDataSetLatch") == GC_ERR_SUCCESS);
  CHECK(features.get("PtpStatus") == 0);
  features.set("FaultClockDrift", 50000.0);
  features.set("PtpEnable", 1);
  const int64_t before = host_ns();
  const int64_t device = latch(features);
  CHECK(device >= before);
  CHECK(device <= host_ns());
  REQUIRE(features.execute("PtpDataSetLatch") == GC_ERR_SUCCESS);
  CHECK(features.get("PtpStatus") == 1);
  CHECK(std::abs(features.get("PtpOffsetFromMaster")) < 1'000'000);
}

TEST_CASE("a master that is no longer heard shows in status and servo, and the clock drifts on its own") {
  OpenStream open;
  const auto status = [&](const char* name) {
    REQUIRE(open.features.execute("PtpDataSetLatch") == GC_ERR_SUCCESS);
    return open.features.get(name);
  };
  open.features.set("FaultClockDrift", 50000.0);
  open.features.set("PtpEnable", 1);
  CHECK(status("PtpServoStatus") == 1);
  open.features.set("FaultPtpLossAfterFrames", 20);
  open.features.set("FaultPtpLossFrames", 1'000'000);
  open.start(4);
  REQUIRE(eventually([&] { return status("PtpStatus") == 2; }));
  CHECK(status("PtpServoStatus") == 0);
  REQUIRE(eventually([&] { return status("PtpOffsetFromMaster") > 100'000; }));
}

TEST_CASE("the older names of PTP are the same registers' values") {
  const OpenDevice open;
  const Features features(open.port);
  CHECK(features.get("PtpNewNames") == 1);
  features.set("SimulationPtpOldNames", 1);
  CHECK(features.get("PtpNewNames") == 0);
  features.set("GevIEEE1588", 1);
  REQUIRE(features.execute("GevIEEE1588DataSetLatch") == GC_ERR_SUCCESS);
  CHECK(features.get("GevIEEE1588Status") == 1);
  CHECK(features.xml().find("<pIsAvailable>PtpOldNames</pIsAvailable>") != std::string::npos);
}

TEST_CASE("the truth log has the true exposure time of every frame, whether it was delivered or not") {
  OpenStream open;
  const std::vector<Truth> truth = run_with_truth(open, 20);
  for (size_t frame = 0; frame < truth.size(); ++frame) {
    CHECK(truth[frame].id == frame);
    CHECK(truth[frame].host_ns - truth[0].host_ns == static_cast<int64_t>(frame) * 500'000);
    CHECK(truth[frame].device_ns - truth[0].device_ns == static_cast<int64_t>(frame) * 500'000);
  }
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED) == 4);
  Fetched frame = open.fetch();
  CHECK(static_cast<int64_t>(frame.device_ns) == truth[0].device_ns);
}

TEST_CASE("a truth log that cannot be written refuses the start") {
  OpenStream open;
  open.features.set("SimulationTruthLog", std::string("/nowhere/truth.tsv"));
  CHECK(open.features.execute("AcquisitionStart") == GC_ERR_NOT_AVAILABLE);
  CHECK(last_error_text().find("/nowhere/truth.tsv") != std::string::npos);
}

TEST_CASE("drift makes the device clock fast by as much as was asked") {
  OpenStream open;
  open.features.set("FaultClockDrift", 1000.0);
  const std::vector<Truth> truth = run_with_truth(open, 50);
  const int64_t host = truth.back().host_ns - truth.front().host_ns;
  const int64_t device = truth.back().device_ns - truth.front().device_ns;
  CHECK(std::abs(device - host - host / 1000) <= 1);
}

TEST_CASE("a clock step happens once, after the frame that was asked for, in either direction") {
  for (const double step_us : {2500.0, -700.0}) {
    OpenStream open;
    open.features.set("FaultClockStepAfterFrames", 10);
    open.features.set("FaultClockStep", step_us);
    const std::vector<Truth> truth = run_with_truth(open, 30);
    for (size_t frame = 1; frame < truth.size(); ++frame) {
      const int64_t step = truth[frame].device_ns - truth[frame - 1].device_ns - 500'000;
      CHECK(step == (frame == 10 ? static_cast<int64_t>(step_us * 1000) : 0));
    }
  }
}
