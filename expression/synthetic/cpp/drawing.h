// The C interface of the loops over pixels. All arrays are dense, row by row; the caller keeps them alive and large enough.
#pragma once

#include <cstdint>

#define DFME_API extern "C" __attribute__((visibility("default")))

constexpr int kDfmeSquare = 8;

// Where the content of each place comes from. Nodes lie `step` px apart (an even number), each in the middle of a square of
// step x step pixels, the first of which begins at (top, left) of the frame. Between nodes shifts are linear, beyond the
// outermost constant.
struct DfmeMap {
  const float* shift;  // (rows, columns, 2): x and y in px, to be added to the node's place
  int32_t rows, columns, step, top, left;
};

struct DfmeBox {  // pixels of the frame; bottom and right are the first beyond
  int32_t top, left, bottom, right;
};

// A picture of twice the frame's width and height: pixel p of the frame lies at 2 p + 1/2. Beyond its rim the rim goes on.
struct DfmeLayer {
  const uint16_t* grey;  // (height, width), 128 to a grey level, multiplied by alpha
  const uint16_t* alpha;  // (height, width), 65535 for all; may be null where no kind is 1
  const uint8_t* kind;   // for every square of kDfmeSquare pixels what there is in it and within reach:
                         // 0 nothing, 1 something to be mixed, 2 only what nothing shines through
  int32_t height, width;
  DfmeMap map;
  DfmeBox box;  // where it is drawn
};

// Lips part and cover each other: `upper` and `lower` are maps of the parts above and below the line between them.
struct DfmeLips {
  const uint16_t* behind;  // of the head's size: what is seen where they part
  const float* line;       // (frame's width): height of the line at rest
  DfmeMap upper, lower, skull;
  DfmeBox box;
};

// One frame, back to front. Layers that are null are not there; lips need a head.
struct DfmeScene {
  const float* background;  // (height, width) grey
  int32_t height, width;
  const DfmeLayer* head;
  const float* gain;  // (height, width): factor on the head's grey at rest, 1 beyond the box `shaded`; may be null
  DfmeBox shaded;
  const DfmeLips* lips;  // drawn over the head where they move apart
  const DfmeLayer* clothes;
  const DfmeLayer* front;
};

struct DfmeSensor {
  const int8_t* grain;  // (height, grain_width) noise; null for none
  int32_t grain_width;
  const float* fixed;  // (width): added to each column
  float gain, by_light, in_the_dark;
};

// Draws a frame. `picture`: (height, width) grey, 0 to 255, before the sensor; `out`: the sensor's numbers,
// round(picture * gain * (1 + by_light * grain) + in_the_dark * grain + fixed) within 0 to 255. Either may be null.
DFME_API void dfme_draw(const DfmeScene* scene, const DfmeSensor* sensor, float* picture, uint8_t* out);

// Solves s + motion(node + s) = 0 for the shifts s, in px, of `height` x `width` nodes from node (top, left) of the motion on,
// by Newton's method. `motion`: (rows, columns, 2) px on nodes `step` px apart. `shift`: (height, width, 2), a first guess
// that becomes the answer.
DFME_API void dfme_invert(const float* motion, int32_t rows, int32_t columns, int32_t step, int32_t top, int32_t left,
                          int32_t height, int32_t width, float* shift);
