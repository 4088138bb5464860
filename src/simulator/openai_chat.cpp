// Chat completions and completions: one generation, worded plain or as events.
#include <string>

#include "json/cursor.h"
#include "simulator/answer_text.h"
#include "simulator/openai.h"
#include "simulator/turn.h"

namespace hyperion::simulator::openai {
namespace {

using catalog::Endpoint;

constexpr uint32_t tokens_per_message = 4;  // its role and frame
constexpr uint32_t tokens_per_image = 85;   // the provider's own number for one of low detail
constexpr uint32_t answer_tokens_max = 1'000'000;  // all choices together
constexpr size_t tool_fragment_bytes = 8;
constexpr size_t token_mean_bytes = 9;
constexpr size_t room_bytes = 512;  // what follows the text

constexpr unsigned chat_endpoints = static_cast<unsigned>(Endpoint::chat);
constexpr unsigned completion_endpoints =
    static_cast<unsigned>(Endpoint::completions) | static_cast<unsigned>(Endpoint::chat);

constexpr uint64_t created_from_s = 1'767'225'600;  // 2026-01-01 UTC: the same answer at any time

uint64_t tokens_of_part(std::string_view part) {
  json::Cursor cursor(part);
  if (!cursor.enter_object()) return 0;
  uint64_t tokens = 0;
  std::string_view key;
  while (cursor.next_key(key)) {
    std::string_view text;
    if (key == "text" && cursor.peek() == '"') {
      if (cursor.read_string(text)) tokens += tokens_of(text.size());
      continue;
    }
    if (key == "image_url") tokens += tokens_per_image;
    if (!cursor.skip()) break;
  }
  return tokens;
}

uint64_t tokens_of_content(std::string_view content) {
  json::Cursor cursor(content);
  if (cursor.peek() == '"') return tokens_of(content.size() - 2);
  uint64_t tokens = 0;
  std::string_view part;
  if (cursor.peek() != '[' || !cursor.enter_array()) return 0;
  while (cursor.next_element() && cursor.read_raw(part)) tokens += tokens_of_part(part);
  return tokens;
}

// Each message has its frame, and its contents by the rule; whatever else it carries is free.
uint64_t tokens_of_messages(std::string_view messages, uint32_t& count) {
  json::Cursor cursor(messages);
  uint64_t tokens = 0;
  count = 0;
  if (!cursor.enter_array()) return 0;
  while (cursor.next_element()) {
    ++count;
    tokens += tokens_per_message;
    if (cursor.peek() != '{') {
      if (!cursor.skip()) break;
      continue;
    }
    std::string_view key;
    std::string_view value;
    if (!cursor.enter_object()) break;
    while (cursor.next_key(key) && cursor.read_raw(value)) {
      if (key == "content") tokens += tokens_of_content(value);
    }
  }
  return tokens;
}

std::string_view finish_reason(const Generation& generation) {
  if (generation.length_reached) return "length";
  return generation.tool_name.empty() ? "stop" : "tool_calls";
}

uint64_t choice_seed(const Generation& generation, uint32_t choice) {
  return choice == 0 ? generation.seed : mix(generation.seed, choice);
}

void append_text(std::string& out, const Generation& generation, uint32_t choice) {
  const uint64_t seed = choice_seed(generation, choice);
  out.reserve(out.size() + size_t{generation.tokens} * token_mean_bytes + room_bytes);
  for (uint32_t i = 0; i < generation.tokens; ++i) {
    append_token(out, generation.model->id, seed, i);
  }
}

std::string_view tool_fragment(const Generation& generation, uint32_t index) {
  return std::string_view(generation.tool_arguments)
      .substr(index * tool_fragment_bytes, tool_fragment_bytes);
}

void append_call_id(std::string& out, const Generation& generation, uint32_t choice) {
  out += "\"id\":\"call_";
  append_hex(out, mix(choice_seed(generation, choice), 2), 24);
  out += "\",\"type\":\"function\",\"function\":{\"name\":\"";
  out += generation.tool_name;
  out += "\",\"arguments\":\"";
}

void append_message(std::string& out, const Generation& generation, uint32_t choice) {
  out += "{\"index\":";
  append_number(out, choice);
  out += ",\"message\":{\"role\":\"assistant\",\"content\":";
  if (generation.tool_name.empty()) {
    out += '"';
    append_text(out, generation, choice);
    out += "\",\"refusal\":null,\"annotations\":[]}";
  } else {
    out += "null,\"tool_calls\":[{";
    append_call_id(out, generation, choice);
    const size_t size = generation.tokens * tool_fragment_bytes;
    append_escaped(out, std::string_view(generation.tool_arguments).substr(0, size));
    out += "\"}}],\"refusal\":null,\"annotations\":[]}";
  }
  out += ",\"logprobs\":null,\"finish_reason\":\"";
  out += finish_reason(generation);
  out += "\"}";
}

// The first events: role and, of a tool, its name; then the tokens; then the ends, usage, [DONE].
void append_delta(std::string& out, const Generation& generation, uint32_t choice,
                  uint32_t position) {
  const uint32_t token_end = generation.opening_events + generation.token_events;
  const bool tool = !generation.tool_name.empty();
  if (position < generation.opening_events) {
    if (!tool) {
      out += "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}";
      return;
    }
    out += "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"index\":0,";
    append_call_id(out, generation, choice);
    out += "\"}}],\"refusal\":null}";
  } else if (position < token_end) {
    const uint32_t index = (position - generation.opening_events) / generation.choices;
    if (tool) {
      out += "{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":\"";
      append_escaped(out, tool_fragment(generation, index));
      out += "\"}}]}";
    } else {
      out += "{\"content\":\"";
      append_token(out, generation.model->id, choice_seed(generation, choice), index);
      out += "\"}";
    }
  } else {
    out += "{}";
  }
}

// Fills the room of short tokens, so that their lengths are not told to a listener.
void append_obfuscation(std::string& out, const Generation& generation) {
  const uint64_t bits = mix(generation.seed, 0x0bf5ull + generation.position);
  out += ",\"obfuscation\":\"";
  append_hex(out, bits, 1 + static_cast<unsigned>(bits % 12));
  out += "\"}\n\n";
}

void write_chat_event(const Generation& generation, std::string& out) {
  const uint32_t position = generation.position;
  const uint32_t choices_end =
      generation.opening_events + generation.token_events + generation.choices;
  const bool usage_event = generation.include_usage && position == choices_end;
  if (position >= choices_end && !usage_event) {
    out += "data: [DONE]\n\n";
    return;
  }
  out += "data: {";
  append_ids(out, generation, "chatcmpl-", "chat.completion.chunk");
  out += ',';
  append_fingerprint(out, generation);
  if (usage_event) {
    out += ",\"choices\":[],";
    append_usage(generation, true, out);
  } else {
    const uint32_t choice = position % generation.choices;
    out += ",\"choices\":[{\"index\":";
    append_number(out, choice);
    out += ",\"delta\":";
    append_delta(out, generation, choice, position);
    out += ",\"logprobs\":null,\"finish_reason\":";
    if (position >= choices_end - generation.choices) {
      out += '"';
      out += finish_reason(generation);
      out += "\"}]";
    } else {
      out += "null}]";
    }
    if (generation.include_usage) out += ",\"usage\":null";
  }
  append_obfuscation(out, generation);
}

void write_completion_event(const Generation& generation, std::string& out) {
  const uint32_t choices_end = generation.token_events + generation.choices;
  const uint32_t position = generation.position;
  const bool usage_event = generation.include_usage && position == choices_end;
  if (position >= choices_end && !usage_event) {
    out += "data: [DONE]\n\n";
    return;
  }
  out += "data: {";
  append_ids(out, generation, "cmpl-", "text_completion");
  if (usage_event) {
    out += ",\"choices\":[],";
    append_usage(generation, false, out);
    out += "}\n\n";
    return;
  }
  const uint32_t choice = position % generation.choices;
  out += ",\"choices\":[{\"text\":\"";
  const bool token = position < generation.token_events;
  if (token) {
    append_token(out, generation.model->id, choice_seed(generation, choice),
                 position / generation.choices);
  }
  out += "\",\"index\":";
  append_number(out, choice);
  out += ",\"logprobs\":null,\"finish_reason\":";
  if (token) {
    out += "null}]";
  } else {
    out += '"';
    out += finish_reason(generation);
    out += "\"}]";
  }
  out += generation.include_usage ? ",\"usage\":null}\n\n" : "}\n\n";
}

void write_chat_answer(const Generation& generation, bool usage, std::string& out) {
  out += '{';
  append_ids(out, generation, "chatcmpl-", "chat.completion");
  out += ",\"choices\":[";
  for (uint32_t choice = 0; choice < generation.choices; ++choice) {
    if (choice != 0) out += ',';
    append_message(out, generation, choice);
  }
  out += "],";
  if (usage) {
    append_usage(generation, true, out);
    out += ',';
  }
  append_fingerprint(out, generation);
  out += "}\n";
}

void write_completion_answer(const Generation& generation, bool usage, std::string& out) {
  out += '{';
  append_ids(out, generation, "cmpl-", "text_completion");
  out += ",\"choices\":[";
  for (uint32_t choice = 0; choice < generation.choices; ++choice) {
    out += choice == 0 ? "{\"text\":\"" : ",{\"text\":\"";
    append_text(out, generation, choice);
    out += "\",\"index\":";
    append_number(out, choice);
    out += ",\"logprobs\":null,\"finish_reason\":\"";
    out += finish_reason(generation);
    out += "\"}";
  }
  out += ']';
  if (usage) {
    out += ',';
    append_usage(generation, false, out);
  }
  out += "}\n";
}

struct Wording {
  void (*plain)(const Generation& generation, bool usage, std::string& out);
  EventWriter event;
  uint32_t opening_events;  // of each choice
};

constexpr Wording chat_wording = {write_chat_answer, write_chat_event, 1};
constexpr Wording completion_wording = {write_completion_answer, write_completion_event, 0};

bool generate(const Call& call, Generation& generation, Answer& answer) {
  generation.tokens = call.answer_tokens;
  if (read_tool_call(call, generation)) {
    generation.tokens = static_cast<uint32_t>(
        (generation.tool_arguments.size() + tool_fragment_bytes - 1) / tool_fragment_bytes);
  }
  if (!read_limit(call, generation, answer)) return false;
  if (uint64_t{generation.tokens} * generation.choices > answer_tokens_max) {
    write_error({400, "invalid_value", "n", "So many tokens in all choices are too many."}, answer);
    return false;
  }
  return true;
}

void finish(const Call& call, const Generation& generation, const Wording& wording,
            Answer& answer) {
  answer.model = generation.model;
  answer.counts.input = generation.input_tokens;
  answer.counts.output = completion_tokens(generation);
  const bool usage = !call.plan.is(FaultKind::no_usage);
  if (!call.scan.stream) {
    wording.plain(generation, usage, answer.body);
    return;
  }
  Generation& streamed = answer.generation;
  streamed = generation;
  streamed.include_usage = usage && call.scan.include_usage;
  streamed.opening_events = wording.opening_events * generation.choices;
  streamed.token_events = completion_tokens(generation);
  streamed.closing_events = generation.choices + (streamed.include_usage ? 2 : 1);
  answer.write_event = wording.event;
}

}  // namespace

void append_ids(std::string& out, const Generation& generation, std::string_view prefix,
                std::string_view object) {
  out += "\"id\":\"";
  out += prefix;
  append_hex(out, mix(generation.seed, 1), 24);
  out += "\",\"object\":\"";
  out += object;
  out += "\",\"created\":";
  append_number(out, static_cast<int64_t>(created_from_s + generation.seed % 31'536'000));
  out += ",\"model\":\"";
  out += generation.model->id;
  out += '"';
}

void append_fingerprint(std::string& out, const Generation& generation) {
  out += "\"service_tier\":\"default\",\"system_fingerprint\":\"fp_";
  append_hex(out, hash_text(generation.model->id, 0), 10);
  out += '"';
}

void answer_chat(const Call& call, Answer& answer) {
  Generation generation;
  generation.model = find_model(call, chat_endpoints, answer);
  if (generation.model == nullptr) return;
  if (!check_reasoning(call, *generation.model, answer)) return;
  const std::string_view messages = call.raw(json::Key::messages);
  if (messages.empty() || messages.front() != '[') {
    write_error({400, messages.empty() ? "missing_required_parameter" : "invalid_type", "messages",
                 "Expected `messages`, an array of messages."},
                answer);
    return;
  }
  uint32_t count = 0;
  const uint64_t tokens =
      tokens_of_messages(messages, count) + tokens_of(call.raw(json::Key::tools).size());
  if (count == 0) {
    write_error({400, "empty_array", "messages", "Expected at least one message."}, answer);
    return;
  }
  if (!check_context(*generation.model, tokens, answer)) return;
  generation.input_tokens = static_cast<uint32_t>(tokens);
  generation.seed = hash_text(messages, hash_text(generation.model->id, 0));
  generation.negative_usage = call.plan.is(FaultKind::negative_usage);
  if (wants_turn(call)) {
    answer_turn(call, generation, answer);
    return;
  }
  if (!generate(call, generation, answer)) return;
  finish(call, generation, chat_wording, answer);
}

void answer_completion(const Call& call, Answer& answer) {
  Generation generation;
  generation.model = find_model(call, completion_endpoints, answer);
  if (generation.model == nullptr) return;
  const std::string_view prompt = call.raw(json::Key::prompt);
  const uint64_t tokens = tokens_of(prompt.size());
  if (!check_context(*generation.model, tokens, answer)) return;
  generation.input_tokens = static_cast<uint32_t>(tokens);
  generation.seed = hash_text(prompt, hash_text(generation.model->id, 1));
  generation.negative_usage = call.plan.is(FaultKind::negative_usage);
  if (!generate(call, generation, answer)) return;
  finish(call, generation, completion_wording, answer);
}

}  // namespace hyperion::simulator::openai
