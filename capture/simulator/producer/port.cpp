// Port queries, the same for all five kinds of module.
#include "port.h"

#include <cstdio>

namespace simulator {

Port::Port(std::string id, std::string module, std::string port_name, std::string xml_file)
    : id_(std::move(id)), module_(std::move(module)), port_name_(std::move(port_name)), xml_file_(std::move(xml_file)) {}

void Port::port_info(PORT_INFO_CMD command, InfoReply& reply) const {
  switch (command) {
    case PORT_INFO_ID: return reply.string(id_);
    case PORT_INFO_VENDOR: return reply.string(kVendor);
    case PORT_INFO_MODEL: return reply.string(kModel);
    case PORT_INFO_TLTYPE: return reply.string(kTransport);
    case PORT_INFO_MODULE: return reply.string(module_);
    case PORT_INFO_LITTLE_ENDIAN: return reply.boolean(true);
    case PORT_INFO_BIG_ENDIAN: return reply.boolean(false);
    case PORT_INFO_ACCESS_READ: return reply.boolean(true);
    case PORT_INFO_ACCESS_WRITE: return reply.boolean(true);
    case PORT_INFO_ACCESS_NA: return reply.boolean(false);
    case PORT_INFO_ACCESS_NI: return reply.boolean(false);
    case PORT_INFO_VERSION: return reply.string(kVersion);
    case PORT_INFO_PORTNAME: return reply.string(port_name_);
    default: unknown_info("port", command);
  }
}

std::string Port::url() const {
  char place[48];
  std::snprintf(place, sizeof place, ";%llx;%zx", static_cast<unsigned long long>(RegisterMap::kXmlAddress),
                registers_.xml().size());
  return "local:" + xml_file_ + place;
}

void Port::url_info(URL_INFO_CMD command, InfoReply& reply) const {
  switch (command) {
    case URL_INFO_URL: return reply.string(url());
    case URL_INFO_SCHEMA_VER_MAJOR: return reply.int32(1);
    case URL_INFO_SCHEMA_VER_MINOR: return reply.int32(1);
    case URL_INFO_FILE_VER_MAJOR: return reply.int32(1);
    case URL_INFO_FILE_VER_MINOR: return reply.int32(0);
    case URL_INFO_FILE_VER_SUBMINOR: return reply.int32(0);
    case URL_INFO_FILE_SHA1_HASH: throw Failure(GC_ERR_NOT_AVAILABLE, "the XML comes without a hash");
    case URL_INFO_FILE_REGISTER_ADDRESS: return reply.uint64(RegisterMap::kXmlAddress);
    case URL_INFO_FILE_SIZE: return reply.uint64(registers_.xml().size());
    case URL_INFO_SCHEME: return reply.int32(URL_SCHEME_LOCAL);
    case URL_INFO_FILENAME: return reply.string(xml_file_);
    default: unknown_info("URL", command);
  }
}

void Port::read(uint64_t address, void* buffer, size_t bytes) const {
  require_access(false);
  registers_.read(address, buffer, bytes);
}

void Port::write(uint64_t address, const void* buffer, size_t bytes) {
  require_access(true);
  registers_.write(address, buffer, bytes);
}

}  // namespace simulator
