#include "routing/kinds.h"

namespace hyperion::routing {
namespace {

constexpr std::string_view kind_names[kind_count] = {
    "tool_use",  "long_context", "code",    "math",      "reasoning",
    "knowledge", "transform",    "writing", "simple_qa", "chat",
};

constexpr std::string_view head_names[head_count] = {
    "knowledge", "code", "mathematics", "reasoning", "tools", "long_context", "chat",
};

}  // namespace

std::string_view name_of(Kind kind) {
  return kind < Kind::count ? kind_names[static_cast<size_t>(kind)] : std::string_view();
}

std::string_view name_of(Head head) {
  return head < Head::count ? head_names[static_cast<size_t>(head)] : std::string_view();
}

Kind kind_named(std::string_view name) {
  for (size_t i = 0; i < kind_count; ++i) {
    if (kind_names[i] == name) return static_cast<Kind>(i);
  }
  return Kind::count;
}

}  // namespace hyperion::routing
