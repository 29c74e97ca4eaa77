// One layer of the scene, or the lips, row by row.
#pragma once

#include "sampling.h"

namespace drawing {

// Draws a layer into rows: grey + (1 - alpha) * what is there.
class LayerRows {
 public:
  // `gain` (of the frame's size) may be null.
  LayerRows(const DfmeLayer& layer, const float* gain, const DfmeBox& shaded, int frame_height, int frame_width);

  void draw(int row, float* out);

 private:
  bool is_shaded(float x, float y) const;

  const DfmeLayer& layer_;
  const float* gain_;
  DfmeBox near_;  // pixels of the layer that the gain may change, and some more
  int frame_width_;
  float last_x_, last_y_;
  RowOfPlaces places_;
};

class LipsRows {
 public:
  LipsRows(const DfmeLips& lips, const DfmeLayer& head, const float* gain, int frame_height, int frame_width);

  void draw(int row, float* out);

 private:
  float skin(float x, float y) const;
  float over_line(float x, float y) const;

  const DfmeLips& lips_;
  const DfmeLayer& head_;
  const float* gain_;
  int frame_width_;
  float last_x_, last_y_;
  RowOfPlaces upper_, lower_, skull_;
};

}  // namespace drawing
