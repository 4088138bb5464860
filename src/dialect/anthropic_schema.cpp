#include "dialect/anthropic_writer.h"
#include "json/cursor.h"

// Structured output needs "additionalProperties": false on every object (wire formats, 2.5), which
// schemas written for other vendors often leave to `strict`. The schema is walked where schemas may
// stand, so that a property called "type", an example or a constant is left alone.
namespace hyperion::dialect::anthropic {
namespace {

using json::Cursor;

constexpr std::string_view closing = ",\"additionalProperties\":false";
// Deeper schemas stay as they are.
constexpr int depth_max = 32;

enum class Holds : uint8_t { nothing, schema, schemas_by_name, list_of_schemas };

Holds held_by(std::string_view key) {
  if (key == "properties" || key == "$defs" || key == "definitions" || key == "patternProperties")
    return Holds::schemas_by_name;
  if (key == "anyOf" || key == "oneOf" || key == "allOf" || key == "prefixItems")
    return Holds::list_of_schemas;
  if (key == "items" || key == "not" || key == "if" || key == "then" || key == "else")
    return Holds::schema;
  return Holds::nothing;
}

class Closer {
 public:
  Closer(std::string_view text, ByteBuffer& out) : copied_(text.data()), out_(out) {}

  // Text of one schema; everything before the ends of its objects is copied in order.
  bool close(std::string_view schema, int depth) {
    Cursor cursor(schema);
    if (depth > depth_max || !cursor.enter_object()) return true;
    bool is_object = false;
    bool says_it = false;
    std::string_view key;
    while (cursor.next_key(key)) {
      std::string_view value;
      if (!cursor.read_raw(value)) return true;
      if (key == "type") is_object |= value.find("\"object\"") != std::string_view::npos;
      if (key == "properties") is_object = true;
      if (key == "additionalProperties") says_it = true;
      if (!close_held(held_by(key), value, depth + 1)) return false;
    }
    if (!is_object || says_it) return true;
    const char* brace = schema.data() + schema.size() - 1;
    return copy_until(brace) && out_.append(closing);
  }

  bool copy_until(const char* end) {
    const bool good = out_.append({copied_, static_cast<size_t>(end - copied_)});
    copied_ = end;
    return good;
  }

 private:
  bool close_held(Holds holds, std::string_view value, int depth) {
    Cursor cursor(value);
    std::string_view element;
    if (holds == Holds::schema && value.front() != '[') return close(value, depth);
    if (holds == Holds::schemas_by_name && cursor.enter_object()) {
      std::string_view name;
      while (cursor.next_key(name) && cursor.read_raw(element)) {
        if (!close(element, depth)) return false;
      }
    } else if (holds != Holds::nothing && cursor.enter_array()) {
      while (cursor.next_element() && cursor.read_raw(element)) {
        if (!close(element, depth)) return false;
      }
    }
    return true;
  }

  const char* copied_;
  ByteBuffer& out_;
};

}  // namespace

bool close_objects(std::string_view schema, ByteBuffer& out) {
  Closer closer(schema, out);
  return closer.close(schema, 0) && closer.copy_until(schema.data() + schema.size());
}

}  // namespace hyperion::dialect::anthropic
