// The one interface: which cameras are plugged in, and which of them are open.
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <sstream>

#include "modules.h"
#include "outages.h"

namespace simulator {
namespace {

constexpr size_t kLongestSerial = 64;  // a claim's name has to fit into a socket address

bool usable(const std::string& serial) {
  const auto plain = [](unsigned char character) {
    return std::isalnum(character) != 0 || character == '-' || character == '_' || character == '.';
  };
  return !serial.empty() && serial.size() <= kLongestSerial && std::all_of(serial.begin(), serial.end(), plain);
}

}  // namespace

Interface::Interface(std::shared_ptr<System> parent)
    : Port(kInterfaceId, "TLInterface", "InterfacePort", "dfme_simulator_interface.xml"), parent_(std::move(parent)) {
  RegisterMap& map = registers();
  map.string("InterfaceID", "InterfaceInformation").about("Name of the interface.").constant(kInterfaceId);
  map.string("InterfaceType", "InterfaceInformation").about("Transport layer of the interface.").constant(kTransport);
  publish("Interface");
}

std::vector<std::string> Interface::plugged_in() const {
  const char* wanted = std::getenv("DFME_SIMULATOR_SERIALS");
  std::istringstream list(wanted != nullptr ? wanted : "SIM0001,SIM0002");
  std::vector<std::string> found;
  for (std::string serial; std::getline(list, serial, ',');) {
    serial.erase(std::remove(serial.begin(), serial.end(), ' '), serial.end());
    const bool repeated = std::find(found.begin(), found.end(), serial) != found.end();
    if (usable(serial) && !repeated && !Outages::instance().away(serial)) found.push_back(serial);
  }
  return found;
}

bool Interface::update() {
  std::vector<std::string> found = plugged_in();
  const bool changed = found != serials_;
  serials_ = std::move(found);
  return changed;
}

std::string Interface::serial_of(const std::string& wanted) const {
  for (const std::string& serial : plugged_in()) {
    if (wanted == device_id(serial) || wanted == serial) return serial;
  }
  throw Failure(GC_ERR_INVALID_ID, "there is no camera " + wanted + " (DFME_SIMULATOR_SERIALS names those there are)");
}

void Interface::device_info(const std::string& serial, DEVICE_INFO_CMD command, InfoReply& reply) const {
  const auto open = open_.find(serial);
  switch (command) {
    case DEVICE_INFO_ID: return reply.string(device_id(serial));
    case DEVICE_INFO_VENDOR: return reply.string(kVendor);
    case DEVICE_INFO_MODEL: return reply.string(kModel);
    case DEVICE_INFO_TLTYPE: return reply.string(kTransport);
    case DEVICE_INFO_DISPLAYNAME: return reply.string(std::string(kModel) + " " + serial);
    case DEVICE_INFO_ACCESS_STATUS:
      if (open != open_.end() && open->second->camera()->lost()) return reply.int32(DEVICE_ACCESS_STATUS_NOACCESS);
      if (open != open_.end()) {
        return reply.int32(open->second->read_only() ? DEVICE_ACCESS_STATUS_OPEN_READONLY
                                                     : DEVICE_ACCESS_STATUS_OPEN_READWRITE);
      }
      return reply.int32(Claim::taken(serial) ? DEVICE_ACCESS_STATUS_BUSY : DEVICE_ACCESS_STATUS_READWRITE);
    case DEVICE_INFO_USER_DEFINED_NAME:
      return reply.string(open != open_.end() ? open->second->camera()->user_name() : serial);
    case DEVICE_INFO_SERIAL_NUMBER: return reply.string(serial);
    case DEVICE_INFO_VERSION: return reply.string(kVersion);
    case DEVICE_INFO_TIMESTAMP_FREQUENCY: return reply.uint64(1'000'000'000);
    default: unknown_info("device", command);
  }
}

std::shared_ptr<Device> Interface::open(const std::string& wanted, DEVICE_ACCESS_FLAGS access) {
  if (access != DEVICE_ACCESS_READONLY && access != DEVICE_ACCESS_CONTROL && access != DEVICE_ACCESS_EXCLUSIVE) {
    throw Failure(GC_ERR_INVALID_PARAMETER, "cameras are opened for reading, for control, or exclusively");
  }
  const std::string serial = serial_of(wanted);
  if (open_.count(serial) != 0) throw Failure(GC_ERR_RESOURCE_IN_USE, "camera " + serial + " is open already");
  std::optional<Claim> claim = Claim::take(serial);
  if (!claim) throw Failure(GC_ERR_RESOURCE_IN_USE, "camera " + serial + " is in use by another process");
  auto device = std::make_shared<Device>(serial, std::move(*claim), access, shared_from_this());
  Registry::instance().add(device);
  open_.emplace(serial, device);
  return device;
}

void Interface::close(const std::shared_ptr<Device>& device) {
  device->close();
  open_.erase(device->camera()->serial());
}

std::shared_ptr<Device> Interface::device_with(const std::shared_ptr<DataStream>& stream) const {
  for (const auto& [serial, device] : open_) {
    if (device->stream() == stream) return device;
  }
  return nullptr;
}

void Interface::close() {
  for (const auto& [serial, device] : open_) device->close();
  open_.clear();
  Registry::instance().remove(*this);
}

}  // namespace simulator
