// Buffers on their way round: announced, input pool, being filled, output queue, with the consumer, input pool again.
#include "data_stream.h"

#include <algorithm>

namespace simulator {

Buffer::Buffer(void* memory, size_t bytes, void* user)
    : base_(static_cast<uint8_t*>(memory)), bytes_(bytes), user_(user) {}

Buffer::Buffer(size_t bytes, void* user)
    : own_(new uint8_t[bytes]()), base_(own_.get()), bytes_(bytes), user_(user) {}

DataStream::DataStream(const std::string& id, std::function<size_t()> payload_bytes)
    : Port(id, "TLDataStream", "StreamPort", "dfme_simulator_stream.xml"), payload_bytes_(std::move(payload_bytes)) {
  const auto count = [this](uint64_t DataStream::* counter) {
    return [this, counter] {
      const std::lock_guard lock(mutex_);
      return static_cast<int64_t>(this->*counter);
    };
  };
  RegisterMap& map = registers();
  map.string("StreamID", "StreamInformation").about("Name of the data stream.").constant(id);
  map.string("StreamType", "StreamInformation").about("Transport layer of the stream.").constant(kTransport);
  map.integer("StreamDeliveredFrameCount", "StreamInformation").about("Frames delivered since the acquisition started.")
      .reads(count(&DataStream::delivered_));
  map.integer("StreamLostFrameCount", "StreamInformation").about("Frames lost for want of a queued buffer.")
      .reads(count(&DataStream::underrun_));
  publish("Data stream");
}

void DataStream::check_announced(const std::shared_ptr<Buffer>& buffer) const {
  if (std::find(announced_.begin(), announced_.end(), buffer) == announced_.end()) {
    throw Failure(GC_ERR_INVALID_HANDLE, "the buffer is not announced to this data stream");
  }
}

void DataStream::require_announced(const std::shared_ptr<Buffer>& buffer) const {
  const Lock lock(mutex_);
  check_announced(buffer);
}

std::shared_ptr<Buffer> DataStream::announce(std::shared_ptr<Buffer> buffer) {
  const Lock lock(mutex_);
  if (closed_) throw Failure(GC_ERR_INVALID_HANDLE, "the data stream is closed");
  for (const auto& other : announced_) {
    if (other->base_ == buffer->base_) throw Failure(GC_ERR_RESOURCE_IN_USE, "the memory is already announced");
  }
  announced_.push_back(buffer);
  Registry::instance().add(buffer);
  return buffer;
}

void DataStream::revoke(const std::shared_ptr<Buffer>& buffer, void** memory, void** user) {
  const Lock lock(mutex_);
  check_announced(buffer);
  if (buffer->place_ != Buffer::Place::Idle) throw Failure(GC_ERR_BUSY, "the buffer is queued: flush the queues first");
  announced_.erase(std::find(announced_.begin(), announced_.end(), buffer));
  Registry::instance().remove(*buffer);
  if (memory != nullptr) *memory = buffer->own_ ? nullptr : buffer->base_;
  if (user != nullptr) *user = buffer->user_;
}

void DataStream::to_input(const std::shared_ptr<Buffer>& buffer) {
  buffer->place_ = Buffer::Place::Input;
  buffer->new_data_ = false;
  buffer->frame_ = Frame{};
  input_.push_back(buffer);
}

void DataStream::to_output(const std::shared_ptr<Buffer>& buffer) {
  buffer->place_ = Buffer::Place::Output;
  output_.push_back(buffer);
}

void DataStream::discard(Pool& pool) {
  for (const auto& buffer : pool) buffer->place_ = Buffer::Place::Idle;
  pool.clear();
}

void DataStream::until_filled(Lock& lock) {
  filled_.wait(lock, [this] { return filling_ == nullptr; });
}

void DataStream::queue(const std::shared_ptr<Buffer>& buffer) {
  const Lock lock(mutex_);
  check_announced(buffer);
  if (buffer->place_ != Buffer::Place::Idle) throw Failure(GC_ERR_RESOURCE_IN_USE, "the buffer is already queued");
  to_input(buffer);
}

void DataStream::flush(ACQ_QUEUE_TYPE operation) {
  Lock lock(mutex_);
  until_filled(lock);
  switch (operation) {
    case ACQ_QUEUE_INPUT_TO_OUTPUT: {
      for (const auto& buffer : input_) to_output(buffer);
      input_.clear();
      lock.unlock();
      signal_.notify_all();
      return;
    }
    case ACQ_QUEUE_OUTPUT_DISCARD: return discard(output_);
    case ACQ_QUEUE_ALL_TO_INPUT: {
      discard(output_);
      [[fallthrough]];
    }
    case ACQ_QUEUE_UNQUEUED_TO_INPUT: {
      for (const auto& buffer : announced_) {
        if (buffer->place_ == Buffer::Place::Idle) to_input(buffer);
      }
      return;
    }
    case ACQ_QUEUE_ALL_DISCARD: {
      discard(input_);
      discard(output_);
      return;
    }
    default: throw Failure(GC_ERR_NOT_IMPLEMENTED, "there is no queue operation " + std::to_string(operation));
  }
}

void DataStream::start(uint64_t frames) {
  const size_t payload = payload_bytes_();
  const Lock lock(mutex_);
  if (frames == 0) throw Failure(GC_ERR_INVALID_PARAMETER, "iNumToAcquire is 0");
  if (started_) throw Failure(GC_ERR_RESOURCE_IN_USE, "the acquisition has been started already");
  if (announced_.empty()) throw Failure(GC_ERR_INVALID_BUFFER, "announce at least one buffer first");
  for (const auto& buffer : announced_) {
    if (buffer->bytes_ < payload) {
      throw Failure(GC_ERR_BUFFER_TOO_SMALL, "a buffer of " + std::to_string(buffer->bytes_) +
                                                 " bytes is announced, a frame takes " + std::to_string(payload));
    }
  }
  started_ = true;
  frames_left_ = frames;
  delivered_ = 0;
}

void DataStream::stop() {
  Lock lock(mutex_);
  if (!started_) throw Failure(GC_ERR_RESOURCE_IN_USE, "the acquisition is not started");
  started_ = false;
  until_filled(lock);
}

void DataStream::close() {
  Lock lock(mutex_);
  started_ = false;
  closed_ = true;
  until_filled(lock);
  discard(input_);
  discard(output_);
  for (const auto& buffer : announced_) Registry::instance().remove(*buffer);
  announced_.clear();
  lock.unlock();
  unregister_event();
}

Memory DataStream::begin() {
  const Lock lock(mutex_);
  if (!started_ || frames_left_ == 0) return {};
  if (input_.empty()) {
    ++underrun_;
    return {};
  }
  filling_ = std::move(input_.front());
  input_.pop_front();
  filling_->place_ = Buffer::Place::Filling;
  ++begun_;
  return {filling_->base_, filling_->bytes_};
}

void DataStream::finish(const Frame& frame) {
  {
    const Lock lock(mutex_);
    filling_->frame_ = frame;
    filling_->new_data_ = true;
    to_output(filling_);
    filling_.reset();
    ++delivered_;
    if (frames_left_ != GENTL_INFINITE) --frames_left_;
  }
  signal_.notify_one();
  filled_.notify_all();
}

}  // namespace simulator
