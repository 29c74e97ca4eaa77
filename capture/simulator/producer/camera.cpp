// Life of a camera: power on, start, stop, loss, and the settings in between.
#include "camera.h"

#include <cerrno>

#include "outages.h"

namespace simulator {
namespace {

// Every camera was switched on at another time: its clock starts between 1 and 1000 s, the same for the same serial.
int64_t power_on_time_ns(const std::string& serial) {
  uint32_t mixed = 2166136261U;
  for (const char character : serial) mixed = (mixed ^ static_cast<uint8_t>(character)) * 16777619U;
  return (1 + static_cast<int64_t>(mixed % 1000U)) * 1'000'000'000;
}

}  // namespace

Camera::Camera(const std::string& serial, bool writable)
    : Port("dfme-" + serial, "Device", "Device", "dfme_simulator.xml"),
      serial_(serial),
      writable_(writable),
      user_id_(serial),
      clock_(Outages::instance().clock(serial).value_or(DeviceClock(power_on_time_ns(serial)))) {
  add_device_features();
  add_format_features();
  add_acquisition_features();
  add_clock_features();
  add_chunk_features();
  add_simulation_features();
  registers().on_change([this] { settings_changed(); });
  publish(kModel);
}

Camera::~Camera() { stop(); }

void Camera::power_off() {
  lost_ = true;
  stop();
}

void Camera::attach(std::shared_ptr<FrameSink> sink) {
  const Lock lock(guard());
  sink_ = std::move(sink);
}

size_t Camera::payload_bytes() const {
  const Lock lock(guard());
  return static_cast<size_t>(settings_.payload_bytes());
}

std::string Camera::user_name() const {
  const Lock lock(guard());
  return user_id_;
}

void Camera::require_access(bool writing) const {
  if (lost_) throw Failure(GC_ERR_IO, "camera " + serial_ + " is disconnected: close it and open it again");
  if (writing && !writable_) throw Failure(GC_ERR_ACCESS_DENIED, "camera " + serial_ + " was opened to read only");
}

void Camera::settings_changed() {
  const int64_t now = monotonic_ns();
  clock_.set_drift(follows_master() ? 0.0 : settings_.faults.drift_ppm, now);
  ++version_;
  wake_.notify_all();
}

void Camera::load_user_set() {
  const Lock lock(guard());
  settings_ = Settings{};
  settings_changed();
}

void Camera::start() {
  const std::lock_guard control(control_);
  Settings wanted;
  {
    const Lock lock(guard());
    if (acquiring_) throw Failure(GC_ERR_ACCESS_DENIED, "the camera is acquiring already");
    wanted = settings_;
  }
  if (thread_.joinable()) thread_.join();

  if (wanted.source == kBank) {
    const bool same = source_ && rendered_.source == kBank && rendered_.bank_path == wanted.bank_path &&
                      rendered_.width == wanted.width && rendered_.height == wanted.height;
    if (same && wanted.bank_goes_on) {
      source_->go_on();
    } else {
      source_ = open_bank(wanted.bank_path, wanted.width, wanted.height);
    }
  } else if (!source_ || rendered_.source != kStamped || rendered_.width != wanted.width ||
             rendered_.height != wanted.height || rendered_.offset_x != wanted.offset_x ||
             rendered_.offset_y != wanted.offset_y) {
    source_ = make_test_card(wanted.width, wanted.height, wanted.offset_x, wanted.offset_y);
  }
  rendered_ = wanted;
  if (!wanted.truth_log.empty()) {
    // One log for a run of frames that the cable's coming loose tears apart.
    const bool goes_on = Outages::instance().count(serial_) > 0;
    truth_.open(wanted.truth_log, goes_on ? std::ios::app | std::ios::ate : std::ios::trunc);
    if (!truth_) {
      throw Failure(GC_ERR_NOT_AVAILABLE, "truth log " + wanted.truth_log + " cannot be written: set SimulationTruthLog");
    }
    if (truth_.tellp() == 0) truth_ << "frame_id\thost_ns\tdevice_ns\n";
  }

  const Lock lock(guard());
  counters_ = Counters{};
  trigger_at_.reset();
  random_.seed(1);
  origin_ns_ = last_exposure_ns_ = monotonic_ns();
  slot_ = offered_ = 0;
  stalled_ = stepped_ = stop_ = ptp_astray_ = false;
  usual_exposure_us_ = 0;
  acquiring_ = true;
  thread_ = std::thread([this] { run(); });
}

void Camera::stop() {
  const std::lock_guard control(control_);
  {
    const Lock lock(guard());
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace simulator
