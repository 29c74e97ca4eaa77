// Frame banks: what is played, and what is refused.
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "consumer.h"
#include "stamp_reader.h"

namespace {

constexpr size_t kFrameBytes = 64 * 48;

struct Header {
  char magic[8] = {'D', 'F', 'M', 'E', 'B', 'A', 'N', 'K'};
  uint32_t version = 1;
  uint32_t width_px = 64;
  uint32_t height_px = 48;
  uint32_t stride_bytes = 4096;
  double rate_fps = 500.0;
  uint64_t frames = 4;
  uint64_t frames_ready = 4;
  uint64_t data_offset = 8192;
};

class BankFile {
 public:
  explicit BankFile(const Header& header = {}, uint64_t frames_written = 4) {
    const int descriptor = ::mkstemp(path_);
    REQUIRE(descriptor >= 0);
    ::close(descriptor);
    for (uint64_t frame = 0; frame < frames_written; ++frame) {
      const std::vector<uint8_t> pixels(kFrameBytes, static_cast<uint8_t>(10 + frame));
      const uint32_t crc = checksum(pixels.data() + 64, kFrameBytes - 64);
      put(4096 + frame * 4, &crc, sizeof crc);
      put(8192 + frame * 4096, pixels.data(), kFrameBytes);
    }
    put(0, &header, sizeof header);
    REQUIRE(::truncate(path_, static_cast<off_t>(8192 + frames_written * 4096)) == 0);
  }
  ~BankFile() { ::unlink(path_); }
  BankFile(const BankFile&) = delete;

