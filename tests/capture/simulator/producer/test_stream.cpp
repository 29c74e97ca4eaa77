// Buffers and queues of a data stream, and the event that tells of new frames.
#include <thread>

#include "consumer.h"

TEST_CASE("buffers are announced, listed, queued and revoked by the rules") {
  std::vector<uint8_t> memory(64 * 48);
  int mine = 0;
  const OpenStream open;
  BUFFER_HANDLE buffer = nullptr;
  CHECK(DSAnnounceBuffer(open.stream, nullptr, 10, nullptr, &buffer) == GC_ERR_INVALID_PARAMETER);
  CHECK(DSAnnounceBuffer(open.stream, memory.data(), 0, nullptr, &buffer) == GC_ERR_INVALID_PARAMETER);
  REQUIRE(DSAnnounceBuffer(open.stream, memory.data(), memory.size(), &mine, &buffer) == GC_ERR_SUCCESS);
  BUFFER_HANDLE again = nullptr;
  CHECK(DSAnnounceBuffer(open.stream, memory.data(), memory.size(), nullptr, &again) == GC_ERR_RESOURCE_IN_USE);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_ANNOUNCED) == 1);
  REQUIRE(DSGetBufferID(open.stream, 0, &again) == GC_ERR_SUCCESS);
  CHECK(again == buffer);
  CHECK(DSGetBufferID(open.stream, 1, &again) == GC_ERR_INVALID_INDEX);
  CHECK(open.buffer_info<void*>(buffer, BUFFER_INFO_USER_PTR) == &mine);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_SIZE) == memory.size());

  REQUIRE(DSQueueBuffer(open.stream, buffer) == GC_ERR_SUCCESS);
  CHECK(DSQueueBuffer(open.stream, buffer) == GC_ERR_RESOURCE_IN_USE);
  CHECK(DSRevokeBuffer(open.stream, buffer, nullptr, nullptr) == GC_ERR_BUSY);
  CHECK(open.buffer_info<bool8_t>(buffer, BUFFER_INFO_IS_QUEUED) == 1);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_QUEUED) == 1);
  REQUIRE(DSFlushQueue(open.stream, ACQ_QUEUE_ALL_DISCARD) == GC_ERR_SUCCESS);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_QUEUED) == 0);

  void* returned = nullptr;
  void* user = nullptr;
  REQUIRE(DSRevokeBuffer(open.stream, buffer, &returned, &user) == GC_ERR_SUCCESS);
  CHECK(returned == memory.data());
  CHECK(user == &mine);
}

TEST_CASE("memory of the producer's own is not handed out on revoking") {
  const OpenStream open;
  BUFFER_HANDLE buffer = nullptr;
  REQUIRE(DSAllocAndAnnounceBuffer(open.stream, 64 * 48, nullptr, &buffer) == GC_ERR_SUCCESS);
  CHECK(open.pixels(buffer) != nullptr);
  void* returned = &buffer;
  REQUIRE(DSRevokeBuffer(open.stream, buffer, &returned, nullptr) == GC_ERR_SUCCESS);
  CHECK(returned == nullptr);
}

TEST_CASE("the acquisition engine starts once, with buffers that are large enough, and stops once") {
  OpenStream open;
  CHECK(DSStartAcquisition(open.stream, 0, GENTL_INFINITE) == GC_ERR_INVALID_BUFFER);
  open.announce(1);
  CHECK(DSStartAcquisition(open.stream, 0, 0) == GC_ERR_INVALID_PARAMETER);
  CHECK(DSStartAcquisition(open.stream, 8, GENTL_INFINITE) == GC_ERR_NOT_IMPLEMENTED);
  CHECK(DSStopAcquisition(open.stream, 0) == GC_ERR_RESOURCE_IN_USE);
  REQUIRE(DSStartAcquisition(open.stream, 0, GENTL_INFINITE) == GC_ERR_SUCCESS);
  CHECK(DSStartAcquisition(open.stream, 0, GENTL_INFINITE) == GC_ERR_RESOURCE_IN_USE);
  CHECK(open.info<bool8_t>(STREAM_INFO_IS_GRABBING) == 1);
  CHECK(DSStopAcquisition(open.stream, 4) == GC_ERR_NOT_IMPLEMENTED);
  REQUIRE(DSStopAcquisition(open.stream, 0) == GC_ERR_SUCCESS);
  CHECK(DSStopAcquisition(open.stream, 0) == GC_ERR_RESOURCE_IN_USE);
  open.features.set("Width", 128);
  CHECK(DSStartAcquisition(open.stream, 0, GENTL_INFINITE) == GC_ERR_BUFFER_TOO_SMALL);
}

