// A disk that fails on purpose: preloaded, it lets one kind of call on some files fail after a number of good ones.
//
// FAULTY_CALL   write, fallocate, open or sync
// FAULTY_PATH   calls on files whose path contains this are counted
// FAULTY_AFTER  good calls before the first bad one
// FAULTY_TIMES  bad calls in a row, 0 for all that follow
// FAULTY_ERRNO  what they fail with
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

const char* setting(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : otherwise;
}

std::atomic<long> calls{0};

bool fails(const char* call, const char* path) {
  if (std::strcmp(setting("FAULTY_CALL", ""), call) != 0 || std::strstr(path, setting("FAULTY_PATH", "\n")) == nullptr)
    return false;
  const long good = std::atol(setting("FAULTY_AFTER", "0"));
  const long bad = std::atol(setting("FAULTY_TIMES", "0"));
  const long number = calls++;
  return number >= good && (bad == 0 || number < good + bad);
}

bool fails(const char* call, int fd) {
  if (std::strcmp(setting("FAULTY_CALL", ""), call) != 0) return false;
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return false;
  path[length] = '\0';
  return fails(call, path);
}

int error() { return std::atoi(setting("FAULTY_ERRNO", "5")); }

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

int opened(const char* name, const char* path, int flags, mode_t mode) {
  if ((flags & O_ACCMODE) != O_RDONLY && fails("open", path)) {
    errno = error();
    return -1;
  }
  return next<int (*)(const char*, int, mode_t)>(name)(path, flags, mode);
}

}  // namespace

extern "C" {

ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) {
  if (fails("write", fd)) {
    errno = error();
    return -1;
  }
  return next<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64")(fd, data, size, offset);
}

ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) { return pwrite64(fd, data, size, offset); }

int posix_fallocate64(int fd, off64_t offset, off64_t size) {
  if (fails("fallocate", fd)) return error();
  return next<int (*)(int, off64_t, off64_t)>("posix_fallocate64")(fd, offset, size);
}

int posix_fallocate(int fd, off_t offset, off_t size) { return posix_fallocate64(fd, offset, size); }

int fsync(int fd) {
  if (fails("sync", fd)) {
    errno = error();
    return -1;
  }
  return next<int (*)(int)>("fsync")(fd);
}

int fdatasync(int fd) {
  if (fails("sync", fd)) {
    errno = error();
    return -1;
  }
  return next<int (*)(int)>("fdatasync")(fd);
}

int open64(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return opened("open64", path, flags, mode);
}

int open(const char* path, int flags, ...) {
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = va_arg(rest, mode_t);
  va_end(rest);
  return opened("open", path, flags, mode);
}

}  // extern "C"
