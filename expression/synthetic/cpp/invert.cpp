// Turns motion around: from where things go to where they come from.
#include <cmath>

#include "sampling.h"

namespace {

constexpr int kMostSteps = 10;
constexpr float kNear = 1e-3f;  // px
// Where skin folds over itself the slope has no inverse; a bound keeps the way there short.
constexpr float kLeastArea = 0.25f;

}  // namespace

DFME_API void dfme_invert(const float* motion, int32_t rows, int32_t columns, int32_t step, int32_t top, int32_t left,
                          int32_t height, int32_t width, float* shift) {
  const float per_px = 1 / static_cast<float>(step);
  const float last_x = static_cast<float>(columns - 1), last_y = static_cast<float>(rows - 1);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column, shift += 2) {
      float sx = shift[0], sy = shift[1];
      for (int tries = 0; tries < kMostSteps; ++tries) {
        const float x = std::clamp(static_cast<float>(left + column) + sx * per_px, 0.0f, last_x);
        const float y = std::clamp(static_cast<float>(top + row) + sy * per_px, 0.0f, last_y);
        const int ix = std::min(static_cast<int>(x), columns - 2), iy = std::min(static_cast<int>(y), rows - 2);
        const float fx = x - static_cast<float>(ix), fy = y - static_cast<float>(iy);
        const float* a = motion + 2 * (static_cast<size_t>(iy) * static_cast<size_t>(columns) + static_cast<size_t>(ix));
        const float* b = a + 2 * static_cast<size_t>(columns);
        const float upper_x = a[2] - a[0], upper_y = a[3] - a[1], lower_x = b[2] - b[0], lower_y = b[3] - b[1];
        const float ax = a[0] + fx * upper_x, ay = a[1] + fx * upper_y;
        const float bx = b[0] + fx * lower_x, by = b[1] + fx * lower_y;
        const float miss_x = sx + ax + fy * (bx - ax), miss_y = sy + ay + fy * (by - ay);
        if (std::max(std::abs(miss_x), std::abs(miss_y)) < kNear) break;
        const float xx = 1 + per_px * (upper_x + fy * (lower_x - upper_x)), xy = per_px * (bx - ax);
        const float yx = per_px * (upper_y + fy * (lower_y - upper_y)), yy = 1 + per_px * (by - ay);
        const float scale = 1 / std::max(xx * yy - xy * yx, kLeastArea);
        sx -= scale * (yy * miss_x - xy * miss_y);
        sy -= scale * (xx * miss_y - yx * miss_x);
      }
      shift[0] = sx;
      shift[1] = sy;
    }
  }
}
