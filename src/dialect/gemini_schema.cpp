#include "dialect/gemini_schema.h"

#include "dialect/gemini_text.h"
#include "json/cursor.h"

namespace hyperion::dialect::gemini {
namespace {

using json::Cursor;

// The type's names in JSON Schema are those of OpenAPI in small letters.
constexpr std::string_view types[] = {"string", "number", "integer", "boolean",
                                      "array",  "object", "null"};

std::string_view json_type_of(std::string_view name) {
  for (std::string_view type : types) {
    if (type.size() != name.size()) continue;
    bool same = true;
    for (size_t i = 0; i < name.size(); ++i) same &= (name[i] | 0x20) == type[i];
    if (same) return type;
  }
  return {};
}

enum class Kind : uint8_t {
  other,     // copied
  type,      // a name, or a list of names
  schema,    // items, not, additionalProperties
  choice,    // anyOf: one of these, null among them where the whole is nullable
  schemas,   // allOf
  map,       // properties: from names to schemas
  bound,     // a number, perhaps as a string
  nullable,  // said with the type
  enumeration,
  format,
  left_out,
};

struct KeyRow {
  std::string_view name;
  Kind kind;
};
constexpr KeyRow rows[] = {
    {"type", Kind::type},
    {"items", Kind::schema},
    {"additionalProperties", Kind::schema},
    {"not", Kind::schema},
    {"anyOf", Kind::choice},
    {"oneOf", Kind::choice},
    {"allOf", Kind::schemas},
    {"prefixItems", Kind::schemas},
    {"properties", Kind::map},
    {"defs", Kind::map},
    {"$defs", Kind::map},
    {"definitions", Kind::map},
    {"minItems", Kind::bound},
    {"maxItems", Kind::bound},
    {"minLength", Kind::bound},
    {"maxLength", Kind::bound},
    {"minProperties", Kind::bound},
    {"maxProperties", Kind::bound},
    {"nullable", Kind::nullable},
    {"enum", Kind::enumeration},
    {"format", Kind::format},
    {"propertyOrdering", Kind::left_out},
    {"example", Kind::left_out},
};

const KeyRow* row_of(std::string_view key) {
  for (const KeyRow& row : rows) {
    if (is_named(key, row.name)) return &row;
  }
  return nullptr;
}

// Must be known of a schema before its members are written.
bool is_nullable(Cursor cursor) {
  bool nullable = false;
  std::string_view key;
  if (!cursor.enter_object()) return false;
  while (cursor.next_key(key)) {
    if (key == "nullable") nullable = cursor.peek() == 't';
    cursor.skip();
  }
  return nullable;
}

class Rewriter {
 public:
  explicit Rewriter(json::Output& out) : out_(out) {}

  void schema(Cursor& cursor);
  bool changed() const { return changed_; }

 private:
  void member(std::string_view key, Cursor& cursor, bool nullable);
  void type(Cursor& cursor, bool nullable);
  void type_name(Cursor& cursor);
  void schemas(Cursor& cursor, bool nullable);
  void map(Cursor& cursor);
  void bound(Cursor& cursor);
  void enumeration(Cursor& cursor, bool nullable);
  void copy(Cursor& cursor) {
    std::string_view raw;
    cursor.read_raw(raw);
    out_.value(raw);
  }

