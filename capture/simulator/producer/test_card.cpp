// The stamped source: a test card with a ramp, a fine grid, a circle, grey steps, and a hand, a dot and a bar that move.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "crc32c.h"
#include "picture_source.h"

namespace simulator {
namespace {

constexpr int kPictures = 32;
constexpr double kTurn = 6.283185307179586;

class TestCard : public PictureSource {
 public:
  TestCard(int64_t width, int64_t height, int64_t offset_x, int64_t offset_y)
      : width_(width), height_(height), bytes_(static_cast<size_t>(width * height)), pixels_(new uint8_t[bytes_ * kPictures]) {
    draw_card(offset_x, offset_y);
    for (int picture = kPictures - 1; picture >= 0; --picture) {
      uint8_t* to = pixels_.get() + bytes_ * static_cast<size_t>(picture);
      if (picture > 0) std::memcpy(to, pixels_.get(), bytes_);
      draw_motion(to, picture);
      const size_t unstamped = std::min(bytes_, kStampBytes);
      crc_[picture] = crc32c(to + unstamped, bytes_ - unstamped);
    }
  }

  Picture at(uint64_t frame, int64_t /*elapsed_ns*/) override {
    const uint64_t index = frame % kPictures;
    return {index, crc_[index]};
  }

  size_t copy(const Picture& picture, uint8_t* to, size_t bytes) const override {
    const size_t copied = std::min(bytes, bytes_);
    std::memcpy(to, pixels_.get() + bytes_ * picture.index, copied);
    return copied;
  }

 private:
  void draw_card(int64_t offset_x, int64_t offset_y) {
    uint8_t* row = pixels_.get();
    for (int64_t y = 0; y < height_; ++y, row += width_) {
      const int64_t sensor_y = y + offset_y;
      const bool steps = y >= height_ - height_ / 8;
      const bool checkers = y < height_ / 8;
      for (int64_t x = 0; x < width_; ++x) {
        const int64_t sensor_x = x + offset_x;
        int64_t grey = 48 + x * 96 / width_;
        if (sensor_x % 64 == 0 || sensor_y % 64 == 0) {
          grey = 216;
        } else if (sensor_x % 8 == 0 || sensor_y % 8 == 0) {
          grey += 28;
        }
        if (steps) grey = (x * 16 / width_) * 17;
        if (checkers && x >= width_ - width_ / 8) {
          const int64_t pitch = x < width_ - width_ / 16 ? 1 : 2;
          grey = ((sensor_x / pitch + sensor_y / pitch) % 2) * 255;
        }
        row[x] = static_cast<uint8_t>(grey);
      }
    }
    const int dots = static_cast<int>(radius() * 8) + 1;
    for (int dot = 0; dot < dots; ++dot) {
      const double angle = kTurn * dot / dots;
      disc(pixels_.get(), angle, radius(), 1.0, 255);
    }
  }

  void draw_motion(uint8_t* picture, int number) const {
    const double angle = kTurn * number / kPictures;
    for (double along = 0; along < radius() * 0.9; along += 1.5) disc(picture, angle, along, hand(), 250);
    disc(picture, angle, radius(), hand() * 3, 12);
    const int64_t first = width_ * number / kPictures;
    const int64_t last = std::max(first + 1, width_ * (number + 1) / kPictures);
    for (int64_t y = height_ - height_ / 8 - height_ / 32; y < height_ - height_ / 8; ++y) {
      for (int64_t x = first; x < std::min(last, width_); ++x) picture[y * width_ + x] = 255;
    }
  }

  double radius() const { return 0.36 * static_cast<double>(std::min(width_, height_)); }
  double hand() const { return std::max(1.0, radius() / 60); }

  void disc(uint8_t* picture, double angle, double distance, double size, uint8_t grey) const {
    const double centre_x = static_cast<double>(width_) / 2 + distance * std::sin(angle);
    const double centre_y = static_cast<double>(height_) / 2 - distance * std::cos(angle);
    const auto from_y = std::max<int64_t>(0, static_cast<int64_t>(centre_y - size));
    const auto to_y = std::min(height_ - 1, static_cast<int64_t>(centre_y + size));
    for (int64_t y = from_y; y <= to_y; ++y) {
      const double up = static_cast<double>(y) - centre_y;
      const double half = std::sqrt(std::max(0.0, size * size - up * up));
      const auto from_x = std::max<int64_t>(0, static_cast<int64_t>(centre_x - half));
      const auto to_x = std::min(width_ - 1, static_cast<int64_t>(centre_x + half));
      if (from_x <= to_x) std::memset(picture + y * width_ + from_x, grey, static_cast<size_t>(to_x - from_x + 1));
    }
  }

  const int64_t width_;
  const int64_t height_;
  const size_t bytes_;
  const std::unique_ptr<uint8_t[]> pixels_;  // not zeroed first: every byte is drawn
  uint32_t crc_[kPictures] = {};
};

}  // namespace

std::unique_ptr<PictureSource> make_test_card(int64_t width, int64_t height, int64_t offset_x, int64_t offset_y) {
  return std::make_unique<TestCard>(width, height, offset_x, offset_y);
}

}  // namespace simulator
