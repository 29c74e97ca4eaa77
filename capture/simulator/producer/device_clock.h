// The camera's own clock: CLOCK_MONOTONIC with an offset, a drift, and steps.
#pragma once

#include <cmath>
#include <cstdint>
#include <ctime>

namespace simulator {

inline int64_t monotonic_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

class DeviceClock {
 public:
  explicit DeviceClock(int64_t power_on_device_ns) : host_ns_(monotonic_ns()), device_ns_(power_on_device_ns) {}

  int64_t at(int64_t host_ns) const {
    const int64_t elapsed = host_ns - host_ns_;
    return device_ns_ + elapsed + static_cast<int64_t>(std::llround(static_cast<double>(elapsed) * drift_ppm_ * 1e-6));
  }

  // Drift counts from `host_ns` on; what was stamped before stays as it was.
  void set_drift(double ppm, int64_t host_ns) {
    if (ppm == drift_ppm_) return;
    set(at(host_ns), host_ns);
    drift_ppm_ = ppm;
  }

  void step(int64_t by_ns) { device_ns_ += by_ns; }

  void set(int64_t device_ns, int64_t host_ns) {
    device_ns_ = device_ns;
    host_ns_ = host_ns;
  }

 private:
  int64_t host_ns_;
  int64_t device_ns_;
  double drift_ppm_ = 0;
};

}  // namespace simulator
