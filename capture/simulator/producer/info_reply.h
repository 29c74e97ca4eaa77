// The two-phase answer to an info query: size first (no buffer given), then the value.
#pragma once

#include <cstring>
#include <string>
#include <string_view>

#include "failure.h"

namespace simulator {

class InfoReply {
 public:
  InfoReply(INFO_DATATYPE* type, void* buffer, size_t* size) : type_(type), buffer_(buffer), size_(size) {
    require_pointer(type, "piType");
    require_pointer(size, "piSize");
  }

  void string(std::string_view text) {
    const std::string terminated(text);
    put(INFO_DATATYPE_STRING, terminated.c_str(), terminated.size() + 1);
  }
  void string_list(std::string_view text) {
    std::string terminated(text);
    terminated.push_back('\0');
    put(INFO_DATATYPE_STRINGLIST, terminated.c_str(), terminated.size() + 1);
  }
  void int32(int32_t value) { put(INFO_DATATYPE_INT32, &value, sizeof value); }
  void uint32(uint32_t value) { put(INFO_DATATYPE_UINT32, &value, sizeof value); }
  void uint64(uint64_t value) { put(INFO_DATATYPE_UINT64, &value, sizeof value); }
  void size(size_t value) { put(INFO_DATATYPE_SIZET, &value, sizeof value); }
  void pointer(const void* value) { put(INFO_DATATYPE_PTR, &value, sizeof value); }
  void boolean(bool value) {
    const bool8_t byte = value ? 1 : 0;
    put(INFO_DATATYPE_BOOL8, &byte, sizeof byte);
  }

 private:
  void put(INFO_DATATYPE type, const void* value, size_t bytes) {
    if (buffer_ != nullptr) {
      if (*size_ < bytes) {
        throw Failure(GC_ERR_BUFFER_TOO_SMALL, "the answer takes " + std::to_string(bytes) + " bytes, the buffer has " +
                                                   std::to_string(*size_));
      }
      std::memcpy(buffer_, value, bytes);
    }
    *size_ = bytes;
    *type_ = type;
  }

  INFO_DATATYPE* type_;
  void* buffer_;
  size_t* size_;
};

[[noreturn]] inline void unknown_info(const char* what, int32_t command) {
  throw Failure(GC_ERR_NOT_IMPLEMENTED, std::string("there is no ") + what + " info " + std::to_string(command));
}

}  // namespace simulator
