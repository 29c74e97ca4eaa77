// What a data stream and its buffers say about themselves.
#include <algorithm>

#include "data_stream.h"

namespace simulator {

std::shared_ptr<Buffer> DataStream::buffer_at(size_t index) const {
  const Lock lock(mutex_);
  if (index >= announced_.size()) {
    throw Failure(GC_ERR_INVALID_INDEX, std::to_string(announced_.size()) + " buffers are announced");
  }
  return announced_[index];
}

void DataStream::info(STREAM_INFO_CMD command, InfoReply& reply) const {
  if (command == STREAM_INFO_PAYLOAD_SIZE) return reply.size(payload_bytes_());
  const Lock lock(mutex_);
  switch (command) {
    case STREAM_INFO_ID: return reply.string(id());
    case STREAM_INFO_NUM_DELIVERED: return reply.uint64(delivered_);
    case STREAM_INFO_NUM_UNDERRUN: return reply.uint64(underrun_);
    case STREAM_INFO_NUM_ANNOUNCED: return reply.size(announced_.size());
    case STREAM_INFO_NUM_QUEUED: return reply.size(input_.size() + (filling_ ? 1 : 0));
    case STREAM_INFO_NUM_AWAIT_DELIVERY: return reply.size(output_.size());
    case STREAM_INFO_NUM_STARTED: return reply.uint64(begun_);
    case STREAM_INFO_IS_GRABBING: return reply.boolean(started_ && frames_left_ > 0);
    case STREAM_INFO_DEFINES_PAYLOADSIZE: return reply.boolean(false);
    case STREAM_INFO_TLTYPE: return reply.string(kTransport);
    case STREAM_INFO_NUM_CHUNKS_MAX: return reply.size(3);
    case STREAM_INFO_BUF_ANNOUNCE_MIN: return reply.size(1);
    case STREAM_INFO_BUF_ALIGNMENT: return reply.size(1);
    case STREAM_INFO_FLOW_TABLE:
    case STREAM_INFO_GENDC_PREFETCH_DESCRIPTOR: throw Failure(GC_ERR_NO_DATA, "the stream has neither flows nor GenDC");
    default: unknown_info("stream", command);
  }
}

void DataStream::buffer_info(const std::shared_ptr<Buffer>& buffer, BUFFER_INFO_CMD command, InfoReply& reply) const {
  const Lock lock(mutex_);
  check_announced(buffer);
  switch (command) {
    case BUFFER_INFO_BASE: return reply.pointer(buffer->base_);
    case BUFFER_INFO_SIZE: return reply.size(buffer->bytes_);
    case BUFFER_INFO_USER_PTR: return reply.pointer(buffer->user_);
    case BUFFER_INFO_NEW_DATA: return reply.boolean(buffer->new_data_);
    case BUFFER_INFO_IS_QUEUED: return reply.boolean(buffer->place_ != Buffer::Place::Idle);
    case BUFFER_INFO_IS_ACQUIRING: return reply.boolean(buffer->place_ == Buffer::Place::Filling);
    case BUFFER_INFO_IS_INCOMPLETE: return reply.boolean(buffer->frame_.incomplete);
    case BUFFER_INFO_TLTYPE: return reply.string(kTransport);
    case BUFFER_INFO_SIZE_FILLED: return reply.size(buffer->frame_.filled_bytes);
    case BUFFER_INFO_DATA_SIZE: return reply.size(buffer->frame_.data_bytes);
    case BUFFER_INFO_DATA_LARGER_THAN_BUFFER: return reply.boolean(buffer->frame_.larger_than_buffer);
    case BUFFER_INFO_IMAGEPRESENT: return reply.boolean(buffer->new_data_);
    case BUFFER_INFO_IS_COMPOSITE: return reply.boolean(false);
    default: return frame_info(*buffer, command, reply);
  }
}

void DataStream::frame_info(const Buffer& buffer, BUFFER_INFO_CMD command, InfoReply& reply) const {
  if (command < 0 || command > BUFFER_INFO_IS_COMPOSITE) unknown_info("buffer", command);
  if (!buffer.new_data_) throw Failure(GC_ERR_NOT_AVAILABLE, "the buffer holds no frame");
  const Frame& frame = buffer.frame_;
  switch (command) {
    case BUFFER_INFO_TIMESTAMP:
    case BUFFER_INFO_TIMESTAMP_NS: return reply.uint64(frame.device_ns);
    case BUFFER_INFO_WIDTH: return reply.size(frame.width);
    case BUFFER_INFO_HEIGHT:
    case BUFFER_INFO_DELIVERED_IMAGEHEIGHT: return reply.size(frame.height);
    case BUFFER_INFO_XOFFSET: return reply.size(frame.offset_x);
    case BUFFER_INFO_YOFFSET: return reply.size(frame.offset_y);
    case BUFFER_INFO_XPADDING:
    case BUFFER_INFO_YPADDING:
    case BUFFER_INFO_IMAGEOFFSET: return reply.size(0);
    case BUFFER_INFO_FRAMEID: return reply.uint64(frame.id);
    case BUFFER_INFO_PAYLOADTYPE: return reply.size(PAYLOAD_TYPE_IMAGE);
    case BUFFER_INFO_PIXELFORMAT: return reply.uint64(PIXELFORMAT_MONO8);
    case BUFFER_INFO_PIXELFORMAT_NAMESPACE: return reply.uint64(PIXELFORMAT_NAMESPACE_PFNC_32BIT);
    case BUFFER_INFO_PIXEL_ENDIANNESS: return reply.int32(PIXELENDIANNESS_LITTLE);
    case BUFFER_INFO_CONTAINS_CHUNKDATA: return reply.boolean(frame.data_bytes > frame.image_bytes && !frame.incomplete);
    case BUFFER_INFO_DELIVERED_CHUNKPAYLOADSIZE:
      return reply.size(frame.incomplete ? 0 : frame.data_bytes - frame.image_bytes);
    case BUFFER_INFO_CHUNKLAYOUTID: {
      uint64_t layout = 1;
      for (const bool enabled : frame.chunk_enabled) layout = layout * 2 + (enabled ? 1 : 0);
      return reply.uint64(layout);
    }
    default: throw Failure(GC_ERR_NOT_AVAILABLE, "an image carries no buffer info " + std::to_string(command));
  }
}

void DataStream::chunk_data(const std::shared_ptr<Buffer>& buffer, SINGLE_CHUNK_DATA* chunks, size_t* count) const {
  require_pointer(count, "piNumChunks");
  const Lock lock(mutex_);
  check_announced(buffer);
  const Frame& frame = buffer->frame_;
  SINGLE_CHUNK_DATA found[3];
  size_t chunks_found = 0;
  if (buffer->new_data_ && !frame.incomplete) {
    for (uint64_t chunk = 0; chunk < 3; ++chunk) {
      if (!frame.chunk_enabled[chunk]) continue;
      found[chunks_found] = {kFirstChunkId + chunk, static_cast<ptrdiff_t>(frame.image_bytes + 8 * chunks_found), 8};
      ++chunks_found;
    }
  }
  if (chunks_found == 0) throw Failure(GC_ERR_NO_DATA, "the buffer holds no chunks");
  if (chunks != nullptr) {
    if (*count < chunks_found) throw Failure(GC_ERR_BUFFER_TOO_SMALL, "the buffer holds more chunks than asked for");
    std::copy(found, found + chunks_found, chunks);
  }
  *count = chunks_found;
}

}  // namespace simulator
