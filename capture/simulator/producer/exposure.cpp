// The exposing thread: absolute deadlines, frame ids, faults, and one copy into the consumer's memory.
#include <pthread.h>
#include <sys/prctl.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "camera.h"
#include "outages.h"
#include "stamp.h"

namespace simulator {
namespace {

std::chrono::steady_clock::time_point instant(int64_t host_ns) {
  return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(host_ns));  // CLOCK_MONOTONIC on Linux
}

uint64_t wrapped(uint64_t id, int64_t bits) { return bits == 0 || bits == 64 ? id : id & ((uint64_t{1} << bits) - 1); }

template <class T>
uint8_t* put(uint8_t* to, T value) {
  std::memcpy(to, &value, sizeof value);
  return to + sizeof value;
}

}  // namespace

Camera::Plan Camera::plan() const {
  Plan plan;
  plan.version = version_;
  plan.period_ns = 1e9 / settings_.resulting_fps();
  plan.exposure_ns = static_cast<int64_t>(settings_.exposure_us * 1e3);
  plan.triggered = settings_.trigger_mode != 0;
  plan.jitter_ns = static_cast<int64_t>(settings_.faults.jitter_us * 1e3);
  return plan;
}

void Camera::run() {
  pthread_setname_np(pthread_self(), "dfme-camera");
  prctl(PR_SET_TIMERSLACK, 1UL);
  Lock lock(guard());
  Plan current = plan();
  while (!stop_) {
    if (current.version != version_) {
      const Plan fresh = plan();
      if (fresh.triggered != current.triggered) {
        origin_ns_ = monotonic_ns();
        slot_ = 0;
      } else if (fresh.period_ns != current.period_ns && counters_.exposed > 0) {
        origin_ns_ = last_exposure_ns_ + std::llround(fresh.period_ns);
        slot_ = 0;
      }
      current = fresh;
    }
    const std::optional<int64_t> exposure_at = next_exposure(lock, current);
    if (!exposure_at) continue;
    int64_t ready_at = *exposure_at + current.exposure_ns;
    if (current.jitter_ns > 0) ready_at += std::uniform_int_distribution<int64_t>(0, current.jitter_ns)(random_);
    // A condition variable and not a sleep, so that stopping a slow camera does not take a frame's time.
    if (ready_at > monotonic_ns() && wake_.wait_until(lock, instant(ready_at), [this] { return stop_; })) break;
    if (stop_) break;
    expose(lock, *exposure_at, current);
    const int64_t exposed = counters_.exposed;
    if (apply_faults_after(exposed)) break;
    if (settings_.mode == kSingleFrame || (settings_.mode == kMultiFrame && exposed >= settings_.frame_count)) break;
  }
  acquiring_ = false;
  truth_.close();
}

std::optional<int64_t> Camera::next_exposure(Lock& lock, const Plan& plan) {
  if (!plan.triggered) return origin_ns_ + std::llround(static_cast<double>(slot_++) * plan.period_ns);
  wake_.wait(lock, [&] { return stop_ || trigger_at_ || version_ != plan.version; });
  if (stop_ || !trigger_at_) return std::nullopt;
  const int64_t earliest =
      counters_.exposed > 0 ? last_exposure_ns_ + std::llround(1e9 / settings_.fastest_fps()) : *trigger_at_;
  const int64_t exposure_at = std::max(*trigger_at_, earliest);
  trigger_at_.reset();
  return exposure_at;
}

bool Camera::skipped(int64_t frame) const {
  const Faults& faults = settings_.faults;
  if (faults.gap_every == 0 || faults.gap_length == 0) return false;
  return frame % (faults.gap_every + faults.gap_length) >= faults.gap_every;
}

