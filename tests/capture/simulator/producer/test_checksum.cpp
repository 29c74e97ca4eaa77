// The portable checksum; the other path is checked by every stamp that the tests read.
#include <doctest/doctest.h>

#include <vector>

#include "crc32c.h"
#include "stamp_reader.h"

TEST_CASE("the checksum is CRC-32C, for every length and alignment") {
  CHECK(simulator::crc32c("123456789", 9) == 0xE3069283U);
  std::vector<uint8_t> bytes(100);
  for (size_t index = 0; index < bytes.size(); ++index) bytes[index] = static_cast<uint8_t>(index * 37);
  for (size_t from = 0; from < 9; ++from) {
    for (size_t length = 0; length < 60; ++length) {
      CHECK(simulator::crc32c(bytes.data() + from, length) == checksum(bytes.data() + from, length));
    }
  }
}
