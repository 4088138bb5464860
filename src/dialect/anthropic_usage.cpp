#include <algorithm>

#include "dialect/anthropic_parts.h"

namespace hyperion::dialect::anthropic {
namespace {

// Null and nonsense leave what was known.
void read_tokens(json::Cursor& cursor, int64_t& tokens) {
  int64_t number = 0;
  if (cursor.read_integer(number) && number >= 0) tokens = number;
}

int64_t or_zero(int64_t tokens) { return std::max<int64_t>(tokens, 0); }

}  // namespace

bool TokenCounts::read(json::Cursor& cursor, bool at_start) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "input_tokens") {
      read_tokens(cursor, input);
    } else if (key == "output_tokens" && !at_start) {
      read_tokens(cursor, output);
    } else if (key == "cache_read_input_tokens") {
      read_tokens(cursor, cache_read);
    } else if (key == "cache_creation_input_tokens") {
      read_tokens(cursor, cache_creation);
    } else if (key == "cache_creation" && cursor.enter_object()) {
      while (cursor.next_key(key)) {
        if (key == "ephemeral_5m_input_tokens") {
          read_tokens(cursor, cache_creation_5m);
        } else if (key == "ephemeral_1h_input_tokens") {
          read_tokens(cursor, cache_creation_1h);
        } else {
          cursor.skip();
        }
      }
    } else if (key == "output_tokens_details" && cursor.enter_object()) {
      while (cursor.next_key(key)) {
        if (key == "thinking_tokens" && !at_start) {
          read_tokens(cursor, thinking);
        } else {
          cursor.skip();
        }
      }
    } else {
      cursor.skip();
    }
  }
  return true;
}

// Where the input was told, what is missing of the cache's is zero; where nothing was told of the
// prompt, nothing is known.
Usage TokenCounts::usage() const {
  Usage usage;
  int64_t written = cache_creation;
  if (written < 0 && (cache_creation_5m >= 0 || cache_creation_1h >= 0))
    written = or_zero(cache_creation_5m) + or_zero(cache_creation_1h);
  if (input >= 0 || cache_read >= 0 || written >= 0) {
    usage.prompt_tokens = or_zero(input) + or_zero(cache_read) + or_zero(written);
    usage.cached_tokens = or_zero(cache_read);
    usage.cache_write_tokens = or_zero(written);
    usage.cache_write_1h_tokens = or_zero(cache_creation_1h);
  }
  usage.completion_tokens = output;
  usage.reasoning_tokens = thinking;
  return usage;
}

TokenCounts TokenCounts::of(const Usage& usage) {
  TokenCounts counts;
  if (usage.prompt_tokens >= 0) {
    counts.input = std::max<int64_t>(
        usage.prompt_tokens - or_zero(usage.cached_tokens) - or_zero(usage.cache_write_tokens), 0);
  }
  counts.cache_read = usage.cached_tokens;
  counts.cache_creation = usage.cache_write_tokens;
  counts.cache_creation_1h = usage.cache_write_1h_tokens;
  if (usage.cache_write_tokens >= 0 && usage.cache_write_1h_tokens >= 0)
    counts.cache_creation_5m =
        std::max<int64_t>(usage.cache_write_tokens - usage.cache_write_1h_tokens, 0);
  counts.output = usage.completion_tokens;
  counts.thinking = usage.reasoning_tokens;
  return counts;
}

}  // namespace hyperion::dialect::anthropic
