#include "json/key_names.h"

#include <array>

#include "base/assert.h"

namespace hyperion::json {
namespace {

constexpr size_t key_count = static_cast<size_t>(Key::count);

// In the order of `Key`.
constexpr std::array<std::string_view, key_count> names = {
    "model",     "stream",        "stream_options",
    "messages",  "max_tokens",    "max_completion_tokens",
    "n",         "tools",         "response_format",
    "user",      "input",         "prompt",
    "hyperion",  "smart_routing", "smartRouting",
    "fallbacks", "models",        "extra_body",
    "extraBody",
};

// The one key that a name of this length and first letter can be.
Key candidate(size_t size, char first) {
  switch (size) {
    case 1: return Key::n;
    case 4: return Key::user;
    case 5: return first == 'm' ? Key::model : first == 't' ? Key::tools : Key::input;
    case 6: return first == 's' ? Key::stream : first == 'm' ? Key::models : Key::prompt;
    case 8: return first == 'm' ? Key::messages : Key::hyperion;
    case 9: return first == 'f' ? Key::fallbacks : Key::extra_body_camel;
    case 10: return first == 'm' ? Key::max_tokens : Key::extra_body;
    case 12: return Key::smart_routing_camel;
    case 13: return Key::smart_routing;
    case 14: return Key::stream_options;
    case 15: return Key::response_format;
    case 21: return Key::max_completion_tokens;
    default: return Key::count;
  }
}

}  // namespace

Key find_key(std::string_view name) {
  if (name.empty()) return Key::count;
  const Key key = candidate(name.size(), name[0]);
  return key != Key::count && names[static_cast<size_t>(key)] == name ? key : Key::count;
}

std::string_view name_of(Key key) {
  HYPERION_ASSERT(key < Key::count);
  return names[static_cast<size_t>(key)];
}

bool is_own(Key key) { return key >= Key::hyperion && key < Key::count; }

}  // namespace hyperion::json
