// State of the loaded library, and the frame around every exported call: initialised, no exception out, last error kept.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <new>
#include <string>

#include "modules.h"

namespace simulator {

class Library {
 public:
  static Library& instance() {
    static Library library;
    return library;
  }

  void initialise() {
    const std::lock_guard lock(mutex);
    if (initialised_) throw Failure(GC_ERR_RESOURCE_IN_USE, "GCInitLib was called already");
    initialised_ = true;
  }
  void close() {
    const std::lock_guard lock(mutex);
    if (system) system->close();
    system.reset();
    initialised_ = false;
  }
  bool initialised() const { return initialised_; }
  // The open device that a stream belongs to; null when there is none.
  std::shared_ptr<Device> device_with(const std::shared_ptr<DataStream>& stream) const {
    return system ? system->device_with(stream) : nullptr;
  }

  std::mutex mutex;  // held while modules are opened, closed or listed
  std::shared_ptr<System> system;

 private:
  Library() { Registry::instance(); }  // made first, so that it outlives us
  ~Library() { close(); }
  std::atomic<bool> initialised_{false};
};

struct LastError {
  GC_ERROR code = GC_ERR_SUCCESS;
  std::string text = "No Error";
};

inline LastError& last_error() {
  thread_local LastError error;
  return error;
}

inline GC_ERROR failed(GC_ERROR code, const char* text) noexcept {
  try {
    last_error() = {code, text};
  } catch (...) {
    last_error().code = code;
  }
  return code;
}

template <class Body>
GC_ERROR guarded(Body&& body) noexcept {
  try {
    body();
    return GC_ERR_SUCCESS;
  } catch (const Failure& failure) {
    return failed(failure.code, failure.what());
  } catch (const std::bad_alloc&) {
    return failed(GC_ERR_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return failed(GC_ERR_ERROR, error.what());
  } catch (...) {
    return failed(GC_ERR_ERROR, "unknown error");
  }
}

template <class Body>
GC_ERROR call(Body&& body) noexcept {
  return guarded([&] {
    if (!Library::instance().initialised()) throw Failure(GC_ERR_NOT_INITIALIZED, "call GCInitLib first");
    body();
  });
}

// For calls that open, close or list modules.
template <class Body>
GC_ERROR structural(Body&& body) noexcept {
  return call([&] {
    const std::lock_guard lock(Library::instance().mutex);
    body();
  });
}

}  // namespace simulator
