// The C interface, second part: data streams, buffers and events. Handles become objects, nothing more.
#include "adapter.h"

using namespace simulator;

// Data streams

GC_ERROR DSAnnounceBuffer(DS_HANDLE handle, void* memory, size_t size, void* user, BUFFER_HANDLE* buffer) {
  return call([&] {
    const auto stream = stream_of(handle);
    require_pointer(memory, "pBuffer");
    require_pointer(buffer, "phBuffer");
    if (size == 0) throw Failure(GC_ERR_INVALID_PARAMETER, "a buffer of no bytes cannot be announced");
    *buffer = stream->announce(std::make_shared<Buffer>(memory, size, user))->handle();
  });
}

GC_ERROR DSAllocAndAnnounceBuffer(DS_HANDLE handle, size_t size, void* user, BUFFER_HANDLE* buffer) {
  return call([&] {
    const auto stream = stream_of(handle);
    require_pointer(buffer, "phBuffer");
    if (size == 0) throw Failure(GC_ERR_INVALID_PARAMETER, "a buffer of no bytes cannot be announced");
    *buffer = stream->announce(std::make_shared<Buffer>(size, user))->handle();
  });
}

GC_ERROR DSAnnounceCompositeBuffer(DS_HANDLE handle, size_t, void**, size_t*, void*, BUFFER_HANDLE*) {
  return call([&] {
    stream_of(handle);
    unsupported("composite buffers are not supported");
  });
}

GC_ERROR DSClose(DS_HANDLE handle) {
  return structural([&] {
    const auto stream = stream_of(handle);
    const auto device = Library::instance().device_with(stream);
    if (!device) throw Failure(GC_ERR_INVALID_HANDLE, "the device is closed");
    device->close_stream();
  });
}

GC_ERROR DSRevokeBuffer(DS_HANDLE handle, BUFFER_HANDLE buffer, void** memory, void** user) {
  return call([&] { stream_of(handle)->revoke(buffer_of(buffer), memory, user); });
}

GC_ERROR DSQueueBuffer(DS_HANDLE handle, BUFFER_HANDLE buffer) {
  return call([&] { stream_of(handle)->queue(buffer_of(buffer)); });
}

GC_ERROR DSFlushQueue(DS_HANDLE handle, ACQ_QUEUE_TYPE operation) {
  return call([&] { stream_of(handle)->flush(operation); });
}

GC_ERROR DSStartAcquisition(DS_HANDLE handle, ACQ_START_FLAGS flags, uint64_t frames) {
  return structural([&] {
    const auto stream = stream_of(handle);
    if (const auto device = Library::instance().device_with(stream)) device->require_connected();
    if (flags != ACQ_START_FLAGS_DEFAULT) unsupported("there are no flags for the start");
    stream->start(frames);
  });
}

GC_ERROR DSStopAcquisition(DS_HANDLE handle, ACQ_STOP_FLAGS flags) {
  return call([&] {
    const auto stream = stream_of(handle);
    if (flags != ACQ_STOP_FLAGS_DEFAULT && flags != ACQ_STOP_FLAGS_KILL) unsupported("there is no such flag");
    stream->stop();
  });
}

GC_ERROR DSGetInfo(DS_HANDLE handle, STREAM_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    const auto stream = stream_of(handle);
    InfoReply reply(type, buffer, size);
    stream->info(command, reply);
  });
}

GC_ERROR DSGetBufferID(DS_HANDLE handle, uint32_t index, BUFFER_HANDLE* buffer) {
  return call([&] { give_handle(stream_of(handle)->buffer_at(index), buffer, "phBuffer"); });
}

GC_ERROR DSGetBufferInfo(DS_HANDLE handle, BUFFER_HANDLE buffer, BUFFER_INFO_CMD command, INFO_DATATYPE* type,
                         void* answer, size_t* size) {
  return call([&] {
    const auto stream = stream_of(handle);
    const auto filled = buffer_of(buffer);
    InfoReply reply(type, answer, size);
    stream->buffer_info(filled, command, reply);
  });
}

GC_ERROR DSGetBufferInfoStacked(DS_HANDLE handle, BUFFER_HANDLE buffer, DS_BUFFER_INFO_STACKED* infos, size_t count) {
  return call([&] {
    const auto stream = stream_of(handle);
    const auto filled = buffer_of(buffer);
    stream->require_announced(filled);
    require_pointer(infos, "pInfoStacked");
    if (count == 0) throw Failure(GC_ERR_INVALID_PARAMETER, "iNumInfos is 0");
    const LastError last = last_error();  // what single entries fail with is told in the entries only
    for (size_t index = 0; index < count; ++index) {
      DS_BUFFER_INFO_STACKED entry = infos[index];
      entry.iResult = guarded([&] {
        INFO_DATATYPE type = INFO_DATATYPE_UNKNOWN;
        size_t size = entry.iSize;
        InfoReply reply(&type, entry.pBuffer, &size);
        stream->buffer_info(filled, entry.iInfoCmd, reply);
        entry.iType = type;
        entry.iSize = size;
      });
      infos[index] = entry;
    }
    last_error() = last;
  });
}

GC_ERROR DSGetBufferChunkData(DS_HANDLE handle, BUFFER_HANDLE buffer, SINGLE_CHUNK_DATA* chunks, size_t* count) {
  return call([&] {
    const auto stream = stream_of(handle);
    stream->chunk_data(buffer_of(buffer), chunks, count);
  });
}

