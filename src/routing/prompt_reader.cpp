#include "routing/prompt_reader.h"

#include <algorithm>
#include <charconv>

#include "routing/words.h"

namespace hyperion::routing {
namespace {

using dialect::Wire;
using json::Kind;

enum class Role : uint8_t { user, assistant, system, tool, other };

Role role_of(std::string_view name) {
  if (name == "user") return Role::user;
  if (name == "assistant" || name == "model") return Role::assistant;
  if (name == "system" || name == "developer") return Role::system;
  if (name == "tool" || name == "function") return Role::tool;
  return Role::other;
}

// What is gathered of one message before its role is known.
struct Message {
  Prompt text;  // `texts` alone
  uint64_t text_bytes = 0;
  uint64_t other_bytes = 0;  // of results
  uint64_t call_bytes = 0;
  uint32_t images = 0, audio = 0, files = 0, calls = 0, results = 0;
  Role role = Role::other;
  Word type = Word::unknown;

  void add_text(std::string_view raw) {
    text_bytes += raw.size();
    if (raw.empty()) return;
    // The last part stays: the question often stands behind the documents.
    if (text.text_count == Prompt::texts_max) --text.text_count;
    text.texts[text.text_count++] = raw;
  }
};

// A part of a message's content, or an item of a Responses input.
struct Part {
  Word type = Word::unknown;
  std::string_view text;
  bool has_text = false;
  bool thought = false;
};

class PromptReader {
 public:
  PromptReader(std::string_view body, json::Walker walker, Wire wire, Conversation& out)
      : body_(body), walker_(walker), wire_(wire), out_(out) {}

  void read() {
    if (walker_.peek() == Kind::object) read_body();
    out_.last.shape = shape_;
    restore_order();
  }

 private:
  // Passes the next value and gives it, or its inside if it is a string.
  bool pass(json::Value& value) { return walker_.pass(value); }
  std::string_view inside(const json::Value& value) const {
    return body_.substr(value.begin + 1, value.end - value.begin - 2);
  }
  bool read_string(std::string_view& raw) {
    json::Value value;
    if (!pass(value) || value.kind != Kind::string) return false;
    raw = inside(value);
    return true;
  }
  bool read_true() {
    json::Value value;
    return pass(value) && value.kind == Kind::boolean && body_[value.begin] == 't';
  }
  int64_t read_integer() {
    json::Value value;
    int64_t number = -1;
    if (!pass(value) || value.kind != Kind::number) return -1;
    std::from_chars(body_.data() + value.begin, body_.data() + value.end, number);
    return number;
  }
  template <class Read>
  bool read_members(Read read) {
    if (walker_.peek() != Kind::object) {
      walker_.pass();
      return false;
    }
    json::Members members;
    walker_.enter_object(members);
    while (walker_.next_member(members)) read(word_of(members.key));
    return true;
  }
  template <class Read>
  bool read_elements(Read read) {
    if (walker_.peek() != Kind::array) {
      walker_.pass();
      return false;
    }
    json::Elements elements;
    walker_.enter_array(elements);
    while (walker_.next_element(elements)) read();
    return true;
  }

  void read_body();
  void read_member(Word word);
  void read_messages();
  void read_message();
  void read_content(Message& message);
  void read_part(Message& message);
  void read_response(Message& message);
  void read_result(Message& message);
  void add_result(Message& message);
  void read_item_member(Message& message, Word word);
  void read_data(Message& message);
  void take_part(Message& message, const Part& part);
  void take_message(Message& message);
  void take_user_turn(const Message& message);
  void keep_earlier();
  void restore_order();
  void read_system();
  void read_tools();
  void read_tool();
  void read_tool_choice();
  void read_format();
  void read_effort();
  void read_reasoning();
  void read_thinking();
  void read_modalities();
  void add_budget(int64_t tokens);

