// GenApi 1.1 XML: every feature as a typed node over a register of its own.
#include <cstdio>
#include <sstream>

#include "register_map.h"

namespace simulator {
namespace {

std::string escaped(const std::string& text) {
  std::string safe;
  for (const char character : text) {
    switch (character) {
      case '&': safe += "&amp;"; break;
      case '<': safe += "&lt;"; break;
      case '>': safe += "&gt;"; break;
      case '"': safe += "&quot;"; break;
      default: safe += character;
    }
  }
  return safe;
}

std::string number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string hexadecimal(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%llX", static_cast<unsigned long long>(value));
  return text;
}

class Writer {
 public:
  std::string document(const std::deque<Feature>& features, const std::string& model, const std::string& port_name) {
    out_ << "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n"
            "<RegisterDescription xmlns=\"http://www.genicam.org/GenApi/Version_1_1\""
            " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""
            " xsi:schemaLocation=\"http://www.genicam.org/GenApi/Version_1_1"
            " http://www.genicam.org/GenApi/GenApiSchema_Version_1_1.xsd\""
            " ModelName=\"" << escaped(model) << "\" VendorName=\"dfme\" ToolTip=\"" << escaped(model) << "\""
            " StandardNameSpace=\"None\" SchemaMajorVersion=\"1\" SchemaMinorVersion=\"1\" SchemaSubMinorVersion=\"0\""
            " MajorVersion=\"1\" MinorVersion=\"0\" SubMinorVersion=\"0\""
            " ProductGuid=\"6f0c7a52-5f0e-4a53-9d0b-7f6a0a5f1c01\""
            " VersionGuid=\"0b8f5f0d-9f1c-4f58-8b1e-2a3c4d5e6f01\">\n";
    categories(features);
    for (const Feature& feature : features) node(feature, port_name);
    for (const Feature& feature : features) {
      if (feature.chunk_id == 0) continue;
      out_ << "<Port Name=\"" << feature.name << "_Port\" NameSpace=\"Custom\"><Visibility>Invisible</Visibility>"
           << "<ChunkID>" << hexadecimal(feature.chunk_id) << "</ChunkID></Port>\n";
    }
    out_ << "<Port Name=\"" << port_name << "\" NameSpace=\"Standard\"></Port>\n</RegisterDescription>\n";
    return out_.str();
  }

 private:
  void categories(const std::deque<Feature>& features) {
    std::vector<std::string> names;
    for (const Feature& feature : features) {
      bool known = feature.category.empty();
      for (const std::string& name : names) known = known || name == feature.category;
      if (!known) names.push_back(feature.category);
    }
    out_ << "<Category Name=\"Root\" NameSpace=\"Standard\">";
    for (const std::string& name : names) out_ << "<pFeature>" << name << "</pFeature>";
    out_ << "</Category>\n";
    for (const std::string& name : names) {
      out_ << "<Category Name=\"" << name << "\" NameSpace=\""
           << (name == "Simulation" ? "Custom" : "Standard") << "\">";
      for (const Feature& feature : features) {
        if (feature.category == name) out_ << "<pFeature>" << feature.name << "</pFeature>";
      }
      out_ << "</Category>\n";
    }
  }

  void element(const char* tag, const std::string& text) {
    if (!text.empty()) out_ << "<" << tag << ">" << escaped(text) << "</" << tag << ">";
  }

  void head(const char* tag, const Feature& feature) {
    out_ << "<" << tag << " Name=\"" << feature.name << "\" NameSpace=\""
         << (feature.standard ? "Standard" : "Custom") << "\">";
    element("ToolTip", feature.description);
    element("Description", feature.description);
    element("Visibility", feature.visibility);
    element("pIsAvailable", feature.available_by);
    element("pIsLocked", feature.locked_by);
  }

  // Never cached: size, limits and counters change with other features, with a user set and with every frame.
  void register_body(const Feature& feature, const std::string& port) {
    const bool chunk = feature.chunk_id != 0;
    element("Address", chunk ? "0" : "0x" + hexadecimal(feature.address));
    element("Length", std::to_string(feature.length));
    element("AccessMode", chunk || !feature.writable() ? "RO" : feature.readable() ? "RW" : "WO");
    element("pPort", port);
    element("Cachable", "NoCache");
  }

  void value_register(const Feature& feature, const char* tag, const std::string& port) {
    out_ << "<" << tag << " Name=\"" << feature.name << "_Register\" NameSpace=\"Custom\">";
    element("Visibility", "Invisible");
    register_body(feature, port);
    if (std::string(tag) == "IntReg") element("Sign", "Signed");
    element("Endianess", "LittleEndian");
    out_ << "</" << tag << ">\n";
  }

  void limits(const Feature& feature, bool integral) {
    const auto text = [integral](double value) {
      return integral ? std::to_string(static_cast<int64_t>(value)) : number(value);
    };
    if (feature.limited) element("Min", text(feature.minimum));
    if (!feature.maximum_of.empty()) element("pMax", feature.maximum_of);
    else if (feature.limited) element("Max", text(feature.maximum));
    element("Unit", feature.unit);
  }

  void numeric(const Feature& feature, const std::string& port, bool integral) {
    head(integral ? "Integer" : "Float", feature);
    element("pValue", feature.name + "_Register");
    limits(feature, integral);
    out_ << (integral ? "</Integer>\n" : "</Float>\n");
    value_register(feature, integral ? "IntReg" : "FloatReg", port);
  }

  void node(const Feature& feature, const std::string& port) {
    switch (feature.kind) {
      case Kind::Integer: numeric(feature, port, true); break;
      case Kind::Float: numeric(feature, port, false); break;
      case Kind::ChunkInteger: numeric(feature, feature.name + "_Port", true); break;
      case Kind::ChunkFloat: numeric(feature, feature.name + "_Port", false); break;
      case Kind::Boolean:
        head("Boolean", feature);
        element("pValue", feature.name + "_Register");
        out_ << "<OnValue>1</OnValue><OffValue>0</OffValue></Boolean>\n";
        value_register(feature, "IntReg", port);
        break;
      case Kind::Enumeration:
        head("Enumeration", feature);
        for (const auto& [name, value] : feature.entries) {
          out_ << "<EnumEntry Name=\"" << name << "\" NameSpace=\"" << (feature.standard ? "Standard" : "Custom")
               << "\"><Value>" << value << "</Value></EnumEntry>";
        }
        element("pValue", feature.name + "_Register");
        for (const std::string& name : feature.selected) element("pSelected", name);
        out_ << "</Enumeration>\n";
        value_register(feature, "IntReg", port);
        break;
      case Kind::Command:
        head("Command", feature);
        element("pValue", feature.name + "_Register");
        out_ << "<CommandValue>1</CommandValue></Command>\n";
        value_register(feature, "IntReg", port);
        break;
      case Kind::String:
        head("StringReg", feature);
        register_body(feature, port);
        out_ << "</StringReg>\n";
        break;
    }
  }

  std::ostringstream out_;
};

}  // namespace

std::string write_xml(const std::deque<Feature>& features, const std::string& model, const std::string& port_name) {
  return Writer().document(features, model, port_name);
}

}  // namespace simulator
