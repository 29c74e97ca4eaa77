// CRC-32C (Castagnoli), as written into stamps and frame banks.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simulator {

uint32_t crc32c(const void* data, size_t bytes);

}  // namespace simulator
