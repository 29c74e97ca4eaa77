// Unplugged cameras; told by their threads, asked by the interface and by cameras that are opened anew.
#include "outages.h"

#include <limits>

namespace simulator {

Outages& Outages::instance() {
  static Outages outages;
  return outages;
}

void Outages::begin(const std::string& serial, int64_t duration_ms, const std::optional<DeviceClock>& running_on) {
  const std::lock_guard lock(mutex_);
  Outage& outage = by_serial_[serial];
  ++outage.count;
  outage.back_at_ns =
      duration_ms == 0 ? std::numeric_limits<int64_t>::max() : monotonic_ns() + duration_ms * 1'000'000;
  outage.clock = running_on;
  if (!running_on && duration_ms > 0) {
    outage.clock.emplace(0);
    outage.clock->set(0, outage.back_at_ns);
  }
}

bool Outages::away(const std::string& serial) const {
  const std::lock_guard lock(mutex_);
  const auto outage = by_serial_.find(serial);
  return outage != by_serial_.end() && monotonic_ns() < outage->second.back_at_ns;
}

int64_t Outages::count(const std::string& serial) const {
  const std::lock_guard lock(mutex_);
  const auto outage = by_serial_.find(serial);
  return outage == by_serial_.end() ? 0 : outage->second.count;
}

std::optional<DeviceClock> Outages::clock(const std::string& serial) const {
  const std::lock_guard lock(mutex_);
  const auto outage = by_serial_.find(serial);
  return outage == by_serial_.end() ? std::nullopt : outage->second.clock;
}

}  // namespace simulator
