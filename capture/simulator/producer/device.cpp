// The local device module: one camera, its claim, and its one data stream.
#include "modules.h"

namespace simulator {

Device::Device(const std::string& serial, Claim claim, DEVICE_ACCESS_FLAGS access, std::shared_ptr<Interface> parent)
    : Port(Interface::device_id(serial), "TLDevice", "DevicePort", "dfme_simulator_device.xml"),
      claim_(std::move(claim)),
      read_only_(access == DEVICE_ACCESS_READONLY),
      parent_(std::move(parent)) {
  camera_ = std::make_shared<Camera>(serial, !read_only_);
  Registry::instance().add(camera_);
  RegisterMap& map = registers();
  map.string("DeviceID", "DeviceInformation").about("Identifier of the camera.").constant(id());
  map.string("DeviceVendorName", "DeviceInformation").about("Who made the camera.").constant(kVendor);
  map.string("DeviceModelName", "DeviceInformation").about("Model of the camera.").constant(kModel);
  map.string("DeviceSerialNumber", "DeviceInformation").about("Serial number of the camera.").constant(serial);
  map.string("DeviceType", "DeviceInformation").about("Transport layer of the camera.").constant(kTransport);
  publish("Device");
}

void Device::info(DEVICE_INFO_CMD command, InfoReply& reply) const {
  const auto interface = parent();
  if (!interface) throw Failure(GC_ERR_INVALID_HANDLE, "the interface is closed");
  interface->device_info(camera_->serial(), command, reply);
}

void Device::require_connected() const {
  if (camera_->lost()) throw Failure(GC_ERR_IO, "camera " + camera_->serial() + " is disconnected: close it");
}

std::shared_ptr<DataStream> Device::open_stream(const std::string& wanted) {
  require_connected();
  if (wanted != stream_id()) throw Failure(GC_ERR_INVALID_ID, "there is no data stream " + wanted);
  if (stream_) throw Failure(GC_ERR_RESOURCE_IN_USE, "the data stream is open already");
  const std::weak_ptr<Camera> camera = camera_;
  stream_ = std::make_shared<DataStream>(wanted, [camera]() -> size_t {
    const auto source = camera.lock();
    return source ? source->payload_bytes() : 0;
  });
  Registry::instance().add(stream_);
  camera_->attach(stream_);
  return stream_;
}

void Device::close_stream() {
  if (!stream_) return;
  camera_->attach(nullptr);
  Registry::instance().remove(*stream_);
  stream_->close();
  stream_.reset();
}

void Device::close() {
  camera_->power_off();
  close_stream();
  Registry::instance().remove(*camera_);
  Registry::instance().remove(*this);
}

}  // namespace simulator
