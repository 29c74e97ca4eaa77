// The new-buffer event: its queue is the stream's output queue.
#include <chrono>

#include "data_stream.h"

namespace simulator {
namespace {

// Longer waits than this (about 30 years) count as for ever; the clock's type could not hold them.
constexpr uint64_t kLongestWaitMs = 1'000'000'000'000;

}  // namespace

std::shared_ptr<NewBufferEvent> DataStream::register_event() {
  const Lock lock(mutex_);
  if (closed_) throw Failure(GC_ERR_INVALID_HANDLE, "the data stream is closed");
  if (event_) throw Failure(GC_ERR_RESOURCE_IN_USE, "the new-buffer event is registered already");
  event_ = std::make_shared<NewBufferEvent>(shared_from_this());
  Registry::instance().add(event_);
  return event_;
}

bool DataStream::unregister_event() {
  {
    const Lock lock(mutex_);
    if (!event_) return false;
    event_->registered_ = false;
    Registry::instance().remove(*event_);
    event_.reset();
    discard(output_);
  }
  signal_.notify_all();
  return true;
}

void NewBufferEvent::data(void* buffer, size_t* bytes, uint64_t timeout_ms) {
  require_pointer(bytes, "piSize");
  DataStream::Lock lock(stream_->mutex_);
  const auto woken = [this] { return kills_ > 0 || !registered_ || !stream_->output_.empty(); };
  if (!woken()) {
    if (timeout_ms > kLongestWaitMs) {
      stream_->signal_.wait(lock, woken);
    } else {
      stream_->signal_.wait_until(lock, std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms), woken);
    }
  }
  if (!registered_) throw Failure(GC_ERR_ABORT, "the event was unregistered");
  if (kills_ > 0) {
    --kills_;
    throw Failure(GC_ERR_ABORT, "the wait was ended by EventKill");
  }
  if (stream_->output_.empty()) throw Failure(GC_ERR_TIMEOUT, "no buffer was filled in time");
  const std::shared_ptr<Buffer> filled = stream_->output_.front();
  const EVENT_NEW_BUFFER_DATA answer{filled->handle(), filled->user_};
  if (buffer != nullptr) {
    if (*bytes < sizeof answer) throw Failure(GC_ERR_BUFFER_TOO_SMALL, "the event data takes 16 bytes");
    std::memcpy(buffer, &answer, sizeof answer);
  }
  *bytes = sizeof answer;
  stream_->output_.pop_front();
  filled->place_ = Buffer::Place::Idle;
  ++fired_;
}

void NewBufferEvent::info(EVENT_INFO_CMD command, InfoReply& reply) const {
  const DataStream::Lock lock(stream_->mutex_);
  switch (command) {
    case EVENT_EVENT_TYPE: return reply.int32(EVENT_NEW_BUFFER);
    case EVENT_NUM_IN_QUEUE: return reply.size(stream_->output_.size());
    case EVENT_NUM_FIRED: return reply.uint64(fired_);
    case EVENT_SIZE_MAX:
    case EVENT_INFO_DATA_SIZE_MAX: return reply.size(sizeof(EVENT_NEW_BUFFER_DATA));
    default: unknown_info("event", command);
  }
}

void NewBufferEvent::flush() {
  const DataStream::Lock lock(stream_->mutex_);
  stream_->discard(stream_->output_);
}

void NewBufferEvent::kill() {
  {
    const DataStream::Lock lock(stream_->mutex_);
    ++kills_;
  }
  stream_->signal_.notify_all();
}

}  // namespace simulator
