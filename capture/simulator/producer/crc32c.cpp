// CRC-32C with the processor's instruction where there is one, and with tables everywhere else.
#include "crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__) && !defined(DFME_PORTABLE)
#include <nmmintrin.h>
#endif

namespace simulator {
namespace {

constexpr uint32_t kPolynomial = 0x82F63B78;

using Tables = std::array<std::array<uint32_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1U) != 0 ? kPolynomial : 0U);
    tables[0][byte] = value;
  }
  for (size_t slice = 1; slice < tables.size(); ++slice) {
    for (size_t byte = 0; byte < 256; ++byte) {
      const uint32_t previous = tables[slice - 1][byte];
      tables[slice][byte] = (previous >> 8) ^ tables[0][previous & 0xFFU];
    }
  }
  return tables;
}

uint32_t portable(uint32_t crc, const uint8_t* data, size_t bytes) {
  static const Tables tables = make_tables();
  for (; bytes >= 8; bytes -= 8, data += 8) {
    crc ^= static_cast<uint32_t>(data[0]) | static_cast<uint32_t>(data[1]) << 8 |
           static_cast<uint32_t>(data[2]) << 16 | static_cast<uint32_t>(data[3]) << 24;
    crc = tables[7][crc & 0xFFU] ^ tables[6][(crc >> 8) & 0xFFU] ^ tables[5][(crc >> 16) & 0xFFU] ^
          tables[4][crc >> 24] ^ tables[3][data[4]] ^ tables[2][data[5]] ^ tables[1][data[6]] ^ tables[0][data[7]];
  }
  for (; bytes > 0; --bytes, ++data) crc = (crc >> 8) ^ tables[0][(crc ^ *data) & 0xFFU];
  return crc;
}

#if defined(__x86_64__) && !defined(DFME_PORTABLE)
__attribute__((target("sse4.2"))) uint32_t with_instruction(uint32_t crc, const uint8_t* data, size_t bytes) {
  uint64_t wide = crc;
  for (; bytes >= 8; bytes -= 8, data += 8) {
    uint64_t word = 0;
    std::memcpy(&word, data, sizeof word);
    wide = _mm_crc32_u64(wide, word);
  }
  auto narrow = static_cast<uint32_t>(wide);
  for (; bytes > 0; --bytes, ++data) narrow = _mm_crc32_u8(narrow, *data);
  return narrow;
}
#endif

}  // namespace

uint32_t crc32c(const void* data, size_t bytes) {
  const auto* first = static_cast<const uint8_t*>(data);
#if defined(__x86_64__) && !defined(DFME_PORTABLE)
  static const bool available = __builtin_cpu_supports("sse4.2") != 0;
  if (available) return ~with_instruction(~0U, first, bytes);
#endif
  return ~portable(~0U, first, bytes);
}

}  // namespace simulator
