// A stretch of a row drawn from a layer: four ways to do it, one of them for each kind of place.
#pragma once

#include <cstdint>

namespace drawing {

// What is read at each of `count` places (x, y) of a layer of `width` columns.
struct Stretch {
  const uint16_t* grey;
  const uint16_t* alpha;  // null where nothing shines through
  int width;
  const float* gain;  // in the frame's size; null where there is nothing to be shaded
  int frame_width;
  float last_x, last_y;  // of the frame, a hair less than the last pixel
};

// out = grey * gain + (1 - alpha) * out. Processors with wider registers do more places at once, with the same sums.
void draw_stretch(const Stretch& from, const float* x, const float* y, int count, float* out);

}  // namespace drawing
