// The simulated camera itself, behind the remote port: features, clock, and the thread that exposes frames.
#pragma once

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <optional>
#include <random>
#include <thread>

#include "device_clock.h"
#include "frame_sink.h"
#include "picture_source.h"
#include "port.h"
#include "settings.h"

namespace simulator {

class Camera : public Port {
 public:
  Camera(const std::string& serial, bool writable);
  ~Camera() override;

  // Stops exposing; the port answers no more.
  void power_off();
  // Unplugged, or switched off: it will not answer again, whoever asks.
  bool lost() const { return lost_; }

  // Frames go to `sink` from the next exposure on; null: they are lost.
  void attach(std::shared_ptr<FrameSink> sink);
  size_t payload_bytes() const;
  const std::string& serial() const { return serial_; }
  std::string user_name() const;

 protected:
  void require_access(bool writing) const override;

 private:
  using Lock = std::unique_lock<std::mutex>;

  // What a run of frames needs of the settings; taken anew when they change.
  struct Plan {
    uint64_t version = 0;
    double period_ns = 0;
    int64_t exposure_ns = 0;
    bool triggered = false;
    int64_t jitter_ns = 0;
  };

  struct Counters {
    int64_t exposed = 0;
    int64_t skipped = 0;
    int64_t incomplete = 0;
  };

  void add_device_features();
  void add_format_features();
  void add_acquisition_features();
  void add_clock_features();
  void add_ptp_features(const std::string& prefix, const std::string& enable, const std::string& available);
  void add_chunk_features();
  void add_simulation_features();
  void settings_changed();
  void load_user_set();

  void start();
  void stop();
  void run();
  Plan plan() const;
  std::optional<int64_t> next_exposure(Lock& lock, const Plan& plan);
  void expose(Lock& lock, int64_t exposure_at, const Plan& plan);
  bool skipped(int64_t frame) const;
  void apply_faults_before(int64_t frame);
  bool apply_faults_after(int64_t frame);
  bool follows_master() const { return settings_.ptp && !ptp_astray_; }
  void deliver(Lock& lock, const Frame& header, const Picture& picture, bool stamp, double exposure_us);

  const std::string serial_;
  const bool writable_;

  // Guarded by guard().
  Settings settings_;
  std::string user_id_;
  DeviceClock clock_;
  int64_t latched_ns_ = 0;
  int64_t ptp_offset_ns_ = 0;
  int64_t ptp_status_ = 0;
  int64_t ptp_servo_ = 0;
  bool ptp_astray_ = false;  // the master is not heard
  int64_t tl_params_locked_ = 0;
  uint64_t version_ = 0;
  std::shared_ptr<FrameSink> sink_;
  bool acquiring_ = false;
  bool stop_ = false;
  std::optional<int64_t> trigger_at_;
  Counters counters_;
  std::condition_variable wake_;

  std::atomic<bool> lost_{false};

  std::mutex control_;  // one start or stop at a time
  std::thread thread_;

  // The exposing thread's own while it runs.
  std::unique_ptr<PictureSource> source_;
  Settings rendered_;  // the settings `source_` was made for
  std::ofstream truth_;
  std::minstd_rand random_;
  int64_t first_exposure_ns_ = 0;
  int64_t last_exposure_ns_ = 0;
  int64_t origin_ns_ = 0;
  int64_t slot_ = 0;  // exposures since the origin
  int64_t offered_ = 0;
  bool stalled_ = false;
  bool stepped_ = false;
  double usual_exposure_us_ = 0;  // 0: not slowed down
};

}  // namespace simulator
