// The system module: the producer as a whole.
#include <dlfcn.h>

#include "modules.h"

namespace simulator {
namespace {

std::string library_path() {
  Dl_info where{};
  if (::dladdr(reinterpret_cast<const void*>(&library_path), &where) == 0 || where.dli_fname == nullptr) return {};
  return where.dli_fname;
}

}  // namespace

System::System() : Port(kSystemId, "TLSystem", "TLPort", "dfme_simulator_system.xml") {
  RegisterMap& map = registers();
  map.string("TLID", "SystemInformation").about("Name of the producer.").constant(kSystemId);
  map.string("TLVendorName", "SystemInformation").about("Who made the producer.").constant(kVendor);
  map.string("TLModelName", "SystemInformation").about("Model of the producer.").constant("dfme simulator");
  map.string("TLVersion", "SystemInformation").about("Version of the producer.").constant(kVersion);
  map.string("TLType", "SystemInformation").about("Transport layer of the producer.").constant(kTransport);
  publish("System");
}

void System::info(TL_INFO_CMD command, InfoReply& reply) {
  const std::string path = library_path();
  switch (command) {
    case TL_INFO_ID: return reply.string(kSystemId);
    case TL_INFO_VENDOR: return reply.string(kVendor);
    case TL_INFO_MODEL: return reply.string("dfme simulator");
    case TL_INFO_VERSION: return reply.string(kVersion);
    case TL_INFO_TLTYPE: return reply.string(kTransport);
    case TL_INFO_NAME: return reply.string(path.substr(path.rfind('/') + 1));
    case TL_INFO_PATHNAME: return reply.string(path);
    case TL_INFO_DISPLAYNAME: return reply.string("dfme simulated cameras");
    case TL_INFO_CHAR_ENCODING: return reply.int32(TL_CHAR_ENCODING_ASCII);
    case TL_INFO_GENTL_VER_MAJOR: return reply.uint32(1);
    case TL_INFO_GENTL_VER_MINOR: return reply.uint32(6);
    default: unknown_info("system", command);
  }
}

void System::interface_info(INTERFACE_INFO_CMD command, InfoReply& reply) {
  switch (command) {
    case INTERFACE_INFO_ID: return reply.string(kInterfaceId);
    case INTERFACE_INFO_DISPLAYNAME: return reply.string("dfme simulated cameras");
    case INTERFACE_INFO_TLTYPE: return reply.string(kTransport);
    default: unknown_info("interface", command);
  }
}

bool System::update() {
  const bool changed = !updated_;
  updated_ = true;
  return changed;
}

std::shared_ptr<Interface> System::open(const std::string& interface_id) {
  if (interface_id != kInterfaceId) throw Failure(GC_ERR_INVALID_ID, "there is no interface " + interface_id);
  if (interface_) throw Failure(GC_ERR_RESOURCE_IN_USE, "the interface is open already");
  interface_ = std::make_shared<Interface>(shared_from_this());
  Registry::instance().add(interface_);
  return interface_;
}

void System::close_interface() {
  if (!interface_) return;
  interface_->close();
  interface_.reset();
}

void System::close() {
  close_interface();
  Registry::instance().remove(*this);
}

}  // namespace simulator
