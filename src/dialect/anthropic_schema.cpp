#include "dialect/anthropic_writer.h"
#include "json/cursor.h"

// Structured output needs "additionalProperties": false on every object, and takes no bounds of
// numbers and lengths (wire formats, 2.5): schemas written for other vendors leave the one to
// `strict` and have the others. Anthropic's own SDKs change schemas in the same way. Walked is only
// where schemas may stand, so that a property called "minimum", an example or a constant is left
// alone.
namespace hyperion::dialect::anthropic {
namespace {

using json::Cursor;

constexpr std::string_view closing = ",\"additionalProperties\":false";
// Deeper schemas stay as they are.
constexpr int depth_max = 32;

// Bounds that the grammar behind structured answers cannot hold.
bool is_refused(std::string_view key, std::string_view value) {
  for (std::string_view bound : {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum",
                                 "multipleOf", "minLength", "maxLength", "maxItems"}) {
    if (key == bound) return true;
  }
  return key == "minItems" && value != "0" && value != "1";
}

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

class Fitter {
 public:
  Fitter(std::string_view text, ByteBuffer& out) : copied_(text.data()), out_(out) {}

  bool changed_meaning() const { return changed_meaning_; }

  // Text of one schema; everything before the places that change is copied in order.
  bool fit(std::string_view schema, int depth) {
    Cursor cursor(schema);
    if (depth > depth_max || !cursor.enter_object()) return true;
    bool is_object = false;
    bool says_it = false;
    bool comma_due = false;  // of a first member that was left out
    const char* kept_until = schema.data() + 1;
    bool any_kept = false;
    std::string_view key;
    while (cursor.next_key(key)) {
      std::string_view value;
      if (!cursor.read_raw(value)) return true;
      const char* value_end = value.data() + value.size();
      if (is_refused(key, value)) {
        changed_meaning_ = true;
        if (!copy_until(kept_until)) return false;
        kept_until = copied_ = value_end;
        comma_due = !any_kept;
        continue;
      }
      if (comma_due) copied_ = key.data() - 1;
      comma_due = false;
      any_kept = true;
      if (key == "type") is_object |= value.find("\"object\"") != std::string_view::npos;
      if (key == "properties") is_object = true;
      if (key == "additionalProperties") says_it = true;
      if (!fit_held(held_by(key), value, depth + 1)) return false;
      kept_until = value_end;
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
  bool fit_held(Holds holds, std::string_view value, int depth) {
    Cursor cursor(value);
    std::string_view element;
    if (holds == Holds::schema && value.front() != '[') return fit(value, depth);
    if (holds == Holds::schemas_by_name && cursor.enter_object()) {
      std::string_view name;
      while (cursor.next_key(name) && cursor.read_raw(element)) {
        if (!fit(element, depth)) return false;
      }
    } else if (holds != Holds::nothing && cursor.enter_array()) {
      while (cursor.next_element() && cursor.read_raw(element)) {
        if (!fit(element, depth)) return false;
      }
    }
    return true;
  }

  const char* copied_;
  ByteBuffer& out_;
  bool changed_meaning_ = false;
};

}  // namespace

bool fit_schema(std::string_view schema, ByteBuffer& out, bool& changed_meaning) {
  Fitter fitter(schema, out);
  const bool good = fitter.fit(schema, 0) && fitter.copy_until(schema.data() + schema.size());
  changed_meaning = fitter.changed_meaning();
  return good;
}

}  // namespace hyperion::dialect::anthropic
