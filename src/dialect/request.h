// A request for a conversation, free of any provider's wire format.
//
// Filled by the decoder of the client's dialect, read by the encoder of the provider's. It lives in
// an Arena and points into the client's body, which stays pinned as long: long texts are not
// copied. Two kinds of text, told apart by their type:
//   - Raw: the inside of a JSON string as it stood there, escapes and all. Written to another JSON
//     text between quotes as it is, so no text is unescaped and escaped again.
//   - std::string_view called `plain`: unescaped (names, ids, media types: short), written with
//     escaping.
// `Json` is a whole JSON value as it stood (schemas, numbers): key order and spelling of numbers
// survive. Empty views mean "not given" everywhere.
//
// What is said by the structure: messages stand in the order of the conversation, system messages
// in their places; tool calls are parts of assistant messages, tool results are parts of `tool`
// messages, one message for each result unless the client's dialect groups them. Merging turns is
// the encoder's work. Nothing here can fail or allocate but by the Arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <string_view>

#include "base/arena.h"
#include "catalog/facts.h"
#include "dialect/wire.h"

namespace hyperion::dialect {

// The inside of a JSON string, escapes as they are.
struct Raw {
  std::string_view bytes;
  bool given() const { return bytes.data() != nullptr; }
  bool empty() const { return bytes.empty(); }
};

// A JSON value, as it stood.
struct Json {
  std::string_view bytes;
  bool given() const { return !bytes.empty(); }
};

// A singly linked list in an arena, in order.
template <class T>
struct Chain {
  T* first = nullptr;
  T* last = nullptr;
  uint32_t count = 0;

  bool empty() const { return first == nullptr; }
  void append(T* item) {
    (last != nullptr ? last->next : first) = item;
    last = item;
    ++count;
  }
};

// A new T in the arena, or nullptr when there is no room.
template <class T>
T* make(Arena& arena) {
  void* place = arena.allocate(sizeof(T), alignof(T));
  return place != nullptr ? new (place) T() : nullptr;
}

enum class Flag : uint8_t { unset, no, yes };
inline Flag flag_of(bool value) { return value ? Flag::yes : Flag::no; }

enum class Role : uint8_t { system, user, assistant, tool };

// A mark "what stands before this may be cached" (Anthropic's cache_control, OpenAI's
// prompt_cache_breakpoint).
enum class CacheMark : uint8_t { none, short_lived, one_hour };

enum class PartKind : uint8_t {
  text,
  image,     // url, or data with media_type
  file,      // data with media_type and file_name, or url, or file_id; or text (a plain document)
  audio,     // data with media_type
  refusal,   // text: the assistant declined
  thinking,  // text and signature; of the assistant
  redacted_thinking,  // text: opaque
  tool_call,          // id, name, arguments, signature
  tool_result,        // id, name if the dialect gives it, content or json, is_error
};

struct Part {
  PartKind kind = PartKind::text;
  Part* next = nullptr;
  uint32_t index = 0;  // in the client's message, for errors: messages[3].content[1]
  Raw text;
  std::string_view media_type;  // plain, lower case: "image/png"
  Raw data;                     // base64, checked: no line breaks; written by add_data (text.h)
  bool data_url_safe = false;   // in base64's alphabet for URLs, as Google's Python client sends it
  Raw url;                      // http(s), gs and other URLs; never data:
  std::string_view file_id;     // plain; of one vendor only
  Raw file_name;
  std::string_view detail;  // plain: low, high, auto, original
  std::string_view id;      // plain
  std::string_view name;    // plain
  // Of a call: the arguments, a JSON object. Escaped: the inside of a JSON string that holds it.
  // Checked by the decoder to be an object ("" of OpenAI becomes {}).
  Json arguments;
  bool arguments_escaped = false;
  // Where a model's own reasoning is carried on: opaque, and only for the vendor that made it.
  Raw signature;
  Maker signature_of = Maker::unknown;
  // Of a result: its parts (text, image, file), or an object as Gemini has it.
  Chain<Part> content;
  Json json;
  bool is_error = false;
  CacheMark cache = CacheMark::none;
};

struct Message {
  Role role = Role::user;
  Message* next = nullptr;
  uint32_t index = 0;     // in the client's list, for errors
  std::string_view name;  // plain; of a participant
  Chain<Part> parts;
};

struct Tool {
  Tool* next = nullptr;
  uint32_t index = 0;
  enum class Kind : uint8_t {
    function,
    custom,  // free text or a grammar: OpenAI only
    server,  // run by the provider: `definition` is the whole of it
  } kind = Kind::function;
  std::string_view name;  // plain
  Raw description;
  Json schema;  // JSON Schema of the parameters; not given: no parameters
  Flag strict = Flag::unset;
  CacheMark cache = CacheMark::none;
  Json definition;
};

struct Word {
  Word* next = nullptr;
  Raw raw;                 // of stop sequences
  std::string_view plain;  // of names
};

enum class ToolChoice : uint8_t { unset, none, automatic, required, named };

enum class Format : uint8_t { text, json_object, json_schema };

struct Request {
  Chain<Message> messages;
  Chain<Tool> tools;
  ToolChoice tool_choice = ToolChoice::unset;
  std::string_view tool_choice_name;  // plain, of `named`
  Chain<Word> allowed_tools;          // plain: only these, with automatic or required
  Flag parallel_tool_calls = Flag::unset;
  bool legacy_functions = false;  // asked with `functions`: answered with `function_call`

  int64_t output_tokens_max = -1;
  Json temperature, top_p, top_k, seed, presence_penalty, frequency_penalty;  // numbers
  Json logit_bias;
  int64_t n = 1;
  Chain<Word> stop;  // raw
  bool logprobs = false;
  int64_t top_logprobs = -1;

  Format format = Format::text;
  std::string_view schema_name;  // plain
  Raw schema_description;
  Json schema;
  Flag schema_strict = Flag::unset;

  // How much the model may think: an effort, or a budget of tokens (-1 not given, -2 as it likes,
  // 0 off).
  bool effort_given = false;
  catalog::Effort effort = catalog::Effort::none;
  int64_t thinking_budget_tokens = -1;
  Flag thinking_shown = Flag::unset;  // the client asked (not) to see it
  std::string_view verbosity;         // plain

  Raw user;  // an end user's id
  Json metadata;
  Flag store = Flag::unset;
  std::string_view service_tier;  // plain
  bool cache_automatic = false;   // a mark for the whole request
  bool audio_wanted = false;      // an answer in sound
  Json prediction;
  Json web_search;
  Json safety_settings;  // Gemini's

  bool stream = false;
  bool include_usage = false;

  // Top-level fields of the client that have no place above: named as dropped when translated.
  Chain<Word> unknown;  // plain
};

// Whether the tool choice names a tool that is no function, and so is not sent to another provider.
bool names_unsent_tool(const Request& request);

// How many tokens a request may be, by a rule of thumb: where no provider can be asked. Four bytes
// of text a token, and for an image or file what an ordinary one costs (Anthropic's documentation:
// about 1,600 for a full-size image).
int64_t estimate_tokens(const Request& request);

}  // namespace hyperion::dialect
