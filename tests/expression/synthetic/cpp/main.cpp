// Draws small random scenes, many of which reach beyond every rim: nothing outside an array may be read, and eight places at a
// time must give what one at a time gives.
#include <cstdint>
#include <cstdio>
#include <random>
#include <vector>

#include "drawing.h"
#include "stretch.h"

namespace {

std::mt19937 draw_number(1);

float between(float low, float high) { return std::uniform_real_distribution<float>(low, high)(draw_number); }
int whole(int low, int high) { return std::uniform_int_distribution<int>(low, high)(draw_number); }

template <typename Value>
std::vector<Value> filled(int count, float low, float high) {
  std::vector<Value> values(static_cast<size_t>(count));
  for (Value& value : values) value = static_cast<Value>(between(low, high));
  return values;
}

struct OwnMap {
  OwnMap(int rows, int columns, int step, int top, int left, float far)
      : shift(filled<float>(2 * rows * columns, -far, far)), map{shift.data(), rows, columns, step, top, left} {}
  std::vector<float> shift;
  DfmeMap map;
};

struct OwnLayer {
  OwnLayer(int frame_height, int frame_width, const DfmeMap& map, const DfmeBox& box)
      : height(2 * frame_height),
        width(2 * frame_width),
        grey(filled<uint16_t>(height * width, 0, 32640)),
        alpha(filled<uint16_t>(height * width, 0, 65535)),
        kind(filled<uint8_t>((height + 7) / 8 * ((width + 7) / 8), 0, 2.99f)),
        layer{grey.data(), alpha.data(), kind.data(), height, width, map, box} {}
  int height, width;
  std::vector<uint16_t> grey, alpha;
  std::vector<uint8_t> kind;
  DfmeLayer layer;
};

void draw_any_scene() {
  const int height = whole(2, 40), width = whole(2, 40), step = 2 * whole(1, 5);
  const float far = between(0, 60);
  const int top = whole(0, height), left = whole(0, width);
  const DfmeBox box{top, left, whole(top, height), whole(left, width)};
  OwnMap map(whole(1, 6), whole(1, 6), step, whole(-9, 9), whole(-9, 9), far), other(whole(1, 4), 3, step, -3, 5, far);
  OwnLayer head(height, width, map.map, box), front(height, width, other.map, {0, 0, height, width});
  const auto background = filled<float>(height * width, 0, 255), gain = filled<float>(height * width, 0.5f, 1.5f);
  const auto line = filled<float>(width, 0, static_cast<float>(height));
  const auto behind = filled<uint16_t>(head.height * head.width, 0, 32640);
  const int grain_width = width + whole(0, 9);
  const auto grain = filled<int8_t>(height * grain_width, -127, 127);
  const auto fixed = filled<float>(width, -1, 1);
  const DfmeLips lips{behind.data(), line.data(), map.map, other.map, map.map, box};
  const DfmeScene scene{background.data(), height, width, &head.layer, gain.data(), box, &lips, &front.layer, &front.layer};
  const DfmeSensor sensor{grain.data(), grain_width, fixed.data(), 1.1f, 1e-4f, 0.05f};
  std::vector<float> picture(background.size());
  std::vector<uint8_t> out(background.size());
  dfme_draw(&scene, &sensor, picture.data(), out.data());
  dfme_draw(&scene, nullptr, picture.data(), nullptr);
  const DfmeScene empty{background.data(), height, width, nullptr, nullptr, {}, nullptr, nullptr, nullptr};
  const DfmeSensor quiet{nullptr, 0, nullptr, 1, 0, 0};
  dfme_draw(&empty, &quiet, nullptr, out.data());
}

void invert_any_motion() {
  const int rows = whole(2, 12), columns = whole(2, 12), height = whole(1, rows), width = whole(1, columns);
  const auto motion = filled<float>(2 * rows * columns, -30, 30);
  auto shift = filled<float>(2 * height * width, -50, 50);
  dfme_invert(motion.data(), rows, columns, 4, rows - height, columns - width, height, width, shift.data());
}

bool eight_are_as_one_by_one() {
  const int height = 20, width = 24, count = whole(1, 40);
  const auto grey = filled<uint16_t>(height * width, 0, 65535), alpha = filled<uint16_t>(height * width, 0, 65535);
  const auto gain = filled<float>(height * width / 4, 0.5f, 1.5f);
  const auto x = filled<float>(count, 0, width - 1.001f), y = filled<float>(count, 0, height - 1.001f);
  const drawing::Stretch from{grey.data(),  whole(0, 1) ? alpha.data() : nullptr, width, whole(0, 1) ? gain.data() : nullptr,
                              width / 2,    width / 2 - 1.001f,                   height / 2 - 1.001f};
  auto together = filled<float>(count, 0, 255), alone = together;
  drawing::draw_stretch(from, x.data(), y.data(), count, together.data());
  for (int i = 0; i < count; ++i) drawing::draw_stretch(from, x.data() + i, y.data() + i, 1, alone.data() + i);
  return together == alone;
}

}  // namespace

int main() {
  for (int round = 0; round < 300; ++round) {
    draw_any_scene();
    invert_any_motion();
    if (!eight_are_as_one_by_one()) {
      std::fprintf(stderr, "round %d: eight places at a time give something else than one at a time\n", round);
      return 1;
    }
  }
}