  const std::string_view body_;
  json::Walker walker_;
  const Wire wire_;
  Conversation& out_;
  Shape shape_;
  uint32_t turns_left_out_ = 0;  // of earlier ones, between the first and those kept
};

void PromptReader::read_body() {
  read_members([this](Word word) { read_member(word); });
}

void PromptReader::read_member(Word word) {
  Wants& wants = out_.wants;
  switch (word) {
    case Word::messages: return read_messages();
    case Word::system: return read_system();
    case Word::tools: return read_tools();
    case Word::tool_choice:
    case Word::function_call: return read_tool_choice();
    case Word::answer_format: return read_format();
    case Word::config:
    case Word::extra_body:
    case Word::text: return read_body();
    case Word::schema: wants.json_schema = true; break;
    case Word::mime_type: {
      std::string_view type;
      if (read_string(type)) wants.json_object |= type == "application/json";
      return;
    }
    case Word::reasoning_effort: return read_effort();
    case Word::reasoning: return read_reasoning();
    case Word::thinking: return read_thinking();
    case Word::max_tokens: wants.old_limit = wire_ == Wire::openai_chat; [[fallthrough]];
    case Word::output_tokens_max: wants.output_tokens_max = read_integer(); return;
    case Word::choices: wants.choices = std::max<int64_t>(1, read_integer()); return;
    case Word::sampling: wants.sampling |= walker_.peek() == Kind::number; break;
    case Word::modalities: return read_modalities();
    case Word::logprobs: {
      json::Value value;
      pass(value);
      wants.logprobs |= value.kind == Kind::number || body_[value.begin] == 't';
      return;
    }
    case Word::server_tool: wants.foreign |= walker_.peek() != Kind::null; break;
    default: break;
  }
  walker_.pass();
}

// The conversation; a string of Responses is one turn of the user.
void PromptReader::read_messages() {
  if (walker_.peek() == Kind::string) {
    Message message;
    message.role = Role::user;
    read_content(message);
    take_message(message);
    return;
  }
  read_elements([this] { read_message(); });
}

void PromptReader::read_message() {
  const uint32_t begin = walker_.position();
  Message message;
  std::string_view role;
  // Gemini's contents may leave the user's role out.
  if (wire_ == Wire::gemini) message.role = Role::user;
  const bool object = read_members([&](Word word) {
    switch (word) {
      case Word::role:
        if (read_string(role)) message.role = role_of(role);
        return;
      case Word::content: return read_content(message);
      default: return read_item_member(message, word);
    }
  });
  if (!object) return;
  if (message.type == Word::function_call) message.call_bytes += walker_.position() - begin;
  take_message(message);
}

void PromptReader::read_item_member(Message& message, Word word) {
  std::string_view type;
  switch (word) {
    case Word::type:
      if (read_string(type)) message.type = word_of(type);
      return;
    case Word::tool_calls:
      read_elements([&] {
        json::Value call;
        if (pass(call)) message.call_bytes += call.end - call.begin;
        ++message.calls;
      });
      return;
    case Word::function_call: message.calls += walker_.peek() == Kind::object; break;
    default: break;
  }
  walker_.pass();
}

// A text, or a list of texts and parts.
void PromptReader::read_content(Message& message) {
  std::string_view text;
  if (walker_.peek() == Kind::string) {
    if (read_string(text)) message.add_text(text);
    return;
  }
  if (walker_.peek() == Kind::object) return read_part(message);
  read_elements([&] {
    if (walker_.peek() == Kind::string) {
      if (read_string(text)) message.add_text(text);
    } else {
      read_part(message);
    }
  });
}

void PromptReader::read_part(Message& message) {
  const uint32_t begin = walker_.position();
  Part part;
  std::string_view type;
  read_members([&](Word word) {
    switch (word) {
      case Word::type:
        if (read_string(type)) part.type = word_of(type);
        return;
      case Word::text: part.has_text = read_string(part.text); return;
      case Word::thought: part.thought = read_true(); return;
      case Word::function_call: part.type = Word::call_part; break;
      case Word::function_response: part.type = Word::result_part; return read_response(message);
      case Word::inline_data: return read_data(message);
      case Word::content: return read_result(message);
      default: break;
    }
    walker_.pass();
  });
  if (part.type == Word::call_part) message.call_bytes += walker_.position() - begin;
  take_part(message, part);
}

// Gemini's: an object, and beside it the images and files that belong to it.
void PromptReader::read_response(Message& message) {
  read_members([&](Word word) {
    if (word == Word::content) return read_result(message);
    add_result(message);
  });
}

// What a tool has returned: a text, or a list of texts, images and files.
void PromptReader::read_result(Message& message) {
  if (walker_.peek() != Kind::array) return add_result(message);
  read_elements([&] {
    if (walker_.peek() != Kind::object) return add_result(message);
    Part part;
    std::string_view type;
    read_members([&](Word word) {
      switch (word) {
        case Word::type:
          if (read_string(type)) part.type = word_of(type);
          return;
        case Word::text: return add_result(message);
        case Word::inline_data: return read_data(message);
        case Word::content: return read_result(message);
        default: walker_.pass();
      }
    });
    message.images += part.type == Word::image_part;
    message.audio += part.type == Word::audio_part;
    message.files += part.type == Word::file_part;
  });
}

void PromptReader::add_result(Message& message) {
  json::Value value;
  if (pass(value)) message.other_bytes += value.end - value.begin;
}

// Gemini tells by the media type what the bytes are.
void PromptReader::read_data(Message& message) {
  std::string_view type;
  read_members([&](Word word) {
    if (word != Word::mime_type || !read_string(type)) {
      if (word != Word::mime_type) walker_.pass();
    }
  });
  if (type.starts_with("image")) {
    ++message.images;
  } else if (type.starts_with("audio")) {
    ++message.audio;
  } else {
    ++message.files;
  }
}

void PromptReader::take_part(Message& message, const Part& part) {
  switch (part.type) {
    case Word::image_part: ++message.images; return;
    case Word::audio_part: ++message.audio; return;
    case Word::file_part: ++message.files; return;
    case Word::call_part: ++message.calls; return;
    case Word::result_part: ++message.results; return;
    case Word::thinking:
    case Word::thinking_part: return;
    default: break;
  }
  if (part.has_text && !part.thought) message.add_text(part.text);
}

void PromptReader::take_message(Message& message) {
  // Items of a Responses input that are no messages: a call and its result. Reasoning is neither.
  shape_.call_bytes += message.call_bytes;
  if (message.type == Word::function_call) {
    shape_.tool_calls += 1;
    return;
  }
  if (message.type == Word::reasoning) return;
  if (message.type == Word::result_part) message.role = Role::tool;
  if (message.role == Role::tool) ++message.results;
  shape_.images += message.images;
  shape_.audio += message.audio;
  shape_.files += message.files;
  shape_.tool_calls += message.calls;
  shape_.tool_results += message.results;
  shape_.tool_results_after += message.results;
  shape_.other_bytes += message.other_bytes;
  out_.wants.prefill = message.role == Role::assistant;
  switch (message.role) {
    case Role::system: shape_.system_bytes += message.text_bytes; return;
    case Role::assistant:
      ++shape_.turns;
      ++shape_.assistant_turns;
      shape_.other_bytes += message.text_bytes;
      return;
    case Role::user:
      ++shape_.turns;
      if (message.text.text_count > 0) take_user_turn(message);
      return;
    default: ++shape_.turns; shape_.other_bytes += message.text_bytes;
  }
}

void PromptReader::take_user_turn(const Message& message) {
  keep_earlier();
  shape_.other_bytes += shape_.user_bytes;
  shape_.user_bytes = message.text_bytes;
  ++shape_.user_turns;
  shape_.tool_results_after = 0;
  out_.last.text_count = message.text.text_count;
  std::copy_n(message.text.texts.begin(), message.text.text_count, out_.last.texts.begin());
  out_.last.shape = shape_;
}

// The first turn stays; the others go round in a ring.
void PromptReader::keep_earlier() {
  const Prompt& last = out_.last;
  if (last.text_count == 0) return;
  constexpr uint32_t ring = Conversation::earlier_max - 1;
  uint32_t at = out_.earlier_count;
  if (at == Conversation::earlier_max) {
    at = 1 + turns_left_out_ % ring;
    ++turns_left_out_;
  } else {
    ++out_.earlier_count;
  }
  Prompt& earlier = out_.earlier[at];
  earlier.shape = last.shape;
  earlier.texts[0] = last.texts[0];
  earlier.texts[1] = last.texts[last.text_count - 1];
  earlier.text_count = last.text_count == 1 ? 1 : 2;
}

void PromptReader::restore_order() {
  constexpr uint32_t ring = Conversation::earlier_max - 1;
  if (turns_left_out_ == 0) return;
  std::rotate(out_.earlier.begin() + 1, out_.earlier.begin() + 1 + turns_left_out_ % ring,
              out_.earlier.end());
}

// A text, a list of texts, or Gemini's content with its parts.
void PromptReader::read_system() {
  Message message;
  if (walker_.peek() != Kind::object) {
    read_content(message);
  } else {
    read_members([&](Word word) {
      if (word == Word::content) return read_content(message);
      walker_.pass();
    });
  }
  shape_.system_bytes += message.text_bytes;
}

void PromptReader::read_tools() {
  const uint32_t begin = walker_.position();
  read_elements([this] { read_tool(); });
  out_.wants.tools_bytes += walker_.position() - begin;
}

void PromptReader::read_tool() {
  uint32_t declared = 0;
  bool is_function = true;
  std::string_view type;
  const bool google = wire_ == Wire::gemini;
  read_members([&](Word word) {
    if (google && word == Word::function_declarations) {
      read_elements([&] {
        walker_.pass();
        ++declared;
      });
      return;
    }
    if (google) is_function = false;
    if (!google && word == Word::type && read_string(type)) {
      const Word kind = word_of(type);
      is_function = kind == Word::function || (kind == Word::custom && wire_ == Wire::anthropic);
      return;
    }
    if (word != Word::type || google) walker_.pass();
  });
  out_.wants.tools += google ? declared : is_function;
  out_.wants.foreign |= !is_function;
}

// "required", {"type": "any"}, {"type": "function", ...}, Gemini's mode ANY.
void PromptReader::read_tool_choice() {
  std::string_view text;
  if (walker_.peek() == Kind::string) {
    if (read_string(text)) out_.wants.tools_forced |= word_of(text) == Word::required;
    return;
  }
  read_members([&](Word word) {
    if (word == Word::tool_choice) return read_tool_choice();
    if (word == Word::type && read_string(text)) {
      const Word kind = word_of(text);
      out_.wants.tools_forced |= kind == Word::required || kind == Word::function;
      return;
    }
    if (word != Word::type) walker_.pass();
  });
}

void PromptReader::read_format() {
  std::string_view text;
  read_members([&](Word word) {
    if (word == Word::type && read_string(text)) {
      const Word kind = word_of(text);
      out_.wants.json_object |= kind == Word::json_object;
      out_.wants.json_schema |= kind == Word::json_schema;
      return;
    }
    if (word != Word::type) walker_.pass();
  });
}

void PromptReader::read_effort() {
  std::string_view name;
  if (!read_string(name)) return;
  for (uint8_t i = 0; i < static_cast<uint8_t>(catalog::Effort::count); ++i) {
    const auto effort = static_cast<catalog::Effort>(i);
    // Gemini's levels are the same words in capitals.
    const std::string_view known = catalog::name_of(effort);
    const bool same = std::equal(name.begin(), name.end(), known.begin(), known.end(),
                                 [](char a, char b) { return (a | 0x20) == b; });
    if (!same) continue;
    out_.wants.effort_given = true;
    out_.wants.effort = effort;
    out_.wants.reasoning = effort != catalog::Effort::none;
  }
}

void PromptReader::read_reasoning() {
  read_members([this](Word word) {
    if (word == Word::reasoning_effort) return read_effort();
    walker_.pass();
  });
}

void PromptReader::read_thinking() {
  bool off = false;
  std::string_view text;
  const bool object = read_members([&](Word word) {
    switch (word) {
      case Word::type:
        if (read_string(text)) off = word_of(text) == Word::disabled;
        return;
      case Word::budget: return add_budget(read_integer());
      case Word::reasoning_effort: return read_effort();
      default: walker_.pass();
    }
  });
  if (object && wire_ == Wire::anthropic && !off) out_.wants.reasoning = true;
}

void PromptReader::add_budget(int64_t tokens) {
  if (tokens > 0) out_.wants.reasoning = true;
}

void PromptReader::read_modalities() {
  std::string_view name;
  read_elements([&] {
    if (read_string(name)) out_.wants.audio_out |= name == "audio" || name == "AUDIO";
  });
}

}  // namespace

void read_conversation(std::string_view body, json::Walker walker, Wire wire,
                       Conversation& conversation) {
  conversation.last.text_count = 0;
  conversation.last.shape = {};
  conversation.earlier_count = 0;
  conversation.wants = {};
  PromptReader(body, walker, wire, conversation).read();
}

}  // namespace hyperion::routing
