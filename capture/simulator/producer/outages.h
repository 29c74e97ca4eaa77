// Which cameras are unplugged, and until when. That is so whatever the host does: it outlives handles, modules and the
// library's own closing, and lasts as long as the process.
#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "device_clock.h"

namespace simulator {

class Outages {
 public:
  static Outages& instance();

  // The camera is gone for `duration_ms` (0: for ever). `running_on` is its clock where only the cable was pulled;
  // without it the camera loses its power, and its clock begins at zero when it is back.
  void begin(const std::string& serial, int64_t duration_ms, const std::optional<DeviceClock>& running_on);
  bool away(const std::string& serial) const;
  // How often the camera was unplugged so far.
  int64_t count(const std::string& serial) const;
  // The clock that a camera has which was unplugged before; none: it never was.
  std::optional<DeviceClock> clock(const std::string& serial) const;

 private:
  struct Outage {
    int64_t back_at_ns = 0;
    int64_t count = 0;
    std::optional<DeviceClock> clock;
  };

  mutable std::mutex mutex_;
  std::map<std::string, Outage> by_serial_;
};

}  // namespace simulator