  json::Output& out_;
  bool changed_ = false;
};

// `true` and `false` are schemas as well.
void Rewriter::schema(Cursor& cursor) {
  const bool nullable = is_nullable(cursor);
  if (!cursor.enter_object()) {
    copy(cursor);
    return;
  }
  out_.begin_object();
  std::string_view key;
  while (cursor.next_key(key)) member(key, cursor, nullable);
  out_.end_object();
}

void Rewriter::member(std::string_view key, Cursor& cursor, bool nullable) {
  const KeyRow* row = row_of(key);
  Kind kind = row != nullptr ? row->kind : Kind::other;
  const char next = cursor.peek();
  // "enum" as a format only says that an enumeration is given.
  if (kind == Kind::format) {
    Cursor ahead = cursor;
    std::string_view format;
    const bool marks = next == '"' && ahead.read_string(format) && format == "enum";
    kind = marks ? Kind::left_out : Kind::other;
  }
  Cursor ahead = cursor;
  std::string_view value;
  if (kind == Kind::type && next == '"' && ahead.read_string(value) &&
      value == "TYPE_UNSPECIFIED") {
    kind = Kind::left_out;
  }
  if (kind == Kind::left_out || kind == Kind::nullable) {
    changed_ = true;
    cursor.skip();
    return;
  }
  const std::string_view name = row != nullptr ? row->name : key;
  changed_ |= name != key;
  out_.key(name);
  switch (kind) {
    case Kind::type: type(cursor, nullable); return;
    case Kind::schema: schema(cursor); return;
    case Kind::choice: schemas(cursor, nullable); return;
    case Kind::schemas: schemas(cursor, false); return;
    case Kind::map: map(cursor); return;
    case Kind::bound: bound(cursor); return;
    case Kind::enumeration: enumeration(cursor, nullable); return;
    default: copy(cursor);
  }
}

void Rewriter::type_name(Cursor& cursor) {
  std::string_view name;
  if (cursor.peek() != '"') {
    copy(cursor);
    return;
  }
  cursor.read_string(name);
  const std::string_view type = json_type_of(name);
  changed_ |= !type.empty() && type != name;
  out_.raw_string(type.empty() ? name : type);
}

void Rewriter::type(Cursor& cursor, bool nullable) {
  if (nullable && cursor.peek() == '"') {
    out_.begin_array();
    type_name(cursor);
    out_.string("null");
    out_.end_array();
    return;
  }
  if (!cursor.enter_array()) {
    type_name(cursor);
    return;
  }
  out_.begin_array();
  while (cursor.next_element()) type_name(cursor);
  out_.end_array();
}

void Rewriter::schemas(Cursor& cursor, bool nullable) {
  if (!cursor.enter_array()) {
    copy(cursor);
    return;
  }
  out_.begin_array();
  while (cursor.next_element()) schema(cursor);
  if (nullable) out_.value("{\"type\":\"null\"}");
  out_.end_array();
}

void Rewriter::map(Cursor& cursor) {
  if (!cursor.enter_object()) {
    copy(cursor);
    return;
  }
  out_.begin_object();
  std::string_view name;
  while (cursor.next_key(name)) {
    out_.key(name);
    schema(cursor);
  }
  out_.end_object();
}

void Rewriter::bound(Cursor& cursor) {
  std::string_view digits;
  if (cursor.peek() != '"') {
    copy(cursor);
    return;
  }
  cursor.read_string(digits);
  const bool number = !digits.empty() && digits.size() < 19 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos &&
                      (digits.front() != '0' || digits.size() == 1);
  if (number) {
    out_.value(digits);
    changed_ = true;
  } else {
    out_.raw_string(digits);
  }
}

void Rewriter::enumeration(Cursor& cursor, bool nullable) {
  if (!nullable || !cursor.enter_array()) {
    copy(cursor);
    return;
  }
  bool has_null = false;
  out_.begin_array();
  while (cursor.next_element()) {
    has_null |= cursor.peek() == 'n';
    copy(cursor);
  }
  if (!has_null) out_.null();
  out_.end_array();
}

}  // namespace

SchemaResult to_json_schema(std::string_view schema, Workspace workspace, Json& result) {
  result.bytes = schema;
  workspace.scratch.clear();
  json::Output out(workspace.scratch);
  Rewriter rewriter(out);
  Cursor cursor(schema);
  rewriter.schema(cursor);
  if (out.failed()) return SchemaResult::no_memory;
  if (!rewriter.changed()) return SchemaResult::done;
  if (out.text().size() > Block::capacity() - 16) return SchemaResult::too_large;
  result.bytes = workspace.arena.copy(out.text());
  return result.bytes.data() != nullptr ? SchemaResult::done : SchemaResult::no_memory;
}

}  // namespace hyperion::dialect::gemini
