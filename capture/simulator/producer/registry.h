// Handles: numbers that are never used twice, so that a stale or foreign one is found out and never followed.
#pragma once

#include <memory>
#include <shared_mutex>
#include <unordered_map>

#include "failure.h"

namespace simulator {

class Object {
 public:
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;
  void* handle() const { return handle_; }

 protected:
  Object() = default;

 private:
  friend class Registry;
  void* handle_ = GENTL_INVALID_HANDLE;
};

class Registry {
 public:
  static Registry& instance() {
    static Registry registry;
    return registry;
  }

  void* add(const std::shared_ptr<Object>& object) {
    const std::unique_lock lock(mutex_);
    next_ += 16;
    object->handle_ = reinterpret_cast<void*>(next_);
    objects_.emplace(object->handle_, object);
    return object->handle_;
  }

  void remove(const Object& object) {
    const std::unique_lock lock(mutex_);
    objects_.erase(object.handle_);
  }

  // Throws Failure(INVALID_HANDLE) when the handle is unknown, closed, or of another kind.
  template <class T>
  std::shared_ptr<T> find(void* handle, const char* kind) const {
    std::shared_ptr<T> found;
    {
      const std::shared_lock lock(mutex_);
      if (const auto entry = objects_.find(handle); entry != objects_.end()) {
        found = std::dynamic_pointer_cast<T>(entry->second);
      }
    }
    if (!found) throw Failure(GC_ERR_INVALID_HANDLE, std::string("the handle is not that of an open ") + kind);
    return found;
  }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<void*, std::shared_ptr<Object>> objects_;
  uintptr_t next_ = 0x51A00000;
};

}  // namespace simulator
