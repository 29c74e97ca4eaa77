// Everything that can be set on the camera, at its default, and the rates that follow from it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

namespace simulator {

inline constexpr int64_t kSensorPixels = 4096;  // the sensor is square
inline constexpr double kMaximumRate = 5000.0;

enum AcquisitionMode : int64_t { kContinuous = 0, kSingleFrame = 1, kMultiFrame = 2 };
enum TriggerSource : int64_t { kSoftware = 0, kLine0 = 1 };
enum PtpStatus : int64_t { kPtpDisabled = 0, kPtpSlave = 1, kPtpListening = 2 };
enum Source : int64_t { kStamped = 0, kBank = 1 };
enum Chunk : int64_t { kChunkTimestamp = 0, kChunkFrameId = 1, kChunkExposureTime = 2 };

struct Faults {
  int64_t gap_every = 0;
  int64_t gap_length = 0;
  int64_t incomplete_every = 0;
  int64_t stall_after = 0;
  int64_t stall_ms = 0;
  double jitter_us = 0;
  double drift_ppm = 0;
  int64_t step_after = 0;
  double step_us = 0;
  int64_t disconnect_after = 0;
  int64_t disconnect_ms = 0;
  int64_t disconnect_times = 0;
  bool disconnect_keeps_clock = false;
  int64_t slow_after = 0;
  int64_t slow_frames = 0;
  double slow_exposure_us = 10'000;
  int64_t ptp_loss_after = 0;
  int64_t ptp_loss_frames = 0;
  int64_t id_start = 0;
  int64_t id_bits = 0;
};

struct Settings {
  int64_t width = 1024;
  int64_t height = 768;
  int64_t offset_x = 0;
  int64_t offset_y = 0;
  int64_t mode = kContinuous;
  int64_t frame_count = 1;
  bool rate_enabled = true;
  double rate_fps = 100.0;
  double exposure_us = 150.0;
  int64_t exposure_auto = 0;
  double gain_db = 0.0;
  int64_t gain_auto = 0;
  int64_t trigger_selector = 0;
  int64_t trigger_mode = 0;
  int64_t trigger_source = kSoftware;
  int64_t trigger_activation = 0;
  int64_t limit_mode = 0;
  int64_t limit_bytes_per_s = 1'250'000'000;
  bool ptp = false;
  bool ptp_old_names = false;
  bool chunks = false;
  int64_t chunk_selector = kChunkTimestamp;
  bool chunk_enabled[3] = {true, true, true};
  int64_t user_set = 0;
  int64_t source = kStamped;
  std::string bank_path;
  bool stamp_bank = false;
  bool bank_goes_on = false;
  std::string truth_log;
  Faults faults;

  int64_t image_bytes() const { return width * height; }
  int64_t chunk_bytes() const {
    return chunks ? 8 * std::count(std::begin(chunk_enabled), std::end(chunk_enabled), true) : 0;
  }
  int64_t payload_bytes() const { return image_bytes() + chunk_bytes(); }

  double fastest_fps() const {
    double fastest = std::min(kMaximumRate, 1e6 / exposure_us);
    if (limit_mode != 0) {
      fastest = std::min(fastest, static_cast<double>(limit_bytes_per_s) / static_cast<double>(payload_bytes()));
    }
    return fastest;
  }
  double resulting_fps() const { return rate_enabled ? std::min(rate_fps, fastest_fps()) : fastest_fps(); }
};

}  // namespace simulator
