// Where pixels come from: a rendered test card, or a frame bank in a file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace simulator {

inline constexpr size_t kStampBytes = 64;

struct Picture {
  uint64_t index = 0;
  uint32_t crc32c = 0;  // of the pixels after the first 64
};

class PictureSource {
 public:
  virtual ~PictureSource() = default;
  // The picture of the `frame`-th exposure, `elapsed_ns` after the first.
  virtual Picture at(uint64_t frame, int64_t elapsed_ns) = 0;
  // A new acquisition: time begins anew, and pictures go on behind the last one.
  virtual void go_on() {}
  // Copies the first `bytes` of its pixels; returns how many there were.
  virtual size_t copy(const Picture& picture, uint8_t* to, size_t bytes) const = 0;
};

// 32 different pictures of a test card, all rendered before this returns.
std::unique_ptr<PictureSource> make_test_card(int64_t width, int64_t height, int64_t offset_x, int64_t offset_y);

// Throws Failure with one line that says what is wrong with the file, and what to do.
std::unique_ptr<PictureSource> open_bank(const std::string& path, int64_t width, int64_t height);

}  // namespace simulator