  void put(uint64_t offset, const void* data, size_t bytes) const {
    std::fstream file(path_, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(static_cast<const char*>(data), static_cast<std::streamsize>(bytes));
    REQUIRE(file.good());
  }
  const char* path() const { return path_; }

 private:
  char path_[32] = "/tmp/dfme-bank-XXXXXX";
};

void load(const OpenStream& open, const std::string& path) {
  open.features.set("SimulationSource", 1);
  open.features.set("SimulationBankPath", path);
}

std::string refusal(const std::string& path) {
  const OpenStream open;
  load(open, path);
  CHECK(open.features.execute("AcquisitionStart") == GC_ERR_NOT_AVAILABLE);
  const std::string text = last_error_text();
  CHECK(text.find(path) != std::string::npos);
  CHECK(open.features.try_set("Width", int64_t{32}) == GC_ERR_SUCCESS);
  return text;
}

bool mentions(const std::string& text, const std::string& word) { return text.find(word) != std::string::npos; }

}  // namespace

TEST_CASE("a bank plays in its own time and begins anew at its end") {
  const BankFile bank;
  OpenStream open;
  load(open, bank.path());
  open.features.set("AcquisitionFrameRate", 1000.0);
  open.start_frames(20, 32);
  for (uint64_t number = 0; number < 20; ++number) {
    const uint8_t* pixels = open.pixels(open.fetch().buffer);
    CHECK(pixels[0] == 10 + number / 2 % 4);
    CHECK(pixels[kFrameBytes - 1] == 10 + number / 2 % 4);
  }
}

TEST_CASE("bank pictures are stamped when asked for") {
  const BankFile bank;
  OpenStream open;
  load(open, bank.path());
  open.features.set("AcquisitionFrameRate", 500.0);
  open.features.set("SimulationStamp", 1);
  open.start_frames(6, 8);
  for (uint64_t number = 0; number < 6; ++number) {
    const StampRead stamp = read_stamp(open.pixels(open.fetch().buffer), kFrameBytes);
    CHECK(stamp.present);
    CHECK(stamp.whole);
    CHECK(stamp.pixels_match);
    CHECK(stamp.frame_id == number);
    CHECK(stamp.picture == number % 4);
  }
}

TEST_CASE("a bank that grows while it is played is played as far as it is ready") {
  Header header;
  header.frames = 8;
  header.frames_ready = 1;
  const BankFile bank(header, 8);
  OpenStream open;
  load(open, bank.path());
  open.features.set("TriggerMode", 1);
  open.start(4);
  const auto picture = [&] {
    REQUIRE(open.features.execute("TriggerSoftware") == GC_ERR_SUCCESS);
    const Fetched frame = open.fetch();
    const int grey = open.pixels(frame.buffer)[100];
    REQUIRE(DSQueueBuffer(open.stream, frame.buffer) == GC_ERR_SUCCESS);
    return grey - 10;
  };
  for (int number = 0; number < 8; ++number) CHECK(picture() == 0);
  const uint64_t ready = 8;
  bank.put(offsetof(Header, frames_ready), &ready, sizeof ready);
  CHECK(eventually([&] { return picture() > 0; }));
}

TEST_CASE("a bank that is not whole is played to and fro, without a jump, and goes on from there once it is") {
  Header header;
  header.frames = 8;
  header.frames_ready = 4;
  const BankFile bank(header, 8);
  OpenStream open;
  load(open, bank.path());
  open.features.set("AcquisitionFrameRate", 500.0);
  open.start(16);
  const auto picture = [&] {
    const Fetched frame = open.fetch();
    const int grey = open.pixels(frame.buffer)[100];
    REQUIRE(DSQueueBuffer(open.stream, frame.buffer) == GC_ERR_SUCCESS);
    return grey - 10;
  };
  for (const int expected : {0, 1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0}) CHECK(picture() == expected);
  const uint64_t ready = 8;
  bank.put(offsetof(Header, frames_ready), &ready, sizeof ready);
  int before = picture();
  bool whole_loop = false;
  for (int number = 0; number < 60; ++number) {
    const int now = picture();
    const bool wrapped = before == 7 && now == 0;
    CHECK((wrapped || std::abs(now - before) == 1));
    whole_loop = whole_loop || wrapped;
    before = now;
  }
  CHECK(whole_loop);
}

TEST_CASE("a bank that is cut off while it is played gives incomplete frames and no crash") {
  const BankFile bank;
  OpenStream open;
  load(open, bank.path());
  open.start(4);
  open.fetch(3);
  REQUIRE(::truncate(bank.path(), 4096) == 0);
  CHECK(eventually([&] {
    const Fetched frame = open.fetch(1)[0];
    return frame.incomplete || open.features.get("SimulationFramesIncomplete") > 0;
  }));
}

TEST_CASE("banks that are missing, no files, or no banks are refused with the reason") {
  CHECK(mentions(refusal("/nowhere/bank"), "No such file"));
  CHECK(mentions(refusal("/tmp"), "cannot be played"));
  CHECK(mentions(refusal("/dev/null"), "shorter than a header"));
  const OpenStream open;
  open.features.set("SimulationSource", 1);
  CHECK(open.features.execute("AcquisitionStart") == GC_ERR_NOT_AVAILABLE);
  CHECK(mentions(last_error_text(), "SimulationBankPath is empty"));
}

TEST_CASE("headers that cannot be true are refused with the reason") {
  const struct {
    const char* reason;
    void (*damage)(Header&);
  } cases[] = {
      {"does not begin with DFMEBANK", [](Header& header) { header.magic[3] = 'X'; }},
      {"its version is 2", [](Header& header) { header.version = 2; }},
      {"is 65x48, the camera is set to 64x48", [](Header& header) { header.width_px = 65; }},
      {"is 64x0, the camera", [](Header& header) { header.height_px = 0; }},
      {"stride", [](Header& header) { header.stride_bytes = 3072; }},
      {"stride", [](Header& header) { header.stride_bytes = 0xFFFFF000; }},
      {"rate", [](Header& header) { header.rate_fps = 0; }},
      {"rate", [](Header& header) { header.rate_fps = std::nan(""); }},
      {"number of frames", [](Header& header) { header.frames = 0; }},
      {"number of frames", [](Header& header) { header.frames = ~uint64_t{0}; }},
      {"more frames are ready", [](Header& header) { header.frames_ready = 5; }},
      {"no frame is ready yet", [](Header& header) { header.frames_ready = 0; }},
      {"data offset", [](Header& header) { header.data_offset = 8193; }},
      {"data offset", [](Header& header) { header.data_offset = 4096; }},
      {"data offset", [](Header& header) { header.data_offset = uint64_t{1} << 62; }},
      {"data offset", [](Header& header) { header.frames = uint64_t{1} << 30; }},
      {"shorter than its frames", [](Header& header) { header.data_offset = 12288; }},
  };
  for (const auto& one : cases) {
    CAPTURE(one.reason);
    Header header;
    one.damage(header);
    const BankFile bank(header);
    CHECK(mentions(refusal(bank.path()), one.reason));
  }
}
