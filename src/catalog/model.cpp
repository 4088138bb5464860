#include "catalog/model.h"

#include "catalog/name_table.h"

namespace hyperion::catalog {

bool is_model_name(std::string_view text) {
  if (text.empty() || text.size() > name_size_max_bytes) return false;
  for (char c : text) {
    if (c <= ' ' || c > '~' || c == '"' || c == '\\') return false;
  }
  return true;
}

AuthenticationStyle authentication_of(Dialect dialect, bool vertex) {
  switch (dialect) {
    case Dialect::openai: break;
    case Dialect::anthropic: return {"x-api-key", ""};
    case Dialect::gemini:
      if (!vertex) return {"x-goog-api-key", ""};
      break;
  }
  return {};
}

std::string_view name_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::openai: return "openai";
    case Dialect::anthropic: return "anthropic";
    case Dialect::gemini: return "gemini";
  }
  return "unknown";
}

std::string_view name_of(Status status) {
  switch (status) {
    case Status::active: return "active";
    case Status::preview: return "preview";
    case Status::deprecated: return "deprecated";
    case Status::retired: return "retired";
  }
  return "unknown";
}

}  // namespace hyperion::catalog
