// Reading maps and fine pictures between their nodes and pixels.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

#include "drawing.h"

// Compiled for newer processors too, and chosen among at the start; the sums are the same in all.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GLIBC__) && !defined(DFME_ONE_PROCESSOR)
#define DFME_WIDE __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define DFME_WIDE
#endif

namespace drawing {

constexpr int kFine = 2;
constexpr float kMiddle = (kFine - 1) / 2.0f;
constexpr float kGrey = 1 / 128.0f, kAlpha = 1 / 65535.0f;

// The places in a layer from which a row of a box of the frame is drawn, kept within that layer. Pixels are counted from the
// first of a stretch between two nodes that begins in the box or before it; in such a stretch shifts grow evenly.
class RowOfPlaces {
 public:
  RowOfPlaces(const DfmeMap& map, const DfmeBox& box, int height, int width)
      : map_(map),
        // A hair less than the last pixel: there is always a next one to mix with.
        last_x_(static_cast<float>(width - 1) - 1e-3f),
        last_y_(static_cast<float>(height - 1) - 1e-3f) {
    const int to_first = box.left - (map.left + map.step / 2);
    first_ = to_first >= 0 ? to_first / map.step : -((-to_first + map.step - 1) / map.step);
    begin_ = map.left + map.step / 2 + first_ * map.step;
    stretches_ = (box.right - begin_ + map.step - 1) / map.step;
    along_x_.resize(static_cast<size_t>(stretches_) + 1);
    along_y_.resize(along_x_.size());
    x_.resize(static_cast<size_t>(stretches_ * map.step));
    y_.resize(x_.size());
  }

  // The frame's column of the first pixel.
  int begin() const { return begin_; }

  void go_to(int row) {
    const float middle = static_cast<float>(map_.step - 1) / 2;
    const float in_nodes = (static_cast<float>(row - map_.top) - middle) / static_cast<float>(map_.step);
    const float at = std::clamp(in_nodes, 0.0f, static_cast<float>(map_.rows - 1));
    const int first = std::min(static_cast<int>(at), std::max(map_.rows - 2, 0)), last = map_.columns - 1;
    const float share = at - static_cast<float>(first);
    const float* above = map_.shift + 2 * static_cast<size_t>(first) * static_cast<size_t>(map_.columns);
    const float* below = map_.rows > 1 ? above + 2 * map_.columns : above;
    const float x = kFine * static_cast<float>(begin_) + kMiddle, y = kFine * static_cast<float>(row) + kMiddle;
    for (int stretch = 0; stretch <= stretches_; ++stretch) {
      const int node = 2 * std::clamp(first_ + stretch, 0, last);
      const size_t i = static_cast<size_t>(stretch);
      along_x_[i] = kFine * (above[node] + share * (below[node] - above[node])) + x;
      along_y_[i] = kFine * (above[node + 1] + share * (below[node + 1] - above[node + 1])) + y;
    }
  }

  // About where a stretch is drawn from: its first pixel, uncorrected for what lies half a pixel beyond the node.
  float x_near(int stretch) const { return within(along_x_[static_cast<size_t>(stretch)] + pace(stretch), last_x_); }
  float y_near(int stretch) const { return within(along_y_[static_cast<size_t>(stretch)], last_y_); }

  // Finds the places of stretches from `start` to before `stop`.
  void find(int start, int stop) {
    switch (map_.step) {
      case 4: return find<4>(start, stop);
      case 8: return find<8>(start, stop);
      default: return find<0>(start, stop);
    }
  }

  void find_all() { find(0, stretches_); }

  int stretches() const { return stretches_; }
  const float* x() const { return x_.data(); }
  const float* y() const { return y_.data(); }

 private:
  static float within(float place, float last) { return std::min(std::max(place, 0.0f), last); }

  float pace(int stretch) const { return static_cast<float>(kFine * stretch * map_.step); }

  // `known` is the step where the compiler may know it, or 0.
  template <int known>
  void find(int start, int stop) {
    const int step = known ? known : map_.step;
    const float part = 1 / static_cast<float>(step);
    const float *along_x = along_x_.data(), *along_y = along_y_.data();
    float *x = x_.data(), *y = y_.data();
    for (int stretch = start; stretch < stop; ++stretch) {
      const float grow_x = part * (along_x[stretch + 1] - along_x[stretch]), each_x = grow_x + kFine;
      const float grow_y = part * (along_y[stretch + 1] - along_y[stretch]);
      // The first pixel lies half a pixel beyond the node.
      const float from_x = along_x[stretch] + 0.5f * grow_x + pace(stretch);
      const float from_y = along_y[stretch] + 0.5f * grow_y;
      float* __restrict to_x = x + stretch * step;
      float* __restrict to_y = y + stretch * step;
      for (int i = 0; i < step; ++i) {
        to_x[i] = within(from_x + static_cast<float>(i) * each_x, last_x_);
        to_y[i] = within(from_y + static_cast<float>(i) * grow_y, last_y_);
      }
    }
  }

  const DfmeMap& map_;
  float last_x_, last_y_;
  std::vector<float> along_x_, along_y_, x_, y_;
  int first_, begin_, stretches_;
};

// The value of a picture of `width` columns at a place inside it, linearly.
template <typename Value>
inline float sample(const Value* picture, int width, float x, float y) {
  const int column = static_cast<int>(x), row = static_cast<int>(y), at = row * width + column;
  const float right = x - static_cast<float>(column), down = y - static_cast<float>(row);
  const float a = picture[at], b = picture[at + 1], c = picture[at + width], d = picture[at + width + 1];
  const float upper = a + right * (b - a), lower = c + right * (d - c);
  return upper + down * (lower - upper);
}

}  // namespace drawing
