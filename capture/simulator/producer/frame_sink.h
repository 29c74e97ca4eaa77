// The seam between camera and data stream: a memory to fill, and what is known of the frame in it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace simulator {

struct Frame {
  uint64_t id = 0;
  uint64_t device_ns = 0;
  size_t width = 0;
  size_t height = 0;
  size_t offset_x = 0;
  size_t offset_y = 0;
  size_t image_bytes = 0;
  size_t data_bytes = 0;    // image and chunks, as sent
  size_t filled_bytes = 0;  // what arrived
  bool incomplete = false;
  bool larger_than_buffer = false;
  bool chunk_enabled[3] = {false, false, false};
};

inline constexpr uint64_t kFirstChunkId = 0xD0000001;  // timestamp; frame id and exposure time follow

struct Memory {
  uint8_t* base = nullptr;  // null: nowhere to put the frame, it is lost
  size_t bytes = 0;
};

class FrameSink {
 public:
  virtual ~FrameSink() = default;
  // Called at frame time; every memory that is not null is given back by `finish` before the next `begin`.
  virtual Memory begin() = 0;
  virtual void finish(const Frame& frame) = 0;
};

}  // namespace simulator
