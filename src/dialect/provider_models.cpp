#include "dialect/provider_models.h"

#include "catalog/name_table.h"
#include "json/cursor.h"
#include "json/escapes.h"

namespace hyperion::dialect {
namespace {

using catalog::Dialect;
using catalog::NameSet;

struct Shape {
  std::string_view list;    // the member that holds the entries
  std::string_view name;    // of an entry, the member that holds its name
  std::string_view prefix;  // that the name has there and not elsewhere
  std::string_view path;
};

// In the order of catalog::Dialect. The numbers are the documented maxima of a page.
constexpr Shape shapes[] = {
    {"data", "id", "", "/models"},
    {"data", "id", "", "/models?limit=1000"},
    {"models", "name", "models/", "/models?pageSize=1000"},
};

const Shape& shape_of(Dialect dialect) { return shapes[static_cast<size_t>(dialect)]; }

// The raw name of the entry that comes next, empty where it has none. False: no JSON.
bool read_entry(json::Cursor& cursor, const Shape& shape, std::string_view& name) {
  name = {};
  if (cursor.peek() != '{') return cursor.skip();
  if (!cursor.enter_object()) return false;
  std::string_view key;
  while (cursor.next_key(key)) {
    const bool wanted = key == shape.name && cursor.peek() == '"';
    if (!(wanted ? cursor.read_string(name) : cursor.skip())) return false;
  }
  return !cursor.failed();
}

// The name in plain text if it is one, else nothing. `plain` is the memory of an escaped one.
std::string_view plain_name(std::string_view raw, const Shape& shape,
                            char (&plain)[catalog::name_size_max_bytes]) {
  if (raw.find('\\') != std::string_view::npos) {
    if (!json::check_escapes(raw).well_formed) return {};
    const size_t size = json::unescape(raw, plain, sizeof(plain));
    if (size > sizeof(plain)) return {};
    raw = {plain, size};
  }
  if (raw.starts_with(shape.prefix)) raw.remove_prefix(shape.prefix.size());
  return catalog::is_model_name(raw) ? raw : std::string_view();
}

ProviderModels read_entries(json::Cursor& cursor, const Shape& shape, size_t models_max,
                            NameSet& names) {
  if (!cursor.enter_array()) return ProviderModels::malformed;
  char plain[catalog::name_size_max_bytes];
  while (cursor.next_element()) {
    std::string_view raw;
    if (!read_entry(cursor, shape, raw)) return ProviderModels::malformed;
    const std::string_view name = plain_name(raw, shape, plain);
    if (name.empty()) continue;
    if (names.size() >= models_max) return ProviderModels::too_many;
    names.add(name);
  }
  return cursor.failed() ? ProviderModels::malformed : ProviderModels::read;
}

ProviderModels read_list(json::Cursor& cursor, Dialect dialect, size_t models_max, NameSet& names) {
  const Shape& shape = shape_of(dialect);
  if (dialect == Dialect::openai && cursor.peek() == '[')
    return read_entries(cursor, shape, models_max, names);
  if (!cursor.enter_object()) return ProviderModels::malformed;
  bool listed = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key != shape.list || cursor.peek() != '[') {
      if (!cursor.skip()) return ProviderModels::malformed;
      continue;
    }
    const ProviderModels outcome = read_entries(cursor, shape, models_max, names);
    if (outcome != ProviderModels::read) return outcome;
    listed = true;
  }
  return listed ? ProviderModels::read : ProviderModels::malformed;
}

}  // namespace

ProviderModels read_provider_models(Dialect dialect, std::string_view body, size_t models_max,
                                    NameSet& names) {
  json::Cursor cursor(body);
  const ProviderModels outcome = read_list(cursor, dialect, models_max, names);
  if (outcome == ProviderModels::read && (cursor.failed() || !cursor.at_end()))
    return ProviderModels::malformed;
  names.seal();
  return outcome;
}

std::string_view provider_models_path(Dialect dialect) { return shape_of(dialect).path; }

}  // namespace hyperion::dialect
