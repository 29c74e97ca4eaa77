// Reads stamps, with a checksum written apart from the producer's.
#pragma once

#include <cstdint>
#include <cstring>

inline uint32_t checksum(const uint8_t* data, size_t bytes) {
  uint32_t crc = 0xFFFFFFFFU;
  for (size_t index = 0; index < bytes; ++index) {
    crc ^= data[index];
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1U) != 0 ? (crc >> 1) ^ 0x82F63B78U : crc >> 1;
  }
  return ~crc;
}

struct StampRead {
  bool present = false;
  bool whole = false;
  bool pixels_match = false;
  uint64_t frame_id = 0;
  uint64_t device_ns = 0;
  uint64_t picture = 0;
};

inline StampRead read_stamp(const uint8_t* image, size_t bytes) {
  StampRead stamp;
  uint32_t pixels_crc = 0;
  uint32_t stamp_crc = 0;
  stamp.present = std::memcmp(image, "DFMESTMP", 8) == 0;
  std::memcpy(&stamp.frame_id, image + 8, 8);
  std::memcpy(&stamp.device_ns, image + 16, 8);
  std::memcpy(&stamp.picture, image + 24, 8);
  std::memcpy(&pixels_crc, image + 32, 4);
  std::memcpy(&stamp_crc, image + 36, 4);
  stamp.whole = stamp_crc == checksum(image, 36);
  stamp.pixels_match = pixels_crc == checksum(image + 64, bytes - 64);
  return stamp;
}
