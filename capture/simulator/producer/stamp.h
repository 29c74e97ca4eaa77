// The 64 bytes at the start of an image that tell which frame it is.
#pragma once

#include <cstdint>
#include <cstring>

#include "crc32c.h"
#include "picture_source.h"

namespace simulator {

struct Stamp {
  char magic[8];
  uint64_t frame_id;
  uint64_t device_ns;
  uint64_t picture;
  uint32_t pixels_crc32c;
  uint32_t stamp_crc32c;
  uint8_t reserved[24];
};
static_assert(sizeof(Stamp) == kStampBytes);

// Writes as much of the stamp as `bytes` hold.
inline void write_stamp(uint8_t* image, size_t bytes, uint64_t frame_id, uint64_t device_ns, const Picture& picture) {
  Stamp stamp{};
  std::memcpy(stamp.magic, "DFMESTMP", sizeof stamp.magic);
  stamp.frame_id = frame_id;
  stamp.device_ns = device_ns;
  stamp.picture = picture.index;
  stamp.pixels_crc32c = picture.crc32c;
  stamp.stamp_crc32c = crc32c(&stamp, offsetof(Stamp, stamp_crc32c));
  std::memcpy(image, &stamp, bytes < sizeof stamp ? bytes : sizeof stamp);
}

}  // namespace simulator