TEST_CASE("the engine ends by itself after the frames that were asked for, and still has to be stopped") {
  OpenStream open;
  open.start(8, 5);
  for (uint64_t number = 0; number < 5; ++number) CHECK(open.fetch().id == number);
  CHECK(open.info<bool8_t>(STREAM_INFO_IS_GRABBING) == 0);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED) == 5);
  open.stop();
  BUFFER_HANDLE none = nullptr;
  CHECK(open.poll(&none) == GC_ERR_TIMEOUT);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_UNDERRUN) == 0);
}

TEST_CASE("a frame that finds no buffer is an underrun, and its id is used up") {
  OpenStream open;
  open.start_frames(6, 2);
  REQUIRE(eventually([&] { return open.features.get("SimulationFramesExposed") == 6; }));
  CHECK(open.fetch().id == 0);
  CHECK(open.fetch().id == 1);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED) == 2);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_UNDERRUN) == 4);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_STARTED) == 2);
  open.stop();

  // Underruns and starts count from the opening of the stream, deliveries from the start of the acquisition.
  for (BUFFER_HANDLE buffer : open.buffers) REQUIRE(DSQueueBuffer(open.stream, buffer) == GC_ERR_SUCCESS);
  REQUIRE(DSStartAcquisition(open.stream, 0, GENTL_INFINITE) == GC_ERR_SUCCESS);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED) == 0);
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_UNDERRUN) == 4);
}

TEST_CASE("frames that are not fetched wait in order, and survive the stop") {
  OpenStream open;
  open.start_frames(4, 8);
  REQUIRE(eventually([&] { return open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 4; }));
  CHECK(open.info<size_t>(STREAM_INFO_NUM_QUEUED) == 4);
  open.stop();
  for (uint64_t number = 0; number < 4; ++number) CHECK(open.fetch().id == number);
}

TEST_CASE("flush operations move buffers as they are named") {
  OpenStream open;
  open.start_frames(2, 5);
  REQUIRE(eventually([&] { return open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 2; }));
  open.stop();
  BUFFER_HANDLE filled = nullptr;
  REQUIRE(open.poll(&filled) == GC_ERR_SUCCESS);

  REQUIRE(DSFlushQueue(open.stream, ACQ_QUEUE_UNQUEUED_TO_INPUT) == GC_ERR_SUCCESS);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_QUEUED) == 4);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 1);
  REQUIRE(DSFlushQueue(open.stream, ACQ_QUEUE_INPUT_TO_OUTPUT) == GC_ERR_SUCCESS);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_QUEUED) == 0);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 5);
  REQUIRE(open.poll(&filled) == GC_ERR_SUCCESS);
  CHECK(open.buffer_info<bool8_t>(filled, BUFFER_INFO_NEW_DATA) == 1);
  REQUIRE(open.poll(&filled) == GC_ERR_SUCCESS);
  CHECK(open.buffer_info<bool8_t>(filled, BUFFER_INFO_NEW_DATA) == 0);
  INFO_DATATYPE type = 0;
  size_t size = 8;
  CHECK(DSGetBufferInfo(open.stream, filled, BUFFER_INFO_FRAMEID, &type, nullptr, &size) == GC_ERR_NOT_AVAILABLE);
  CHECK(DSGetBufferInfo(open.stream, filled, 500, &type, nullptr, &size) == GC_ERR_NOT_IMPLEMENTED);
  REQUIRE(DSFlushQueue(open.stream, ACQ_QUEUE_ALL_TO_INPUT) == GC_ERR_SUCCESS);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_QUEUED) == 5);
  CHECK(DSFlushQueue(open.stream, 77) == GC_ERR_NOT_IMPLEMENTED);
}

