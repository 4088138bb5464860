#include "http/head.h"

namespace hyperion::http {

namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

std::string_view HeaderList::find(std::string_view name) const {
  for (size_t i = 0; i < count; ++i) {
    if (!equal_ignoring_case(items[i].name, name)) continue;
    // An empty value is not an absent one, even when its view has no place.
    return items[i].value.data() != nullptr ? items[i].value : std::string_view("");
  }
  return {};
}

}  // namespace hyperion::http
