// A stretch of a row drawn from a layer, place by place, or eight places at a time where the processor can.
#include "stretch.h"

#include <cstring>

#include "sampling.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#include <immintrin.h>
#define DFME_EIGHT __attribute__((target("avx2")))
#endif

namespace drawing {
namespace {

float gain_at(const Stretch& from, float x, float y) {
  const float frame_x = std::min(std::max((x - kMiddle) / kFine, 0.0f), from.last_x);
  const float frame_y = std::min(std::max((y - kMiddle) / kFine, 0.0f), from.last_y);
  return sample(from.gain, from.frame_width, frame_x, frame_y);
}

void draw_one_by_one(const Stretch& from, const float* x, const float* y, int count, float* out) {
  for (int i = 0; i < count; ++i) {
    float grey = kGrey * sample(from.grey, from.width, x[i], y[i]);
    if (from.gain) grey = grey * gain_at(from, x[i], y[i]);
    if (from.alpha) grey = grey + (1 - kAlpha * sample(from.alpha, from.width, x[i], y[i])) * out[i];
    out[i] = grey;
  }
}

#ifdef DFME_EIGHT

struct Eight {
  __m256i at;
  __m256 right, down;
};

DFME_EIGHT inline Eight places(__m256 x, __m256 y, int width) {
  const __m256i column = _mm256_cvttps_epi32(x), row = _mm256_cvttps_epi32(y);
  return {_mm256_add_epi32(_mm256_mullo_epi32(row, _mm256_set1_epi32(width)), column),
          _mm256_sub_ps(x, _mm256_cvtepi32_ps(column)), _mm256_sub_ps(y, _mm256_cvtepi32_ps(row))};
}

DFME_EIGHT inline __m256 between(__m256 a, __m256 b, __m256 share) {
  return _mm256_add_ps(a, _mm256_mul_ps(share, _mm256_sub_ps(b, a)));
}

// A value and the one to its right, read together.
DFME_EIGHT inline __m256 along(const uint16_t* picture, const Eight& at) {
  alignas(32) int i[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(i), at.at);
  const auto load = [picture](int place) {
    int two;
    std::memcpy(&two, picture + place, sizeof(two));
    return two;
  };
  const __m256i pair = _mm256_setr_epi32(load(i[0]), load(i[1]), load(i[2]), load(i[3]), load(i[4]), load(i[5]), load(i[6]), load(i[7]));
  const __m256 a = _mm256_cvtepi32_ps(_mm256_and_si256(pair, _mm256_set1_epi32(0xFFFF)));
  return between(a, _mm256_cvtepi32_ps(_mm256_srli_epi32(pair, 16)), at.right);
}

DFME_EIGHT inline __m256 along(const float* picture, const Eight& at) {
  alignas(32) int i[8];
  _mm256_store_si256(reinterpret_cast<__m256i*>(i), at.at);
  const float* p = picture;
  return between(_mm256_setr_ps(p[i[0]], p[i[1]], p[i[2]], p[i[3]], p[i[4]], p[i[5]], p[i[6]], p[i[7]]),
                 _mm256_setr_ps(p[i[0] + 1], p[i[1] + 1], p[i[2] + 1], p[i[3] + 1], p[i[4] + 1], p[i[5] + 1], p[i[6] + 1], p[i[7] + 1]), at.right);
}

template <typename Value>
DFME_EIGHT inline __m256 sample(const Value* picture, int width, const Eight& at) {
  return between(along(picture, at), along(picture + width, at), at.down);
}

DFME_EIGHT inline __m256 in_frame(__m256 fine, float last) {
  const __m256 place = _mm256_mul_ps(_mm256_sub_ps(fine, _mm256_set1_ps(kMiddle)), _mm256_set1_ps(1.0f / kFine));
  return _mm256_min_ps(_mm256_max_ps(place, _mm256_setzero_ps()), _mm256_set1_ps(last));
}

DFME_EIGHT int draw_by_eights(const Stretch& from, const float* x, const float* y, int count, float* out) {
  int i = 0;
  for (; i + 8 <= count; i += 8) {
    const __m256 fine_x = _mm256_loadu_ps(x + i), fine_y = _mm256_loadu_ps(y + i);
    const Eight at = places(fine_x, fine_y, from.width);
    __m256 grey = _mm256_mul_ps(_mm256_set1_ps(kGrey), sample(from.grey, from.width, at));
    if (from.gain) {
      const Eight in_gain = places(in_frame(fine_x, from.last_x), in_frame(fine_y, from.last_y), from.frame_width);
      grey = _mm256_mul_ps(grey, sample(from.gain, from.frame_width, in_gain));
    }
    if (from.alpha) {
      const __m256 covered = _mm256_mul_ps(_mm256_set1_ps(kAlpha), sample(from.alpha, from.width, at));
      const __m256 rest = _mm256_sub_ps(_mm256_set1_ps(1), covered);
      grey = _mm256_add_ps(grey, _mm256_mul_ps(rest, _mm256_loadu_ps(out + i)));
    }
    _mm256_storeu_ps(out + i, grey);
  }
  return i;
}

#endif

}  // namespace

void draw_stretch(const Stretch& from, const float* x, const float* y, int count, float* out) {
  int done = 0;
#ifdef DFME_EIGHT
  static const bool can = __builtin_cpu_supports("avx2");
  if (can) done = draw_by_eights(from, x, y, count, out);
#endif
  draw_one_by_one(from, x + done, y + done, count - done, out + done);
}

}  // namespace drawing
