// The registers behind a port: one table that serves reads, checks writes, and writes the GenApi XML.
#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>

#include "feature.h"

namespace simulator {

class RegisterMap {
 public:
  static constexpr uint64_t kXmlAddress = 0xF0000000;

  // `guard` protects whatever the accessors touch; they run while it is held, commands run without it.
  explicit RegisterMap(std::mutex& guard) : guard_(guard) {}

  Feature& integer(const std::string& name, const std::string& category) { return add(Kind::Integer, name, category); }
  Feature& real(const std::string& name, const std::string& category) { return add(Kind::Float, name, category); }
  Feature& boolean(const std::string& name, const std::string& category) { return add(Kind::Boolean, name, category); }
  Feature& command(const std::string& name, const std::string& category, std::function<void()> execute);
  Feature& string(const std::string& name, const std::string& category, size_t length = 64);
  Feature& enumeration(const std::string& name, const std::string& category,
                       std::vector<std::pair<std::string, int64_t>> entries);
  Feature& chunk(const std::string& name, const std::string& category, Kind kind, uint64_t chunk_id);

  // Called, with the guard held, after every accepted write.
  void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

  // Lays out the addresses and writes the XML; no feature may be added afterwards.
  void publish(const std::string& model, const std::string& port_name);

  const std::string& xml() const { return xml_; }
  const std::deque<Feature>& features() const { return features_; }

  // Both throw Failure with the error code that the standard names for the port functions.
  void read(uint64_t address, void* buffer, size_t bytes) const;
  void write(uint64_t address, const void* buffer, size_t bytes);

 private:
  Feature& add(Kind kind, const std::string& name, const std::string& category);
  const Feature& at(uint64_t address, size_t bytes) const;
  const Feature* named(const std::string& name) const;
  std::string image_of(const Feature& feature) const;
  void check_range(const Feature& feature, double value) const;
  void store(const Feature& feature, const std::string& image) const;

  std::mutex& guard_;
  std::mutex access_;  // a device answers one request at a time
  std::deque<Feature> features_;
  std::map<uint64_t, const Feature*> by_address_;
  std::map<std::string, const Feature*> by_name_;
  std::function<void()> changed_;
  std::string xml_;
};

// GenApi XML for the features, in the order in which they were added (defined in xml_writer.cpp).
std::string write_xml(const std::deque<Feature>& features, const std::string& model, const std::string& port_name);

}  // namespace simulator
