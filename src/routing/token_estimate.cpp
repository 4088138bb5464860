#include "routing/token_estimate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>

#include "json/escapes.h"
#include "routing/token_counts.h"

namespace hyperion::routing {
namespace {

// A text up to this size is read in full, a longer one in three places.
constexpr size_t whole_bytes = 6144;
constexpr size_t place_bytes = whole_bytes / 3;

uint64_t worth(const TokenCounts& counts) {
  uint64_t sum = 0;
  for (size_t i = 0; i < counts.size(); ++i) sum += counts[i] * token_milli[i];
  return sum;
}

// Thousandths of a token of the raw bytes given, escapes undone.
uint64_t milli_tokens(std::string_view raw) {
  std::array<char, whole_bytes + token_padding> text;
  const size_t size = std::min(whole_bytes, json::unescape(raw, text.data(), whole_bytes));
  std::memset(text.data() + size, ' ', token_padding);
  return worth(count_token_signs({text.data(), size}));
}

uint32_t whole_tokens(uint64_t milli) { return static_cast<uint32_t>((milli + 999) / 1000); }

// `size` bytes from `at` on, or a few less: neither end within an escape or a character.
std::string_view place_of(std::string_view raw, size_t at, size_t size) {
  constexpr size_t reach = 64;
  const auto is_edge = [&](size_t i) { return raw[i] == ' ' && (i == 0 || raw[i - 1] != '\\'); };
  size_t begin = at;
  for (size_t i = at; i < at + reach; ++i) {
    if (!is_edge(i)) continue;
    begin = i;
    break;
  }
  const size_t end = std::min(raw.size(), at + size);
  return raw.substr(begin, end - begin);
}

}  // namespace

uint32_t estimate_text_tokens(std::string_view raw) {
  if (raw.size() <= whole_bytes) return whole_tokens(milli_tokens(raw));
  uint64_t sum = 0;
  uint64_t read = 0;
  for (size_t at : {size_t{0}, (raw.size() - place_bytes) / 2, raw.size() - place_bytes}) {
    const std::string_view place = place_of(raw, at, place_bytes);
    sum += milli_tokens(place);
    read += place.size();
  }
  return static_cast<uint32_t>(sum * raw.size() / read / 1000);
}

TokenEstimate estimate_tokens(const Conversation& conversation, const Window& window) {
  // Of what is not text of the last turn: bytes a token, in tenths.
  constexpr uint64_t tenths_least = 22;
  constexpr uint64_t tenths_most = 50;
  constexpr uint64_t tenths_usual = 42;
  constexpr uint64_t tenths_of_tools = 45;  // definitions: JSON, most of it known keys
  constexpr uint64_t sample_min_bytes = 200;
  constexpr uint64_t per_turn = 4;  // the marks around a message
  constexpr uint64_t per_tool = 8;
  constexpr uint64_t per_file = 1600;  // a full-size image (Anthropic's documentation)
  const Shape& shape = conversation.last.shape;
  uint64_t own = 0;
  if (window.left_out()) {
    for (std::string_view text : conversation.last.text()) own += estimate_text_tokens(text);
  } else {
    own = whole_tokens(worth(count_token_signs(window.text(), window.maps())));
  }
  uint64_t own_bytes = 0;
  for (std::string_view text : conversation.last.text()) own_bytes += text.size();
  // The last turn shows what the conversation's script and kind of text are.
  uint64_t tenths = tenths_usual;
  if (own_bytes >= sample_min_bytes && own > 0)
    tenths = std::clamp(own_bytes * 10 / own, tenths_least, tenths_most);
  const uint64_t left = shape.user_bytes > own_bytes ? shape.user_bytes - own_bytes : 0;
  const uint64_t other = shape.other_bytes + shape.call_bytes + shape.system_bytes + left;
  const Wants& wants = conversation.wants;
  const uint64_t around = (shape.turns + 1) * per_turn + wants.tools * per_tool;
  const uint64_t files = (uint64_t{shape.images} + shape.audio + shape.files) * per_file;
  const uint64_t expected =
      own + other * 10 / tenths + wants.tools_bytes * 10 / tenths_of_tools + around + files;
  // No token of a byte-level tokenizer is shorter than a byte.
  const uint64_t most = shape.user_bytes + other + wants.tools_bytes + 2 * around + files;
  const auto cut = [most](uint64_t count) {
    return static_cast<uint32_t>(std::min({count, most, uint64_t{UINT32_MAX}}));
  };
  return {cut(expected), cut(most)};
}

TokenEstimate estimate_tokens(const Conversation& conversation) {
  return estimate_tokens(conversation, Window(conversation.last.text()));
}

}  // namespace hyperion::routing
