// What a GenTL call fails with: an error code and one line for GCGetLastError.
#pragma once

#include <stdexcept>
#include <string>

#include "gentl.h"

namespace simulator {

class Failure : public std::runtime_error {
 public:
  Failure(GC_ERROR error_code, const std::string& text) : std::runtime_error(text), code(error_code) {}
  const GC_ERROR code;
};

// The standard counts both NULL and ~0 as invalid pointers.
inline bool invalid_pointer(const void* pointer) {
  return pointer == nullptr || pointer == reinterpret_cast<const void*>(~uintptr_t{0});
}

inline void require_pointer(const void* pointer, const char* name) {
  if (invalid_pointer(pointer)) throw Failure(GC_ERR_INVALID_PARAMETER, std::string(name) + " is not a valid pointer");
}

}  // namespace simulator
