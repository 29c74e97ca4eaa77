// Draws a frame row by row, back to front and through the sensor, so that each row stays in the processor's nearest memory.
#include <cstring>
#include <optional>
#include <vector>

#include "layer.h"

namespace {

DFME_WIDE void expose(const float* row, const int8_t* grain, const float* fixed, int count, float gain, float by_light,
                      float in_the_dark, uint8_t* __restrict out) {
  for (int i = 0; i < count; ++i) {
    const float noise = grain[i];
    const float grey = row[i] * gain * (1 + by_light * noise) + in_the_dark * noise + fixed[i];
    out[i] = static_cast<uint8_t>(static_cast<int>(std::min(std::max(grey, 0.0f), 255.0f) + 0.5f));
  }
}

DFME_WIDE void expose_without_noise(const float* row, int count, float gain, uint8_t* __restrict out) {
  for (int i = 0; i < count; ++i) {
    out[i] = static_cast<uint8_t>(static_cast<int>(std::min(std::max(row[i] * gain, 0.0f), 255.0f) + 0.5f));
  }
}

}  // namespace

DFME_API void dfme_draw(const DfmeScene* scene, const DfmeSensor* sensor, float* picture, uint8_t* out) {
  using drawing::LayerRows;
  const int height = scene->height, width = scene->width;
  const DfmeBox nowhere{0, 0, 0, 0};
  std::optional<LayerRows> head, clothes, front;
  std::optional<drawing::LipsRows> lips;
  if (scene->head) head.emplace(*scene->head, scene->gain, scene->shaded, height, width);
  if (scene->lips) lips.emplace(*scene->lips, *scene->head, scene->gain, height, width);
  if (scene->clothes) clothes.emplace(*scene->clothes, nullptr, nowhere, height, width);
  if (scene->front) front.emplace(*scene->front, nullptr, nowhere, height, width);
  const size_t length = static_cast<size_t>(width);
  std::vector<float> own(picture ? 0 : length);
  for (int row = 0; row < height; ++row) {
    const size_t first = static_cast<size_t>(row) * length;
    float* here = picture ? picture + first : own.data();
    std::memcpy(here, scene->background + first, length * sizeof(float));
    if (head) head->draw(row, here);
    if (lips) lips->draw(row, here);
    if (clothes) clothes->draw(row, here);
    if (front) front->draw(row, here);
    if (!out) continue;
    if (sensor->grain) {
      const int8_t* grain = sensor->grain + static_cast<size_t>(row) * static_cast<size_t>(sensor->grain_width);
      expose(here, grain, sensor->fixed, width, sensor->gain, sensor->by_light, sensor->in_the_dark, out + first);
    } else {
      expose_without_noise(here, width, sensor->gain, out + first);
    }
  }
}
