// The bank source: a frame bank in a file that somebody else may still be writing, and that is never trusted.
//
// While the bank grows, what is there is played to and fro: a jump back to its first frame would be a movement that no
// face makes. Once it is whole it is played round and round, from wherever it was.
//
// Pixels go from the page cache to the consumer's memory in one copy by pread. A mapping costs the same, but a file cut
// off while it is played would then end the process with SIGBUS; this way the frame is incomplete.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "failure.h"
#include "picture_source.h"

namespace simulator {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kMostFrames = uint64_t{1} << 31;

struct BankHeader {
  char magic[8];
  uint32_t version;
  uint32_t width_px;
  uint32_t height_px;
  uint32_t stride_bytes;
  double rate_fps;
  uint64_t frames;
  uint64_t frames_ready;
  uint64_t data_offset;
};
static_assert(sizeof(BankHeader) == 56);

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }
  uint64_t size() const {
    struct stat status{};
    return ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode) ? static_cast<uint64_t>(status.st_size) : 0;
  }

 private:
  int descriptor_;
};

class Bank : public PictureSource {
 public:
  Bank(const std::string& path, int64_t width, int64_t height)
      : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (file_.descriptor() < 0) refuse(std::strerror(errno));
    if (fetch(0, &header_, sizeof header_) < sizeof header_) refuse("it is shorter than a header");
    check(width, height);
  }

  Picture at(uint64_t /*frame*/, int64_t elapsed_ns) override {
    uint64_t ready = 0;
    fetch(offsetof(BankHeader, frames_ready), &ready, sizeof ready);
    ready = std::max<uint64_t>(1, std::min(ready, header_.frames));
    const double due = std::floor(static_cast<double>(elapsed_ns) * 1e-9 * header_.rate_fps + 1e-6);
    const auto frames_due = static_cast<uint64_t>(std::fmax(due, 0.0));
    if (frames_due > played_) {
      advance(frames_due - played_, ready);
      played_ = frames_due;
    }
    position_ = std::min(position_, ready - 1);
    Picture picture;
    picture.index = position_;
    fetch(kPage + picture.index * sizeof picture.crc32c, &picture.crc32c, sizeof picture.crc32c);
    return picture;
  }

  void go_on() override {
    uint64_t ready = 0;
    fetch(offsetof(BankHeader, frames_ready), &ready, sizeof ready);
    advance(1, std::max<uint64_t>(1, std::min(ready, header_.frames)));
    played_ = 0;
  }

  size_t copy(const Picture& picture, uint8_t* to, size_t bytes) const override {
    return fetch(header_.data_offset + picture.index * header_.stride_bytes, to, bytes);
  }

 private:
  void advance(uint64_t steps, uint64_t ready) {
    if (ready == header_.frames) {
      position_ = (position_ + steps) % ready;
      return;
    }
    const uint64_t last = ready - 1;
    if (last == 0) return;
    const uint64_t there = std::min(position_, last);
    const uint64_t phase = ((backward_ ? 2 * last - there : there) + steps) % (2 * last);
    backward_ = phase > last;
    position_ = backward_ ? 2 * last - phase : phase;
  }

  // Returns how many of the bytes the file had.
  size_t fetch(uint64_t offset, void* to, size_t bytes) const {
    size_t fetched = 0;
    while (fetched < bytes) {
      const ssize_t step = ::pread(file_.descriptor(), static_cast<uint8_t*>(to) + fetched, bytes - fetched,
                                   static_cast<off_t>(offset + fetched));
      if (step < 0 && errno == EINTR) continue;
      if (step <= 0) break;
      fetched += static_cast<size_t>(step);
    }
    return fetched;
  }

  void check(int64_t width, int64_t height) const {
    if (std::memcmp(header_.magic, "DFMEBANK", 8) != 0) refuse("it does not begin with DFMEBANK");
    if (header_.version != 1) refuse("its version is " + std::to_string(header_.version) + ", this camera plays 1");
    if (header_.width_px != width || header_.height_px != height) {
      throw Failure(GC_ERR_NOT_AVAILABLE,
                    "frame bank " + path_ + " is " + std::to_string(header_.width_px) + "x" +
                        std::to_string(header_.height_px) + ", the camera is set to " + std::to_string(width) + "x" +
                        std::to_string(height) + ": set Width and Height to the bank's size, or make the bank anew");
    }
    const auto frame = static_cast<uint64_t>(width * height);
    if (header_.stride_bytes != (frame + kPage - 1) / kPage * kPage) refuse("its stride does not fit its size");
    if (!std::isfinite(header_.rate_fps) || header_.rate_fps <= 0 || header_.rate_fps > 1e6) {
      refuse("its rate is not a rate");
    }
    if (header_.frames == 0 || header_.frames > kMostFrames) refuse("its number of frames is out of range");
    if (header_.frames_ready > header_.frames) refuse("more frames are ready than planned");
    if (header_.frames_ready == 0) refuse("no frame is ready yet", "wait for the renderer");
    const uint64_t table_end = kPage + header_.frames * sizeof(uint32_t);
    const uint64_t length = file_.size();
    if (header_.data_offset % kPage != 0 || header_.data_offset < table_end || header_.data_offset > length) {
      refuse("its data offset is out of range");
    }
    if (header_.frames_ready > (length - header_.data_offset) / header_.stride_bytes) {
      refuse("it is shorter than its frames");
    }
  }

  [[noreturn]] void refuse(const std::string& reason, const std::string& remedy = "make the bank anew") const {
    throw Failure(GC_ERR_NOT_AVAILABLE, "frame bank " + path_ + " cannot be played, " + reason + ": " + remedy);
  }

  const std::string path_;
  const File file_;
  BankHeader header_{};
  uint64_t played_ = 0;
  uint64_t position_ = 0;
  bool backward_ = false;
};

}  // namespace

std::unique_ptr<PictureSource> open_bank(const std::string& path, int64_t width, int64_t height) {
  if (path.empty()) {
    throw Failure(GC_ERR_NOT_AVAILABLE, "SimulationSource is Bank, but SimulationBankPath is empty: name a file");
  }
  return std::make_unique<Bank>(path, width, height);
}

}  // namespace simulator
