#include <iterator>

#include "dialect/openai_chat_parts.h"

namespace hyperion::dialect::openai_chat {
namespace {

using json::Cursor;

struct CountRow {
  std::string_view name;
  int64_t Usage::*count;
};

constexpr CountRow prompt_details[] = {
    {"cached_tokens", &Usage::cached_tokens},
    {"cache_write_tokens", &Usage::cache_write_tokens},
    {"audio_tokens", &Usage::audio_prompt_tokens},
};
constexpr CountRow completion_details[] = {
    {"reasoning_tokens", &Usage::reasoning_tokens},
    {"audio_tokens", &Usage::audio_completion_tokens},
};
// Other spellings of the same counts: DeepSeek, Moonshot, LiteLLM.
constexpr CountRow other_names[] = {
    {"prompt_cache_hit_tokens", &Usage::cached_tokens},
    {"cached_tokens", &Usage::cached_tokens},
    {"cache_read_input_tokens", &Usage::cached_tokens},
    {"cache_creation_input_tokens", &Usage::cache_write_tokens},
    {"reasoning_tokens", &Usage::reasoning_tokens},
};

template <size_t size>
bool read_count(Cursor& cursor, std::string_view key, const CountRow (&rows)[size], Usage& usage) {
  for (const CountRow& row : rows) {
    if (row.name != key) continue;
    cursor.read_integer(usage.*row.count);
    return true;
  }
  return false;
}

template <size_t size>
void read_details(Cursor& cursor, const CountRow (&rows)[size], Usage& usage) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return;
  }
  std::string_view key;
  while (cursor.next_key(key)) {
    if (!read_count(cursor, key, rows, usage)) cursor.skip();
  }
}

}  // namespace

bool read_usage(Cursor& cursor, Usage& usage) {
  if (!cursor.enter_object()) {
    cursor.skip();
    return false;
  }
  Usage read;
  Usage other;
  int64_t total = -1;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "prompt_tokens") {
      cursor.read_integer(read.prompt_tokens);
    } else if (key == "completion_tokens") {
      cursor.read_integer(read.completion_tokens);
    } else if (key == "total_tokens") {
      cursor.read_integer(total);
    } else if (key == "prompt_tokens_details") {
      read_details(cursor, prompt_details, read);
    } else if (key == "completion_tokens_details") {
      read_details(cursor, completion_details, read);
    } else if (!read_count(cursor, key, other_names, other)) {
      cursor.skip();
    }
  }
  if (read.cached_tokens < 0) read.cached_tokens = other.cached_tokens;
  if (read.cache_write_tokens < 0) read.cache_write_tokens = other.cache_write_tokens;
  if (read.reasoning_tokens < 0) read.reasoning_tokens = other.reasoning_tokens;
  // xAI counts reasoning beside the completion; only its total tells.
  if (read.reasoning_tokens > 0 && read.prompt_tokens >= 0 && read.completion_tokens >= 0 &&
      total - read.prompt_tokens - read.completion_tokens == read.reasoning_tokens) {
    read.completion_tokens += read.reasoning_tokens;
  }
  constexpr int64_t Usage::*counts[] = {&Usage::prompt_tokens,          &Usage::completion_tokens,
                                        &Usage::cached_tokens,          &Usage::cache_write_tokens,
                                        &Usage::reasoning_tokens,       &Usage::audio_prompt_tokens,
                                        &Usage::audio_completion_tokens};
  // A count below zero is no count.
  for (int64_t Usage::*count : counts) {
    if (read.*count >= 0) usage.*count = read.*count;
  }
  return true;
}

}  // namespace hyperion::dialect::openai_chat
