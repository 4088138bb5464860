// One pass over a request body: is it valid JSON, where are the keys Hyperion acts on, and what do
// they say?
//
// Sans-I/O. A Scanner (one per shard, it owns simdjson's index) walks the whole body, so that a
// body that passes is valid JSON in every corner, within the depth and key limits. Keys that
// Hyperion acts on are refused when they are repeated or spelled with escapes (a provider might
// read them otherwise than we did); elsewhere both are tolerated. Results are spans into the body:
// nothing is copied, nothing allocated in the steady state. Errors carry a position and a name for
// the answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "json/limits.h"

namespace hyperion::json {

enum class Kind : uint8_t { absent, null, boolean, number, string, array, object };

// A value of the body and its place: `[key_begin, value_end)` covers key, colon and value.
struct Field {
  Kind kind = Kind::absent;
  uint32_t key_begin = 0;  // offset of the key's opening quote
  uint32_t value_begin = 0;
  uint32_t value_end = 0;     // one past the value, blanks not included
  uint32_t next_key = 0;      // of the next key's opening quote in the same object, 0 for the last
  uint32_t comma_before = 0;  // offset of the comma in front of key_begin, 0 for the first
  bool present() const { return kind != Kind::absent; }
};

// Top-level keys of an OpenAI-dialect request that are read; the order is that of `Scan::fields`.
enum class Key : uint8_t {
  model,
  stream,
  stream_options,
  messages,
  max_tokens,
  max_completion_tokens,
  n,
  tools,
  response_format,
  user,
  input,
  prompt,
  // Hyperion's own: removed before anything goes upstream (contract, section 2).
  hyperion,
  smart_routing,
  smart_routing_camel,
  fallbacks,
  models,
  extra_body,
  extra_body_camel,
  count,
};
bool is_own(Key key);
std::string_view name_of(Key key);

// Hyperion's own options after reading `hyperion`, `smart_routing`, root `fallbacks`/`models` and
// `extra_body`. Lists and tags are read with json/string_list.h.
struct Options {
  bool smart_routing = false;
  bool smart_routing_given = false;
  bool explain = false;
  bool any = false;  // some key of Hyperion's own was present
  bool fallbacks_given = false;
  bool fallbacks_from_models = false;  // root `models`: not ours where a provider has it natively
  bool bypass_cache = false;
  Field fallbacks;           // array of strings, wherever it stood
  Field providers;           // array of strings
  Field tags;                // object of strings
  double max_cost_usd = -1;  // below 0: not given
  uint32_t connect_ms = 0, first_token_ms = 0, idle_ms = 0, total_ms = 0;  // 0: not given
  uint32_t cache_ttl_s = 0;                                                // 0: not given
};

struct Scan {
  // What stands in a literal extra_body is here as well, as if it stood at the top.
  Field fields[static_cast<size_t>(Key::count)];
  const Field& operator[](Key key) const { return fields[static_cast<size_t>(key)]; }
  std::string_view model;  // unescaped; valid until the scanner's next use
  bool stream = false;
  bool include_usage = false;            // stream_options.include_usage is true
  uint32_t extra_body_keys_foreign = 0;  // keys of extra_body that go to the top
  Options options;
};

struct ScanError {
  // malformed_json, duplicate_key, wrong_type, unknown_key, too_deep, too_many or too_large.
  ErrorCode code = ErrorCode::none;
  // What it is about ("hyperion.timeouts.total_ms", "body"): bounded, control bytes replaced;
  // never a value.
  char field[96] = {};
  // What was expected and what was given, by kind: reads on after "expected" ("a string, got a
  // number", "a comma or a closing brace").
  char expected[96] = {};
  uint32_t position = 0;  // byte offset in the body
};

class Walker;

class Scanner {
 public:
  explicit Scanner(uint64_t body_size_max_bytes);
  ~Scanner();
  Scanner(const Scanner&) = delete;
  Scanner& operator=(const Scanner&) = delete;

  // `body` must have json::padding_bytes readable bytes behind it. False: see `error`. `null` for
  // `stream` and `stream_options` reads as absent, as OpenAI has it; for keys of Hyperion's own
  // it is a wrong type. Costs 0.4 us for 1 KiB of chat, 15 us for 128 KiB (8 GB/s), 3 ns more for
  // each escape (measured).
  bool scan(std::string_view body, const Limits& limits, Scan& result, ScanError& error);
  // Walks the body that was scanned last once more, for what this scan does not read. Valid until
  // the scanner's next use.
  Walker walk_again(std::string_view body, const Limits& limits) const;
  // Drops memory that grew for a huge body: 4.5 bytes for each byte of the largest.
  void shrink();

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace hyperion::json
