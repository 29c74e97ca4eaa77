// Register access: address to feature, checks in the order address, access, lock, value.
#include "register_map.h"

#include <cmath>
#include <cstring>

#include "failure.h"

namespace simulator {
namespace {

constexpr uint64_t kFirstAddress = 0x1000;

template <class T>
std::string bytes_of(T value) {
  std::string image(sizeof value, '\0');
  std::memcpy(image.data(), &value, sizeof value);
  return image;
}

template <class T>
T value_of(const std::string& image) {
  T value{};
  std::memcpy(&value, image.data(), sizeof value);
  return value;
}

}  // namespace

Feature& RegisterMap::add(Kind kind, const std::string& name, const std::string& category) {
  Feature feature{};
  feature.kind = kind;
  feature.name = name;
  feature.category = category;
  features_.push_back(std::move(feature));
  return features_.back();
}

Feature& RegisterMap::command(const std::string& name, const std::string& category, std::function<void()> execute) {
  Feature& feature = add(Kind::Command, name, category);
  feature.execute = std::move(execute);
  return feature;
}

Feature& RegisterMap::string(const std::string& name, const std::string& category, size_t length) {
  Feature& feature = add(Kind::String, name, category);
  feature.length = length;
  return feature;
}

Feature& RegisterMap::enumeration(const std::string& name, const std::string& category,
                                  std::vector<std::pair<std::string, int64_t>> entries) {
  Feature& feature = add(Kind::Enumeration, name, category);
  feature.entries = std::move(entries);
  return feature;
}

Feature& RegisterMap::chunk(const std::string& name, const std::string& category, Kind kind, uint64_t chunk_id) {
  Feature& feature = add(kind, name, category);
  feature.chunk_id = chunk_id;
  return feature;
}

void RegisterMap::publish(const std::string& model, const std::string& port_name) {
  uint64_t next = kFirstAddress;
  for (Feature& feature : features_) {
    if (feature.chunk_id != 0) continue;
    feature.address = next;
    next += feature.length;
    by_address_.emplace(feature.address, &feature);
    by_name_.emplace(feature.name, &feature);
  }
  xml_ = write_xml(features_, model, port_name);
}

const Feature* RegisterMap::named(const std::string& name) const {
  const auto entry = by_name_.find(name);
  return entry == by_name_.end() ? nullptr : entry->second;
}

const Feature& RegisterMap::at(uint64_t address, size_t bytes) const {
  auto entry = by_address_.upper_bound(address);
  if (entry != by_address_.begin()) {
    const Feature& feature = *(--entry)->second;
    const uint64_t offset = address - feature.address;
    if (offset < feature.length && bytes > 0 && bytes <= feature.length - offset) return feature;
  }
  throw Failure(GC_ERR_INVALID_ADDRESS,
                "no register holds the " + std::to_string(bytes) + " bytes at address " + std::to_string(address));
}

std::string RegisterMap::image_of(const Feature& feature) const {
  if (feature.get_string) {
    std::string text = feature.get_string();
    text.resize(feature.length, '\0');
    return text;
  }
  if (feature.get_float) return bytes_of(feature.get_float());
  return bytes_of(feature.get_integer());
}

void RegisterMap::read(uint64_t address, void* buffer, size_t bytes) const {
  if (address >= kXmlAddress && address - kXmlAddress < xml_.size()) {
    const size_t offset = address - kXmlAddress;
    if (bytes == 0 || bytes > xml_.size() - offset) {
      throw Failure(GC_ERR_INVALID_ADDRESS, "the read goes beyond the end of the XML");
    }
    std::memcpy(buffer, xml_.data() + offset, bytes);
    return;
  }
  const Feature& feature = at(address, bytes);
  if (!feature.readable()) throw Failure(GC_ERR_ACCESS_DENIED, feature.name + " cannot be read");
  const std::lock_guard lock(guard_);
  const std::string image = image_of(feature);
  std::memcpy(buffer, image.data() + (address - feature.address), bytes);
}

void RegisterMap::check_range(const Feature& feature, double value) const {
  double maximum = feature.maximum;
  if (const Feature* limit = named(feature.maximum_of)) {
    maximum = limit->get_float ? limit->get_float() : static_cast<double>(limit->get_integer());
  } else if (!feature.limited) {
    return;
  }
  if (!(value >= feature.minimum && value <= maximum)) {
    throw Failure(GC_ERR_INVALID_VALUE, feature.name + " takes " + std::to_string(feature.minimum) + " to " +
                                            std::to_string(maximum) + ", not " + std::to_string(value));
  }
}

void RegisterMap::store(const Feature& feature, const std::string& image) const {
  if (feature.set_string) {
    const std::string text = image.substr(0, image.find('\0'));
    if (text.size() == feature.length) throw Failure(GC_ERR_INVALID_VALUE, feature.name + " has no room for the text");
    feature.set_string(text);
    return;
  }
  if (feature.set_float) {
    const auto value = value_of<double>(image);
    if (!std::isfinite(value)) throw Failure(GC_ERR_INVALID_VALUE, feature.name + " takes finite numbers only");
    check_range(feature, value);
    feature.set_float(value);
    return;
  }
  const auto value = value_of<int64_t>(image);
  if (feature.kind == Kind::Enumeration) {
    bool known = false;
    for (const auto& entry : feature.entries) known = known || entry.second == value;
    if (!known) throw Failure(GC_ERR_INVALID_VALUE, feature.name + " has no entry " + std::to_string(value));
  } else if (feature.kind == Kind::Boolean || feature.kind == Kind::Command) {
    if (value != 0 && value != 1) throw Failure(GC_ERR_INVALID_VALUE, feature.name + " takes 0 or 1");
  } else {
    check_range(feature, static_cast<double>(value));
  }
  if (feature.set_integer) feature.set_integer(value);
}

void RegisterMap::write(uint64_t address, const void* buffer, size_t bytes) {
  if (address >= kXmlAddress && address - kXmlAddress < xml_.size()) {
    throw Failure(GC_ERR_ACCESS_DENIED, "the XML cannot be written");
  }
  const Feature& feature = at(address, bytes);
  if (!feature.writable()) throw Failure(GC_ERR_ACCESS_DENIED, feature.name + " cannot be written");
  const std::lock_guard request(access_);
  {
    const std::lock_guard lock(guard_);
    const Feature* lock_feature = named(feature.locked_by);
    if (lock_feature != nullptr && lock_feature->get_integer() != 0) {
      throw Failure(GC_ERR_ACCESS_DENIED, feature.name + " is locked (" + feature.locked_by + ")");
    }
    std::string image = feature.readable() ? image_of(feature) : std::string(feature.length, '\0');
    std::memcpy(image.data() + (address - feature.address), buffer, bytes);
    store(feature, image);
    if (changed_) changed_();
    if (!feature.execute || value_of<int64_t>(image) == 0) return;
  }
  feature.execute();
}

}  // namespace simulator