GC_ERROR DSGetParentDev(DS_HANDLE handle, DEV_HANDLE* device) {
  return structural([&] {
    const auto stream = stream_of(handle);
    give_handle(Library::instance().device_with(stream), device, "phDevice");
  });
}

GC_ERROR DSGetNumBufferParts(DS_HANDLE handle, BUFFER_HANDLE buffer, uint32_t* count) {
  return call([&] {
    stream_of(handle)->require_announced(buffer_of(buffer));
    require_pointer(count, "piNumParts");
    *count = 0;
    throw Failure(GC_ERR_NO_DATA, "the buffer is not a multi-part one");
  });
}

GC_ERROR DSGetBufferPartInfo(DS_HANDLE handle, BUFFER_HANDLE buffer, uint32_t, BUFFER_PART_INFO_CMD, INFO_DATATYPE*,
                             void*, size_t*) {
  return call([&] {
    stream_of(handle)->require_announced(buffer_of(buffer));
    throw Failure(GC_ERR_NO_DATA, "the buffer is not a multi-part one");
  });
}

GC_ERROR DSGetBufferPartInfoStacked(DS_HANDLE handle, BUFFER_HANDLE buffer, DS_BUFFER_PART_INFO_STACKED*, size_t) {
  return call([&] {
    stream_of(handle)->require_announced(buffer_of(buffer));
    throw Failure(GC_ERR_NO_DATA, "the buffer is not a multi-part one");
  });
}

GC_ERROR DSGetNumFlows(DS_HANDLE handle, uint32_t*) {
  return call([&] {
    stream_of(handle);
    unsupported("the data stream has no flows");
  });
}

GC_ERROR DSGetFlowInfo(DS_HANDLE handle, uint32_t, FLOW_INFO_CMD, INFO_DATATYPE*, void*, size_t*) {
  return call([&] {
    stream_of(handle);
    unsupported("the data stream has no flows");
  });
}

GC_ERROR DSGetNumBufferSegments(DS_HANDLE handle, BUFFER_HANDLE buffer, uint32_t*) {
  return call([&] {
    stream_of(handle)->require_announced(buffer_of(buffer));
    unsupported("buffers have no segments");
  });
}

GC_ERROR DSGetBufferSegmentInfo(DS_HANDLE handle, BUFFER_HANDLE buffer, uint32_t, SEGMENT_INFO_CMD, INFO_DATATYPE*,
                                void*, size_t*) {
  return call([&] {
    stream_of(handle)->require_announced(buffer_of(buffer));
    unsupported("buffers have no segments");
  });
}

// Events

GC_ERROR GCRegisterEvent(EVENTSRC_HANDLE handle, EVENT_TYPE type, EVENT_HANDLE* event) {
  return call([&] {
    const auto source = port_of(handle);
    require_pointer(event, "phEvent");
    const auto stream = std::dynamic_pointer_cast<DataStream>(source);
    if (!stream || type != EVENT_NEW_BUFFER) unsupported("the module has no such event");
    *event = stream->register_event()->handle();
  });
}

GC_ERROR GCUnregisterEvent(EVENTSRC_HANDLE handle, EVENT_TYPE type) {
  return call([&] {
    const auto stream = std::dynamic_pointer_cast<DataStream>(port_of(handle));
    if (!stream || type != EVENT_NEW_BUFFER) unsupported("the module has no such event");
    if (!stream->unregister_event()) throw Failure(GC_ERR_INVALID_PARAMETER, "the event is not registered");
  });
}

GC_ERROR EventGetData(EVENT_HANDLE handle, void* buffer, size_t* size, uint64_t timeout) {
  return call([&] { event_of(handle)->data(buffer, size, timeout); });
}

GC_ERROR EventGetDataInfo(EVENT_HANDLE handle, const void* data, size_t data_size, EVENT_DATA_INFO_CMD command,
                          INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    event_of(handle);
    require_pointer(data, "pInBuffer");
    EVENT_NEW_BUFFER_DATA filled{};
    if (data_size < sizeof filled) throw Failure(GC_ERR_INVALID_PARAMETER, "the event data is too short");
    std::memcpy(&filled, data, sizeof filled);
    InfoReply reply(type, buffer, size);
    switch (command) {
      case EVENT_DATA_ID: return reply.pointer(filled.BufferHandle);
      case EVENT_DATA_VALUE: return reply.pointer(filled.pUserPointer);
      case EVENT_DATA_NUMID: throw Failure(GC_ERR_NOT_AVAILABLE, "new-buffer events have no numeric id");
      default: unknown_info("event data", command);
    }
  });
}

GC_ERROR EventGetInfo(EVENT_HANDLE handle, EVENT_INFO_CMD command, INFO_DATATYPE* type, void* buffer, size_t* size) {
  return call([&] {
    const auto event = event_of(handle);
    InfoReply reply(type, buffer, size);
    event->info(command, reply);
  });
}

GC_ERROR EventFlush(EVENT_HANDLE handle) {
  return call([&] { event_of(handle)->flush(); });
}

GC_ERROR EventKill(EVENT_HANDLE handle) {
  return call([&] { event_of(handle)->kill(); });
}
