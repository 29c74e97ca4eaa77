// From C arguments to objects: the helpers that the exported functions share.
#pragma once

#include "library.h"

namespace simulator {

template <class T>
std::shared_ptr<T> module(void* handle, const char* kind) {
  return Registry::instance().find<T>(handle, kind);
}
inline std::shared_ptr<System> system_of(void* handle) { return module<System>(handle, "system"); }
inline std::shared_ptr<Interface> interface_of(void* handle) { return module<Interface>(handle, "interface"); }
inline std::shared_ptr<Device> device_of(void* handle) { return module<Device>(handle, "device"); }
inline std::shared_ptr<DataStream> stream_of(void* handle) { return module<DataStream>(handle, "data stream"); }
inline std::shared_ptr<Buffer> buffer_of(void* handle) { return module<Buffer>(handle, "buffer"); }
inline std::shared_ptr<NewBufferEvent> event_of(void* handle) { return module<NewBufferEvent>(handle, "event"); }

inline std::shared_ptr<Port> port_of(void* handle) {
  const auto object = module<Object>(handle, "module");
  if (std::dynamic_pointer_cast<Buffer>(object)) throw Failure(GC_ERR_NOT_IMPLEMENTED, "buffers have no port");
  return module<Port>(handle, "module with a port");
}

// IDs and URLs come without a type.
inline void text_reply(const std::string& text, char* buffer, size_t* size) {
  INFO_DATATYPE type = INFO_DATATYPE_UNKNOWN;
  InfoReply(&type, buffer, size).string(text);
}

inline std::string text_of(const char* text, const char* name) {
  require_pointer(text, name);
  return text;
}

template <class Parent>
void give_handle(const std::shared_ptr<Parent>& object, void** handle, const char* name) {
  require_pointer(handle, name);
  if (!object) throw Failure(GC_ERR_INVALID_HANDLE, "the parent is closed");
  *handle = object->handle();
}

[[noreturn]] inline void unsupported(const char* what) { throw Failure(GC_ERR_NOT_IMPLEMENTED, what); }

}  // namespace simulator
