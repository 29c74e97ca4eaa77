// The acquisition engine of one data stream: announced buffers, input pool, output queue, and the event that tells.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "frame_sink.h"
#include "port.h"

namespace simulator {

class DataStream;
class NewBufferEvent;

class Buffer : public Object {
 public:
  Buffer(void* memory, size_t bytes, void* user);
  Buffer(size_t bytes, void* user);  // memory of our own

 private:
  friend class DataStream;
  friend class NewBufferEvent;
  enum class Place { Idle, Input, Filling, Output };

  std::unique_ptr<uint8_t[]> own_;
  uint8_t* const base_;
  const size_t bytes_;
  void* const user_;
  Place place_ = Place::Idle;
  bool new_data_ = false;
  Frame frame_;
};

class NewBufferEvent : public Object {
 public:
  explicit NewBufferEvent(std::shared_ptr<DataStream> stream) : stream_(std::move(stream)) {}

  void data(void* buffer, size_t* bytes, uint64_t timeout_ms);
  void info(EVENT_INFO_CMD command, InfoReply& reply) const;
  void flush();
  void kill();

 private:
  friend class DataStream;
  const std::shared_ptr<DataStream> stream_;
  // Guarded by the stream's mutex.
  uint64_t fired_ = 0;
  uint64_t kills_ = 0;
  bool registered_ = true;
};

class DataStream : public Port, public FrameSink, public std::enable_shared_from_this<DataStream> {
 public:
  DataStream(const std::string& id, std::function<size_t()> payload_bytes);

  std::shared_ptr<Buffer> announce(std::shared_ptr<Buffer> buffer);
  void revoke(const std::shared_ptr<Buffer>& buffer, void** memory, void** user);
  void queue(const std::shared_ptr<Buffer>& buffer);
  void flush(ACQ_QUEUE_TYPE operation);
  void start(uint64_t frames);
  void stop();
  void close();

  std::shared_ptr<Buffer> buffer_at(size_t index) const;
  void info(STREAM_INFO_CMD command, InfoReply& reply) const;
  void buffer_info(const std::shared_ptr<Buffer>& buffer, BUFFER_INFO_CMD command, InfoReply& reply) const;
  void chunk_data(const std::shared_ptr<Buffer>& buffer, SINGLE_CHUNK_DATA* chunks, size_t* count) const;
  void require_announced(const std::shared_ptr<Buffer>& buffer) const;

  std::shared_ptr<NewBufferEvent> register_event();
  bool unregister_event();  // false: there was none

  Memory begin() override;
  void finish(const Frame& frame) override;

 private:
  friend class NewBufferEvent;
  using Pool = std::deque<std::shared_ptr<Buffer>>;
  using Lock = std::unique_lock<std::mutex>;

  void frame_info(const Buffer& buffer, BUFFER_INFO_CMD command, InfoReply& reply) const;
  void check_announced(const std::shared_ptr<Buffer>& buffer) const;
  void to_input(const std::shared_ptr<Buffer>& buffer);
  void to_output(const std::shared_ptr<Buffer>& buffer);
  void discard(Pool& pool);
  void until_filled(Lock& lock);

  const std::function<size_t()> payload_bytes_;

  mutable std::mutex mutex_;
  std::condition_variable signal_;  // output queue, kill, or end of registration
  std::condition_variable filled_;
  std::vector<std::shared_ptr<Buffer>> announced_;
  Pool input_;
  Pool output_;
  std::shared_ptr<Buffer> filling_;
  std::shared_ptr<NewBufferEvent> event_;
  bool started_ = false;  // between DSStartAcquisition and DSStopAcquisition
  bool closed_ = false;
  uint64_t frames_left_ = 0;
  uint64_t delivered_ = 0;
  uint64_t underrun_ = 0;
  uint64_t begun_ = 0;
};

}  // namespace simulator