TEST_CASE("a frame describes itself") {
  OpenStream open;
  open.features.set("OffsetX", 8);
  open.start(2);
  const BUFFER_HANDLE buffer = open.fetch().buffer;
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_WIDTH) == 64);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_HEIGHT) == 48);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_XOFFSET) == 8);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_XPADDING) == 0);
  CHECK(open.buffer_info<uint64_t>(buffer, BUFFER_INFO_PIXELFORMAT) == PIXELFORMAT_MONO8);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_PAYLOADTYPE) == PAYLOAD_TYPE_IMAGE);
  CHECK(open.buffer_info<size_t>(buffer, BUFFER_INFO_SIZE_FILLED) == 64 * 48);
  CHECK(open.buffer_info<bool8_t>(buffer, BUFFER_INFO_CONTAINS_CHUNKDATA) == 0);
  CHECK(open.buffer_info<bool8_t>(buffer, BUFFER_INFO_IS_QUEUED) == 0);
  uint32_t parts = 9;
  CHECK(DSGetNumBufferParts(open.stream, buffer, &parts) == GC_ERR_NO_DATA);
  CHECK(parts == 0);

  uint64_t id = 99;
  uint64_t none = 0;
  DS_BUFFER_INFO_STACKED infos[] = {{BUFFER_INFO_FRAMEID, 0, &id, sizeof id, 1},
                                    {BUFFER_INFO_FILENAME, 0, &none, sizeof none, 1}};
  REQUIRE(DSGetBufferInfoStacked(open.stream, buffer, infos, 2) == GC_ERR_SUCCESS);
  CHECK(id == 0);
  CHECK(infos[0].iResult == GC_ERR_SUCCESS);
  CHECK(infos[0].iType == INFO_DATATYPE_UINT64);
  CHECK(infos[1].iResult == GC_ERR_NOT_AVAILABLE);
  CHECK(last_error_text() == "the buffer is not a multi-part one");
}

TEST_CASE("events are registered once per stream, and only where there are any") {
  const OpenStream open;
  EVENT_HANDLE event = nullptr;
  CHECK(GCRegisterEvent(open.stream, EVENT_NEW_BUFFER, &event) == GC_ERR_RESOURCE_IN_USE);
  CHECK(GCRegisterEvent(open.stream, EVENT_ERROR, &event) == GC_ERR_NOT_IMPLEMENTED);
  CHECK(GCRegisterEvent(open.device, EVENT_REMOTE_DEVICE, &event) == GC_ERR_NOT_IMPLEMENTED);
  CHECK(GCRegisterEvent(open.system, EVENT_MODULE, &event) == GC_ERR_NOT_IMPLEMENTED);
  REQUIRE(GCUnregisterEvent(open.stream, EVENT_NEW_BUFFER) == GC_ERR_SUCCESS);
  CHECK(GCUnregisterEvent(open.stream, EVENT_NEW_BUFFER) == GC_ERR_INVALID_PARAMETER);
  CHECK(GCRegisterEvent(open.stream, EVENT_NEW_BUFFER, &event) == GC_ERR_SUCCESS);
  CHECK(event != open.event);
}

