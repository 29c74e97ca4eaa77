// The SFNC features of the camera.
#include <algorithm>
#include <cmath>

#include "camera.h"

namespace simulator {
namespace {

constexpr const char* kFormatLocked = "FormatLocked";

}  // namespace

void Camera::add_device_features() {
  RegisterMap& map = registers();
  const std::string control = "DeviceControl";
  map.string("DeviceVendorName", control).about("Who made the camera.").constant(kVendor);
  map.string("DeviceModelName", control).about("Model of the camera.").constant(kModel);
  map.string("DeviceManufacturerInfo", control).about("What the maker says about it.")
      .constant("Simulated: pictures come from memory");
  map.string("DeviceVersion", control).about("Version of the camera.").constant(kVersion);
  map.string("DeviceFirmwareVersion", control).about("Version of its firmware.").constant(kVersion);
  map.string("DeviceSerialNumber", control).about("Serial number, unique per camera.").constant(serial_);
  map.string("DeviceID", control).about("Identifier of the camera.").expert().constant(id());
  map.string("DeviceUserID", control).about("Name given by the user; lost when the camera is closed.").keeps(&user_id_);
  map.enumeration("DeviceScanType", control, {{"Areascan", 0}}).about("Kind of sensor.").expert().reads([] { return 0; });
  map.enumeration("DeviceTemperatureSelector", control, {{"Sensor", 0}}).about("Where the temperature is measured.")
      .expert().reads([] { return 0; }).writes([](int64_t) {}).selects({"DeviceTemperature"});
  map.real("DeviceTemperature", control).about("Temperature at the selected place.").in("C").expert().reads_float([] {
    return 41.0 + 1.5 * std::sin(static_cast<double>(monotonic_ns() % 600'000'000'000) * 1e-9 / 600 * 6.283185307179586);
  });
  map.enumeration("DeviceLinkThroughputLimitMode", control, {{"Off", 0}, {"On", 1}})
      .about("Whether DeviceLinkThroughputLimit bounds the frame rate.").keeps(&settings_.limit_mode);
  map.integer("DeviceLinkThroughputLimit", control).about("Most bytes per second that the camera sends.").in("B/s")
      .range(100'000, 20'000'000'000).keeps(&settings_.limit_bytes_per_s);
}

void Camera::add_format_features() {
  RegisterMap& map = registers();
  const std::string format = "ImageFormatControl";
  const auto sensor = [] { return kSensorPixels; };
  map.integer("SensorWidth", format).about("Pixels across the sensor.").in("px").expert().reads(sensor);
  map.integer("SensorHeight", format).about("Lines of the sensor.").in("px").expert().reads(sensor);
  map.integer("WidthMax", format).about("Widest image.").in("px").expert().reads(sensor);
  map.integer("HeightMax", format).about("Highest image.").in("px").expert().reads(sensor);
  map.integer("Width", format).about("Pixels across the image.").in("px").range(1, kSensorPixels).at_most("WidthRoom")
      .locked(kFormatLocked).keeps(&settings_.width);
  map.integer("Height", format).about("Lines of the image.").in("px").range(1, kSensorPixels).at_most("HeightRoom")
      .locked(kFormatLocked).keeps(&settings_.height);
  map.integer("OffsetX", format).about("First column of the image on the sensor.").in("px").range(0, kSensorPixels)
      .at_most("OffsetXRoom").locked(kFormatLocked).keeps(&settings_.offset_x);
  map.integer("OffsetY", format).about("First line of the image on the sensor.").in("px").range(0, kSensorPixels)
      .at_most("OffsetYRoom").locked(kFormatLocked).keeps(&settings_.offset_y);
  map.enumeration("PixelFormat", format, {{"Mono8", static_cast<int64_t>(PIXELFORMAT_MONO8)}}).about("Format of a pixel.")
      .locked(kFormatLocked).reads([] { return static_cast<int64_t>(PIXELFORMAT_MONO8); }).writes([](int64_t) {});
  map.integer("WidthRoom", "").hidden().reads([this] { return kSensorPixels - settings_.offset_x; });
  map.integer("HeightRoom", "").hidden().reads([this] { return kSensorPixels - settings_.offset_y; });
  map.integer("OffsetXRoom", "").hidden().reads([this] { return kSensorPixels - settings_.width; });
  map.integer("OffsetYRoom", "").hidden().reads([this] { return kSensorPixels - settings_.height; });

  map.integer("PayloadSize", "TransportLayerControl").about("Bytes of a frame, chunks included.").in("B")
      .reads([this] { return settings_.payload_bytes(); });
  map.integer("TLParamsLocked", "TransportLayerControl").about("Set by the consumer while it acquires.").range(0, 1)
      .keeps(&tl_params_locked_).visibility = "Invisible";
  map.integer(kFormatLocked, "").hidden().reads([this] { return tl_params_locked_ != 0 || acquiring_ ? 1 : 0; });

  map.enumeration("UserSetSelector", "UserSetControl", {{"Default", 0}}).about("The set that UserSetLoad loads.")
      .selects({"UserSetLoad"}).keeps(&settings_.user_set);
  map.command("UserSetLoad", "UserSetControl", [this] { load_user_set(); })
      .about("Sets every feature, faults included, to its default.").locked(kFormatLocked);
}

void Camera::add_acquisition_features() {
  RegisterMap& map = registers();
  const std::string control = "AcquisitionControl";
  map.enumeration("AcquisitionMode", control, {{"Continuous", kContinuous}, {"SingleFrame", kSingleFrame},
                                               {"MultiFrame", kMultiFrame}})
      .about("How many frames an acquisition has.").locked(kFormatLocked).keeps(&settings_.mode);
  map.integer("AcquisitionFrameCount", control).about("Frames of a MultiFrame acquisition.").range(1, 1'000'000'000)
      .locked(kFormatLocked).keeps(&settings_.frame_count);
  map.command("AcquisitionStart", control, [this] { start(); }).about("Starts exposing.");
  map.command("AcquisitionStop", control, [this] { stop(); }).about("Stops exposing.");
  map.boolean("AcquisitionFrameRateEnable", control)
      .about("Whether AcquisitionFrameRate counts; without it the camera runs as fast as exposure and link permit.")
      .keeps(&settings_.rate_enabled);
  Feature& rate = map.real("AcquisitionFrameRate", control).about("Frames per second asked for.").in("Hz")
      .range(1, kMaximumRate).at_most("AcquisitionFrameRateMax").locked("AcquisitionFrameRateFree").keeps(&settings_.rate_fps);
  rate.get_float = [this] { return std::min(settings_.rate_fps, settings_.fastest_fps()); };
  map.real("ResultingFrameRate", control).about("Frames per second that follow from all settings.").in("Hz")
      .reads_float([this] { return settings_.resulting_fps(); });
  map.real("AcquisitionFrameRateMax", "").hidden().reads_float([this] { return settings_.fastest_fps(); });
  map.integer("AcquisitionFrameRateFree", "").hidden().reads([this] { return settings_.rate_enabled ? 0 : 1; });

  map.real("ExposureTime", control).about("How long a frame is exposed; bounds the frame rate.").in("us")
      .range(10, 1e6).locked("ExposureTimeAutomatic").keeps(&settings_.exposure_us);
  map.enumeration("ExposureAuto", control, {{"Off", 0}, {"Continuous", 2}})
      .about("Continuous: ExposureTime is the camera's to choose (it keeps it as it was).").keeps(&settings_.exposure_auto);
  map.integer("ExposureTimeAutomatic", "").hidden().reads([this] { return settings_.exposure_auto; });

  map.enumeration("TriggerSelector", control, {{"FrameStart", 0}}).about("What the trigger starts.")
      .selects({"TriggerMode", "TriggerSource", "TriggerActivation", "TriggerSoftware"}).keeps(&settings_.trigger_selector);
  map.enumeration("TriggerMode", control, {{"Off", 0}, {"On", 1}}).about("On: one frame per trigger.")
      .keeps(&settings_.trigger_mode);
  map.enumeration("TriggerSource", control, {{"Software", kSoftware}, {"Line0", kLine0}})
      .about("Where triggers come from; nothing is wired to Line0.").keeps(&settings_.trigger_source);
  map.enumeration("TriggerActivation", control, {{"RisingEdge", 0}, {"FallingEdge", 1}}).about("Edge of the line.")
      .keeps(&settings_.trigger_activation);
  map.command("TriggerSoftware", control, [this] {
    {
      const Lock lock(guard());
      const bool armed = acquiring_ && settings_.trigger_mode != 0 && settings_.trigger_source == kSoftware;
      if (armed && !trigger_at_) trigger_at_ = monotonic_ns();
    }
    wake_.notify_all();
  }).about("One trigger; one more than the camera can follow is kept, further ones are lost.");

  const std::string analog = "AnalogControl";
  map.real("Gain", analog).about("Gain; the pictures do not change with it.").in("dB").range(0, 24)
      .locked("GainAutomatic").keeps(&settings_.gain_db);
  map.enumeration("GainAuto", analog, {{"Off", 0}, {"Continuous", 2}}).about("Continuous: Gain is the camera's to choose.")
      .keeps(&settings_.gain_auto);
  map.integer("GainAutomatic", "").hidden().reads([this] { return settings_.gain_auto; });
}

void Camera::add_clock_features() {
  RegisterMap& map = registers();
  const std::string control = "DeviceControl";
  const auto now = [this] { return clock_.at(monotonic_ns()); };
  map.command("TimestampLatch", control, [this, now] {
    const Lock lock(guard());
    latched_ns_ = now();
  }).about("Keeps the device time of this moment in TimestampLatchValue.").expert();
  map.integer("TimestampLatchValue", control).about("Device time at the last TimestampLatch.").in("ns").expert()
      .reads([this] { return latched_ns_; });
  map.command("TimestampReset", control, [this] {
    const Lock lock(guard());
    clock_.set(0, monotonic_ns());
  }).about("Sets the device time to zero.").expert();

  add_ptp_features("Ptp", "PtpEnable", "PtpNewNames");
  add_ptp_features("GevIEEE1588", "GevIEEE1588", "PtpOldNames");
  map.integer("PtpNewNames", "").hidden().reads([this] { return settings_.ptp_old_names ? 0 : 1; });
  map.integer("PtpOldNames", "").hidden().reads([this] { return settings_.ptp_old_names ? 1 : 0; });
}

void Camera::add_ptp_features(const std::string& prefix, const std::string& enable, const std::string& available) {
  RegisterMap& map = registers();
  const std::string category = "PtpControl";
  map.boolean(enable, category)
      .about("Follows the simulated PTP master, which is the host's CLOCK_MONOTONIC; clock drift stops.").expert()
      .while_not_zero(available).keeps(&settings_.ptp).set_integer = [this](int64_t on) {
    settings_.ptp = on != 0;
    const int64_t host_ns = monotonic_ns();
    if (follows_master()) clock_.set(host_ns, host_ns);
  };
  map.command(prefix + "DataSetLatch", category, [this] {
    const Lock lock(guard());
    const int64_t host_ns = monotonic_ns();
    ptp_status_ = !settings_.ptp ? kPtpDisabled : ptp_astray_ ? kPtpListening : kPtpSlave;
    ptp_servo_ = follows_master() ? 1 : 0;
    ptp_offset_ns_ = settings_.ptp ? clock_.at(host_ns) - host_ns : 0;
  }).about("Keeps status and offset of this moment.").expert().while_not_zero(available);
  map.enumeration(prefix + "Status", category,
                  {{"Disabled", kPtpDisabled}, {"Slave", kPtpSlave}, {"Listening", kPtpListening}})
      .about("State at the last data set latch.").expert().while_not_zero(available).reads([this] { return ptp_status_; });
  map.enumeration(prefix + "ServoStatus", category, {{"Unknown", 0}, {"Locked", 1}})
      .about("Whether the clock followed its master at the last data set latch.").expert().while_not_zero(available)
      .reads([this] { return ptp_servo_; });
  map.integer(prefix + "OffsetFromMaster", category).about("Device time less master time at the last data set latch.")
      .in("ns").expert().while_not_zero(available).reads([this] { return ptp_offset_ns_; });
}

void Camera::add_chunk_features() {
  RegisterMap& map = registers();
  const std::string control = "ChunkDataControl";
  map.boolean("ChunkModeActive", control).about("Whether chunks follow the image.").locked(kFormatLocked)
      .keeps(&settings_.chunks);
  map.enumeration("ChunkSelector", control, {{"Timestamp", kChunkTimestamp}, {"FrameID", kChunkFrameId},
                                             {"ExposureTime", kChunkExposureTime}})
      .about("The chunk that ChunkEnable is about.").selects({"ChunkEnable"}).keeps(&settings_.chunk_selector);
  Feature& enable = map.boolean("ChunkEnable", control).about("Whether the selected chunk is sent.").locked(kFormatLocked);
  enable.reads([this] { return settings_.chunk_enabled[settings_.chunk_selector] ? 1 : 0; });
  enable.writes([this](int64_t on) { settings_.chunk_enabled[settings_.chunk_selector] = on != 0; });
  map.chunk("ChunkTimestamp", control, Kind::ChunkInteger, kFirstChunkId + kChunkTimestamp)
      .about("Device time of the exposure's start.").in("ns");
  map.chunk("ChunkFrameID", control, Kind::ChunkInteger, kFirstChunkId + kChunkFrameId).about("Id of the frame.");
  map.chunk("ChunkExposureTime", control, Kind::ChunkFloat, kFirstChunkId + kChunkExposureTime)
      .about("Exposure time of the frame.").in("us");
}

}  // namespace simulator