void Camera::expose(Lock& lock, int64_t exposure_at, const Plan& plan) {
  const Faults& faults = settings_.faults;
  const int64_t number = counters_.exposed++;
  if (number == 0) first_exposure_ns_ = exposure_at;
  last_exposure_ns_ = exposure_at;
  apply_faults_before(number);

  Frame frame;
  frame.id = wrapped(static_cast<uint64_t>(faults.id_start) + static_cast<uint64_t>(number), faults.id_bits);
  frame.device_ns = static_cast<uint64_t>(clock_.at(exposure_at));
  if (truth_.is_open()) truth_ << frame.id << '\t' << exposure_at << '\t' << frame.device_ns << '\n';
  if (skipped(number)) {
    ++counters_.skipped;
    return;
  }
  ++offered_;
  frame.incomplete = faults.incomplete_every > 0 && offered_ % faults.incomplete_every == 0;
  frame.width = static_cast<size_t>(settings_.width);
  frame.height = static_cast<size_t>(settings_.height);
  frame.offset_x = static_cast<size_t>(settings_.offset_x);
  frame.offset_y = static_cast<size_t>(settings_.offset_y);
  frame.image_bytes = static_cast<size_t>(settings_.image_bytes());
  frame.data_bytes = static_cast<size_t>(settings_.payload_bytes());
  for (size_t chunk = 0; chunk < 3; ++chunk) {
    frame.chunk_enabled[chunk] = settings_.chunks && settings_.chunk_enabled[chunk];
  }
  const Picture picture = source_->at(static_cast<uint64_t>(number), exposure_at - first_exposure_ns_);
  const bool stamp = settings_.source == kStamped || settings_.stamp_bank;
  deliver(lock, frame, picture, stamp, static_cast<double>(plan.exposure_ns) * 1e-3);
}

void Camera::deliver(Lock& lock, const Frame& header, const Picture& picture, bool stamp, double exposure_us) {
  const std::shared_ptr<FrameSink> sink = sink_;
  if (!sink) return;
  lock.unlock();
  Frame frame = header;
  const Memory memory = sink->begin();
  if (memory.base != nullptr) {
    frame.larger_than_buffer = memory.bytes < frame.data_bytes;
    const size_t sent = std::min(header.incomplete ? frame.image_bytes / 2 : frame.image_bytes, memory.bytes);
    const size_t arrived = source_->copy(picture, memory.base, sent);
    frame.incomplete = frame.incomplete || frame.larger_than_buffer || arrived < sent;
    if (stamp && arrived > 0) write_stamp(memory.base, arrived, frame.id, frame.device_ns, picture);
    frame.filled_bytes = arrived;
    if (!frame.incomplete) {
      uint8_t* to = memory.base + frame.image_bytes;
      if (frame.chunk_enabled[kChunkTimestamp]) to = put(to, frame.device_ns);
      if (frame.chunk_enabled[kChunkFrameId]) to = put(to, frame.id);
      if (frame.chunk_enabled[kChunkExposureTime]) put(to, exposure_us);
      frame.filled_bytes = frame.data_bytes;
    }
    sink->finish(frame);
  }
  lock.lock();
  if (memory.base != nullptr && frame.incomplete) ++counters_.incomplete;
}

void Camera::apply_faults_before(int64_t frame) {
  const Faults& faults = settings_.faults;
  if (!stepped_ && faults.step_after > 0 && frame >= faults.step_after) {
    stepped_ = true;
    clock_.step(std::llround(faults.step_us * 1e3));
  }
  const bool dark = faults.slow_after > 0 && frame >= faults.slow_after && frame < faults.slow_after + faults.slow_frames;
  if (dark != (usual_exposure_us_ > 0)) {
    if (dark) usual_exposure_us_ = settings_.exposure_us;
    settings_.exposure_us = dark ? faults.slow_exposure_us : usual_exposure_us_;
    if (!dark) usual_exposure_us_ = 0;
    ++version_;
  }
  const bool astray = settings_.ptp && faults.ptp_loss_after > 0 && frame >= faults.ptp_loss_after &&
                      frame < faults.ptp_loss_after + faults.ptp_loss_frames;
  if (astray != ptp_astray_) {
    ptp_astray_ = astray;
    const int64_t now = monotonic_ns();
    if (!astray) clock_.set(now, now);
    clock_.set_drift(follows_master() ? 0.0 : faults.drift_ppm, now);
  }
}

// True when the camera is gone.
bool Camera::apply_faults_after(int64_t exposed) {
  const Faults& faults = settings_.faults;
  if (!stalled_ && faults.stall_after > 0 && exposed >= faults.stall_after) {
    stalled_ = true;
    origin_ns_ += faults.stall_ms * 1'000'000;
  }
  Outages& outages = Outages::instance();
  const bool again = faults.disconnect_times == 0 || outages.count(serial_) < faults.disconnect_times;
  if (faults.disconnect_after > 0 && exposed >= faults.disconnect_after && again) {
    lost_ = true;
    outages.begin(serial_, faults.disconnect_ms,
                  faults.disconnect_keeps_clock ? std::optional<DeviceClock>(clock_) : std::nullopt);
    return true;
  }
  return false;
}

}  // namespace simulator
