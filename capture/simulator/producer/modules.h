// System, interface and device: who is there, who may open it, and whose child it is.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "camera.h"
#include "data_stream.h"

namespace simulator {

inline constexpr const char* kSystemId = "dfme-simulator";
inline constexpr const char* kInterfaceId = "dfme-simulator-interface";

// A camera held by this process: a name in the kernel that vanishes with us, however we end.
class Claim {
 public:
  static std::optional<Claim> take(const std::string& serial);
  static bool taken(const std::string& serial);
  Claim(Claim&& other) noexcept : socket_(other.socket_) { other.socket_ = -1; }
  Claim& operator=(Claim&&) = delete;
  ~Claim();

 private:
  explicit Claim(int socket) : socket_(socket) {}
  int socket_;
};

class Interface;

class Device : public Port {
 public:
  Device(const std::string& serial, Claim claim, DEVICE_ACCESS_FLAGS access, std::shared_ptr<Interface> parent);

  void info(DEVICE_INFO_CMD command, InfoReply& reply) const;
  std::string stream_id() const { return id() + "-stream"; }
  void require_connected() const;
  std::shared_ptr<DataStream> open_stream(const std::string& stream_id);
  void close_stream();
  void close();

  const std::shared_ptr<Camera>& camera() const { return camera_; }
  const std::shared_ptr<DataStream>& stream() const { return stream_; }
  std::shared_ptr<Interface> parent() const { return parent_.lock(); }
  bool read_only() const { return read_only_; }

 private:
  const Claim claim_;
  const bool read_only_;
  const std::weak_ptr<Interface> parent_;
  std::shared_ptr<Camera> camera_;
  std::shared_ptr<DataStream> stream_;
};

class System;

class Interface : public Port, public std::enable_shared_from_this<Interface> {
 public:
  explicit Interface(std::shared_ptr<System> parent);

  bool update();
  const std::vector<std::string>& serials() const { return serials_; }
  static std::string device_id(const std::string& serial) { return "dfme-" + serial; }
  // Throws Failure(INVALID_ID) unless the camera is plugged in.
  std::string serial_of(const std::string& device_id) const;
  void device_info(const std::string& serial, DEVICE_INFO_CMD command, InfoReply& reply) const;
  std::shared_ptr<Device> open(const std::string& device_id, DEVICE_ACCESS_FLAGS access);
  void close(const std::shared_ptr<Device>& device);
  void close();
  std::shared_ptr<Device> device_with(const std::shared_ptr<DataStream>& stream) const;

  std::shared_ptr<System> parent() const { return parent_.lock(); }

 private:
  std::vector<std::string> plugged_in() const;

  const std::weak_ptr<System> parent_;
  std::vector<std::string> serials_;
  std::map<std::string, std::shared_ptr<Device>> open_;
};

class System : public Port, public std::enable_shared_from_this<System> {
 public:
  System();

  static void info(TL_INFO_CMD command, InfoReply& reply);
  static void interface_info(INTERFACE_INFO_CMD command, InfoReply& reply);
  bool update();
  uint32_t interfaces() const { return updated_ ? 1 : 0; }
  std::shared_ptr<Interface> open(const std::string& interface_id);
  void close_interface();
  void close();
  std::shared_ptr<Device> device_with(const std::shared_ptr<DataStream>& stream) const {
    return interface_ ? interface_->device_with(stream) : nullptr;
  }

 private:
  bool updated_ = false;
  std::shared_ptr<Interface> interface_;
};

}  // namespace simulator
