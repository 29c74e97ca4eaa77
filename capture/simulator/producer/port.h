// What every module shares: an identity, a register space with an XML in it, and the port queries.
#pragma once

#include <mutex>
#include <string>

#include "info_reply.h"
#include "register_map.h"
#include "registry.h"

namespace simulator {

inline constexpr const char* kVendor = "dfme";
inline constexpr const char* kModel = "Simulated camera";
inline constexpr const char* kTransport = "Custom";
inline constexpr const char* kVersion = "1.0.0";

class Port : public Object {
 public:
  // `module` and `port_name` are the words of the standard, e.g. "TLSystem" and "TLPort".
  Port(std::string id, std::string module, std::string port_name, std::string xml_file);

  const std::string& id() const { return id_; }

  void port_info(PORT_INFO_CMD command, InfoReply& reply) const;
  void url_info(URL_INFO_CMD command, InfoReply& reply) const;
  std::string url() const;
  void read(uint64_t address, void* buffer, size_t bytes) const;
  void write(uint64_t address, const void* buffer, size_t bytes);

 protected:
  // Throws Failure when the port cannot answer, or must not be written.
  virtual void require_access(bool /*writing*/) const {}

  RegisterMap& registers() { return registers_; }
  void publish(const std::string& model) { registers_.publish(model, port_name_); }
  std::mutex& guard() const { return guard_; }

 private:
  const std::string id_;
  const std::string module_;
  const std::string port_name_;
  const std::string xml_file_;
  mutable std::mutex guard_;
  RegisterMap registers_{guard_};
};

}  // namespace simulator
