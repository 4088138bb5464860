// The four translators of Anthropic's Messages, as anthropic.cpp puts them into the Language, and
// what they share.
//
// Requests are read in anthropic_request.cpp and its neighbours (anthropic_reader.h) and written in
// anthropic_request_writer.cpp (anthropic_writer.h); answers are read in anthropic_answer.cpp and
// written in anthropic_answer_writer.cpp. What they promise stands in language.h. Used by nobody
// else. No allocation but from the workspace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"
#include "json/cursor.h"

namespace hyperion::dialect::anthropic {

bool decode_request(std::string_view body, Workspace workspace, Request& request,
                    RequestProblem& problem);

bool encode_request(const Request& request, const Target& target, Workspace workspace,
                    json::Output& out, Notes& notes);

AnswerDecoder* make_decoder(Arena& arena, ByteBuffer& scratch);

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out);

// Usage as Anthropic counts it: input without what was cached. -1: not reported yet.
struct TokenCounts {
  int64_t input = -1;
  int64_t cache_read = -1;
  int64_t cache_creation = -1;
  int64_t cache_creation_5m = -1;
  int64_t cache_creation_1h = -1;
  int64_t output = -1;
  int64_t thinking = -1;

  // Reads the usage object that comes next: what it names, and does not say null to, replaces what
  // was known. Anything but an object is passed over and gives false. At the start of a stream the
  // output is a number without meaning, and not taken.
  bool read(json::Cursor& cursor, bool at_start);
  // The same in OpenAI's sense, and back.
  Usage usage() const;
  static TokenCounts of(const Usage& usage);
};

// The tool calls of one turn of the assistant, and which of them have their result (or any set of
// names). By their hashes: two ids of one hash would be taken for one, which the provider then
// refuses.
class CallSet {
 public:
  static constexpr size_t calls_max = 512;

  enum class Added : uint8_t { yes, repeated, full };
  enum class Answered : uint8_t { yes, unknown, repeated };

  void clear();
  Added add(std::string_view id);
  Answered answer(std::string_view id);
  bool has(std::string_view id) const;
  bool empty() const { return count_ == 0; }
  bool all_answered() const { return answered_ == count_; }

 private:
  static constexpr size_t slots_count = 2 * calls_max;  // a power of two
  size_t slot_of(uint64_t hash) const;

  uint64_t hashes_[slots_count] = {};  // 0: free
  bool is_answered_[slots_count] = {};
  size_t count_ = 0;
  size_t answered_ = 0;
};

// FNV-1a, never 0.
uint64_t hash_of(std::string_view text);

// Is it nothing but blanks, written plainly or with escapes? Anthropic refuses such text.
bool is_blank(std::string_view inside);
// Without the blanks at its end, which a begun answer must not have.
std::string_view without_trailing_blanks(std::string_view inside);

}  // namespace hyperion::dialect::anthropic
