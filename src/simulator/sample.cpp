#include "simulator/sample.h"

#include <algorithm>
#include <cmath>

#include "simulator/answer_text.h"

namespace hyperion::simulator {
namespace {

constexpr int depth_max = 12;
constexpr size_t size_max_bytes = 64 * 1024;
constexpr uint32_t items_max = 16;
constexpr double length_max = 4096;

struct Format {
  std::string_view name;
  std::string_view sample;
};

constexpr Format formats[] = {
    {"date-time", "2026-01-01T00:00:00Z"},
    {"date", "2026-01-01"},
    {"time", "00:00:00Z"},
    {"email", "simulated@example.com"},
    {"uri", "https://example.com/"},
    {"uuid", "00000000-0000-4000-8000-000000000000"},
    {"hostname", "example.com"},
    {"ipv4", "192.0.2.1"},
    {"ipv6", "2001:db8::1"},
    {"duration", "P1D"},
};

// "#/$defs/x" of the root.
JsonValue resolve(JsonValue root, std::string_view reference) {
  if (!reference.starts_with("#")) return {};
  reference.remove_prefix(1);
  JsonValue found = root;
  while (!reference.empty() && found.present()) {
    reference.remove_prefix(1);
    const size_t end = std::min(reference.find('/'), reference.size());
    found = found[reference.substr(0, end)];
    reference.remove_prefix(end);
  }
  return found;
}

std::string type_of(JsonValue schema) {
  JsonValue type = schema["type"];
  if (type.is_array()) {
    for (JsonValue each : type) {
      if (each.text() != "null" && each.text() != "NULL") {
        type = each;
        break;
      }
    }
  }
  std::string name(type.text());
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
  if (name.empty()) name = schema["items"].present() ? "array" : name;
  if (name.empty()) name = schema["properties"].present() ? "object" : "string";
  return name;
}

void append_string(JsonValue schema, std::string& out) {
  std::string_view sample = "simulated";
  for (const Format& format : formats) {
    if (format.name == schema["format"].text()) sample = format.sample;
  }
  const double least = std::min(schema["minLength"].number(), length_max);
  const JsonValue most = schema["maxLength"];
  if (most.is_number() && most.number() < static_cast<double>(sample.size())) {
    sample = sample.substr(0, static_cast<size_t>(std::max(most.number(), 0.0)));
  }
  out += '"';
  out += sample;
  for (double size = static_cast<double>(sample.size()); size < least; ++size) out += 'x';
  out += '"';
}

void append_number_for(JsonValue schema, std::string& out) {
  double number = 1;
  const JsonValue least = schema["minimum"];
  const JsonValue above = schema["exclusiveMinimum"];
  const JsonValue most = schema["maximum"];
  if (most.is_number()) number = std::min(number, std::floor(most.number()));
  if (least.is_number()) number = std::max(number, std::ceil(least.number()));
  if (above.is_number()) number = std::max(number, std::floor(above.number()) + 1);
  hyperion::simulator::append_number(out, static_cast<int64_t>(std::clamp(number, -1e15, 1e15)));
}

void append_value(JsonValue schema, JsonValue root, int depth, std::string& out);

void append_object(JsonValue schema, JsonValue root, int depth, std::string& out) {
  out += '{';
  bool first = true;
  for (JsonValue property : schema["properties"]) {
    if (out.size() > size_max_bytes) break;
    out += first ? "\"" : ",\"";
    first = false;
    out += property.key();
    out += "\":";
    append_value(property, root, depth + 1, out);
  }
  out += '}';
}

void append_array(JsonValue schema, JsonValue root, int depth, std::string& out) {
  const JsonValue most = schema["maxItems"];
  double count = std::max(1.0, schema["minItems"].number());
  if (most.is_number()) count = std::min(count, most.number());
  if (depth >= depth_max || !schema["items"].is_object()) count = 0;
  out += '[';
  for (uint32_t i = 0; i < std::min<uint32_t>(items_max, static_cast<uint32_t>(count)); ++i) {
    if (i != 0) out += ',';
    append_value(schema["items"], root, depth + 1, out);
  }
  out += ']';
}

void append_value(JsonValue schema, JsonValue root, int depth, std::string& out) {
  for (int step = 0; step < depth_max && schema["$ref"].is_string(); ++step) {
    schema = resolve(root, schema["$ref"].text());
  }
  if (schema["const"].present()) {
    out += schema["const"].raw();
    return;
  }
  if (schema["enum"].size() != 0) {
    out += schema["enum"].at(0).raw();
    return;
  }
  for (std::string_view choice : {"anyOf", "oneOf", "allOf"}) {
    if (schema[choice].size() == 0 || schema["properties"].present() || depth >= depth_max) {
      continue;
    }
    append_value(schema[choice].at(0), root, depth + 1, out);
    return;
  }
  const std::string type = type_of(schema);
  if (type == "object") {
    if (depth >= depth_max) {
      out += "{}";
    } else {
      append_object(schema, root, depth, out);
    }
  } else if (type == "array") {
    append_array(schema, root, depth, out);
  } else if (type == "integer" || type == "number") {
    append_number_for(schema, out);
  } else if (type == "boolean") {
    out += "true";
  } else if (type == "null") {
    out += "null";
  } else {
    append_string(schema, out);
  }
}

}  // namespace

void append_sample(JsonValue schema, JsonValue root, std::string& out) {
  append_value(schema, root, 0, out);
}

void append_arguments(JsonValue schema, std::string& out) {
  if (schema["$ref"].is_string()) schema = resolve(schema, schema["$ref"].text());
  append_object(schema, schema, 0, out);
}

}  // namespace hyperion::simulator