TEST_CASE("event data comes whole, or stays in the queue") {
  OpenStream open;
  open.start_frames(3, 4);
  REQUIRE(eventually([&] { return open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 3; }));
  EVENT_NEW_BUFFER_DATA data{};
  size_t size = 8;
  CHECK(EventGetData(open.event, &data, &size, 0) == GC_ERR_BUFFER_TOO_SMALL);
  CHECK(EventGetData(open.event, &data, nullptr, 0) == GC_ERR_INVALID_PARAMETER);
  CHECK(open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 3);
  size = sizeof data;
  REQUIRE(EventGetData(open.event, &data, &size, 0) == GC_ERR_SUCCESS);
  CHECK(size == 16);

  INFO_DATATYPE type = 0;
  void* value = nullptr;
  size = sizeof value;
  REQUIRE(EventGetDataInfo(open.event, &data, sizeof data, EVENT_DATA_ID, &type, &value, &size) == GC_ERR_SUCCESS);
  CHECK(type == INFO_DATATYPE_PTR);
  CHECK(value == data.BufferHandle);
  CHECK(EventGetDataInfo(open.event, &data, 4, EVENT_DATA_ID, &type, &value, &size) == GC_ERR_INVALID_PARAMETER);

  // Without a buffer the data is dropped and counts as fired.
  REQUIRE(EventGetData(open.event, nullptr, &size, 0) == GC_ERR_SUCCESS);
  uint64_t fired = 0;
  size = sizeof fired;
  REQUIRE(EventGetInfo(open.event, EVENT_NUM_FIRED, &type, &fired, &size) == GC_ERR_SUCCESS);
  CHECK(fired == 2);
  REQUIRE(EventFlush(open.event) == GC_ERR_SUCCESS);
  BUFFER_HANDLE none = nullptr;
  CHECK(open.poll(&none) == GC_ERR_TIMEOUT);
}

TEST_CASE("a kill ends exactly one wait, even one that comes later, and goes before data") {
  OpenStream open;
  open.start_frames(1, 2);
  REQUIRE(eventually([&] { return open.info<size_t>(STREAM_INFO_NUM_AWAIT_DELIVERY) == 1; }));
  REQUIRE(EventKill(open.event) == GC_ERR_SUCCESS);
  BUFFER_HANDLE buffer = nullptr;
  CHECK(open.poll(&buffer) == GC_ERR_ABORT);
  CHECK(open.poll(&buffer) == GC_ERR_SUCCESS);
  CHECK(open.poll(&buffer) == GC_ERR_TIMEOUT);
}

TEST_CASE("waits without limit end by kill, by unregistering, and by closing") {
  for (int way = 0; way < 3; ++way) {
    CAPTURE(way);
    const OpenStream open;
    GC_ERROR result = GC_ERR_SUCCESS;
    std::thread waiting([&] {
      EVENT_NEW_BUFFER_DATA data{};
      size_t size = sizeof data;
      result = EventGetData(open.event, &data, &size, GENTL_INFINITE);
    });
    if (way == 0) CHECK(EventKill(open.event) == GC_ERR_SUCCESS);
    if (way == 1) CHECK(GCUnregisterEvent(open.stream, EVENT_NEW_BUFFER) == GC_ERR_SUCCESS);
    if (way == 2) CHECK(DevClose(open.device) == GC_ERR_SUCCESS);
    waiting.join();
    const bool ended = result == GC_ERR_ABORT || (way > 0 && result == GC_ERR_INVALID_HANDLE);
    CHECK(ended);
  }
}

TEST_CASE("many threads may fetch, query and kill while frames come in") {
  OpenStream open;
  open.features.set("AcquisitionFrameRate", 5000.0);
  open.start(8);
  std::vector<std::thread> threads;
  for (int number = 0; number < 3; ++number) {
    threads.emplace_back([&, number] {
      for (int round = 0; round < 200; ++round) {
        EVENT_NEW_BUFFER_DATA data{};
        size_t size = sizeof data;
        const GC_ERROR result = EventGetData(open.event, &data, &size, 1);
        if (result == GC_ERR_SUCCESS) DSQueueBuffer(open.stream, data.BufferHandle);
        if (number == 0 && round % 16 == 0) EventKill(open.event);
        if (number == 1 && round % 32 == 0) DSFlushQueue(open.stream, ACQ_QUEUE_ALL_TO_INPUT);
        uint64_t delivered = 0;
        size = sizeof delivered;
        INFO_DATATYPE type = 0;
        DSGetInfo(open.stream, STREAM_INFO_NUM_DELIVERED, &type, &delivered, &size);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(open.info<uint64_t>(STREAM_INFO_NUM_DELIVERED) > 0);
  open.stop();
}
