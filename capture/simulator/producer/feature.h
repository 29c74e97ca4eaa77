// One feature of a node map: its name and type for the XML, its register and accessors for the port.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace simulator {

enum class Kind { Integer, Float, Boolean, Enumeration, Command, String, ChunkInteger, ChunkFloat };

struct Feature {
  Kind kind;
  std::string name;
  std::string category;  // empty: a helper register that no category lists
  std::string description;
  std::string unit;
  const char* visibility = "Beginner";
  bool standard = true;  // named by the SFNC

  std::function<int64_t()> get_integer;
  std::function<void(int64_t)> set_integer;
  std::function<double()> get_float;
  std::function<void(double)> set_float;
  std::function<std::string()> get_string;
  std::function<void(const std::string&)> set_string;
  std::function<void()> execute;

  bool limited = false;
  double minimum = 0;
  double maximum = 0;
  std::string maximum_of;  // feature that holds the moving upper limit
  std::string available_by;  // integer feature: not there while it is zero
  std::string locked_by;   // integer feature: not writable while it is not zero
  std::vector<std::pair<std::string, int64_t>> entries;
  std::vector<std::string> selected;
  uint64_t chunk_id = 0;

  uint64_t address = 0;
  size_t length = 8;

  bool writable() const { return set_integer || set_float || set_string || execute; }
  bool readable() const { return get_integer || get_float || get_string; }

  // Set-up in the order in which a sentence would say it.
  Feature& about(std::string text) { description = std::move(text); return *this; }
  Feature& in(std::string of_unit) { unit = std::move(of_unit); return *this; }
  Feature& expert() { visibility = "Expert"; return *this; }
  Feature& hidden() { visibility = "Invisible"; standard = false; return *this; }
  Feature& custom() { standard = false; return *this; }
  Feature& range(double from, double to) { limited = true; minimum = from; maximum = to; return *this; }
  Feature& at_most(std::string feature) { maximum_of = std::move(feature); return *this; }
  Feature& locked(std::string feature) { locked_by = std::move(feature); return *this; }
  Feature& while_not_zero(std::string feature) { available_by = std::move(feature); return *this; }
  Feature& selects(std::vector<std::string> names) { selected = std::move(names); return *this; }
  Feature& reads(std::function<int64_t()> get) { get_integer = std::move(get); return *this; }
  Feature& reads_float(std::function<double()> get) { get_float = std::move(get); return *this; }
  Feature& reads_string(std::function<std::string()> get) { get_string = std::move(get); return *this; }
  Feature& writes(std::function<void(int64_t)> set) { set_integer = std::move(set); return *this; }

  Feature& keeps(int64_t* field) {
    get_integer = [field] { return *field; };
    set_integer = [field](int64_t value) { *field = value; };
    return *this;
  }
  Feature& keeps(bool* field) {
    get_integer = [field] { return *field ? 1 : 0; };
    set_integer = [field](int64_t value) { *field = value != 0; };
    return *this;
  }
  Feature& keeps(double* field) {
    get_float = [field] { return *field; };
    set_float = [field](double value) { *field = value; };
    return *this;
  }
  Feature& keeps(std::string* field) {
    get_string = [field] { return *field; };
    set_string = [field](const std::string& value) { *field = value; };
    return *this;
  }
  Feature& constant(const std::string& text) { get_string = [text] { return text; }; return *this; }
};

}  // namespace simulator
