// Draws layers and lips through maps of shifts.
#include "layer.h"

#include <cmath>

#include "stretch.h"

namespace drawing {
namespace {

enum Kind : uint8_t { kNothing, kMixed, kSolid };

constexpr int kTogether = 8;  // pixels of a row that are asked together what kind they are
constexpr int kNear = 32;    // pixels of a layer by which a stretch may reach beyond its middle

float last(int size) { return static_cast<float>(size - 1) - 1e-3f; }

}  // namespace

LayerRows::LayerRows(const DfmeLayer& layer, const float* gain, const DfmeBox& shaded, int frame_height, int frame_width)
    : layer_(layer),
      gain_(gain),
      near_{kFine * shaded.top - kNear, kFine * shaded.left - kNear, kFine * shaded.bottom + kNear,
            kFine * shaded.right + kNear},
      frame_width_(frame_width),
      last_x_(last(frame_width)),
      last_y_(last(frame_height)),
      places_(layer.map, layer.box, layer.height, layer.width) {
  if (shaded.top == shaded.bottom) gain_ = nullptr;
}

bool LayerRows::is_shaded(float x, float y) const {
  const int column = static_cast<int>(x), row = static_cast<int>(y);
  return gain_ && row >= near_.top && row < near_.bottom && column >= near_.left && column < near_.right;
}

void LayerRows::draw(int row, float* out) {
  if (row < layer_.box.top || row >= layer_.box.bottom) return;
  places_.go_to(row);
  const int width = layer_.width, squares = (width + kDfmeSquare - 1) / kDfmeSquare, step = layer_.map.step;
  const int together = std::max(kTogether / step, 1), stretches = places_.stretches();
  const int left = layer_.box.left - places_.begin(), right = layer_.box.right - places_.begin();
  out += places_.begin();
  for (int start = 0; start < stretches;) {
    // As many stretches of one kind as follow each other.
    int kind = kNothing, stop = start;
    bool shaded = false;
    do {
      const int middle = std::min(stop + together / 2, stretches - 1);
      const float x = places_.x_near(middle), y = places_.y_near(middle);
      const int next = layer_.kind[static_cast<int>(y) / kDfmeSquare * squares + static_cast<int>(x) / kDfmeSquare];
      const bool next_shaded = next != kNothing && is_shaded(x, y);
      if (stop > start && (next != kind || next_shaded != shaded)) break;
      kind = next;
      shaded = next_shaded;
      stop = std::min(stop + together, stretches);
    } while (stop < stretches);
    if (kind != kNothing) {
      places_.find(start, stop);
      const int first = std::max(start * step, left), beyond = std::min(stop * step, right);
      const Stretch from{layer_.grey,  kind == kSolid ? nullptr : layer_.alpha, width, shaded ? gain_ : nullptr,
                         frame_width_, last_x_, last_y_};
      draw_stretch(from, places_.x() + first, places_.y() + first, beyond - first, out + first);
    }
    start = stop;
  }
}

LipsRows::LipsRows(const DfmeLips& lips, const DfmeLayer& head, const float* gain, int frame_height, int frame_width)
    : lips_(lips),
      head_(head),
      gain_(gain),
      frame_width_(frame_width),
      last_x_(last(frame_width)),
      last_y_(last(frame_height)),
      upper_(lips.upper, lips.box, head.height, head.width),
      lower_(lips.lower, lips.box, head.height, head.width),
      skull_(lips.skull, lips.box, head.height, head.width) {}

float LipsRows::skin(float x, float y) const {
  const Stretch from{head_.grey, nullptr, head_.width, gain_, frame_width_, last_x_, last_y_};
  float grey = 0;
  draw_stretch(from, &x, &y, 1, &grey);
  return grey;
}

// How far a place of the layer lies over the line between the lips, in pixels of the frame.
float LipsRows::over_line(float x, float y) const {
  const float column = std::min(std::max((x - kMiddle) / kFine, 0.0f), last_x_);
  const int first = static_cast<int>(column);
  const float* line = lips_.line + first;
  return line[0] + (column - static_cast<float>(first)) * (line[1] - line[0]) - (y - kMiddle) / kFine;
}

void LipsRows::draw(int row, float* out) {
  if (row < lips_.box.top || row >= lips_.box.bottom) return;
  for (RowOfPlaces* places : {&upper_, &lower_, &skull_}) {
    places->go_to(row);
    places->find_all();
  }
  for (int column = lips_.box.left; column < lips_.box.right; ++column) {
    const int above_line = column - upper_.begin(), below_line = column - lower_.begin(), behind = column - skull_.begin();
    const float upper_x = upper_.x()[above_line], upper_y = upper_.y()[above_line];
    const float lower_x = lower_.x()[below_line], lower_y = lower_.y()[below_line];
    const float above = over_line(upper_x, upper_y), below = -over_line(lower_x, lower_y);
    const float share = std::clamp((above - below) / 2 + 0.5f, 0.0f, 1.0f);
    float grey = 0;
    if (share < 1) grey = skin(lower_x, lower_y);
    if (share > 0) grey += share * (skin(upper_x, upper_y) - grey);
    // Where lips press on each other the line between them stays dark.
    const float pressed = std::clamp((above + below) / 3, 0.0f, 1.0f), away = (above - below) * (above - below);
    if (pressed > 0 && away < 100) grey *= 1 - 0.4f * pressed * std::exp(away * -0.09f);
    const float gap = std::clamp(-2 * std::max(above, below), 0.0f, 1.0f);
    if (gap > 0) grey += gap * (kGrey * sample(lips_.behind, head_.width, skull_.x()[behind], skull_.y()[behind]) - grey);
    out[column] = grey;
  }
}

}  // namespace drawing
