// What Anthropic refuses of system and messages, and what they count.
//
// The order of tool calls and their results is judged message by message: each message of the
// assistant that calls tools must be followed by one message that begins with all the results.
#include <algorithm>
#include <string>

#include "simulator/answer_text.h"
#include "simulator/anthropic.h"

namespace hyperion::simulator::anthropic {
namespace {

constexpr uint32_t tokens_per_message = 4;  // its role and frame
constexpr uint32_t tokens_per_attachment = 85;
constexpr unsigned cache_marks_max = 4;
constexpr std::string_view signature_begin = "EqSimulated";
constexpr unsigned signature_digits = 16;

// Blocks that come back from features the simulator does not have: let through.
constexpr std::string_view further_types[] = {"server_tool_use",
                                              "web_search_tool_result",
                                              "web_fetch_tool_result",
                                              "code_execution_tool_result",
                                              "mcp_tool_use",
                                              "mcp_tool_result",
                                              "container_upload",
                                              "search_result",
                                              "compaction",
                                              "bash_code_execution_tool_result",
                                              "text_editor_code_execution_tool_result",
                                              "tool_search_tool_result",
                                              "fallback"};

bool is_id(std::string_view id) {
  return !id.empty() && std::all_of(id.begin(), id.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

bool is_blank(std::string_view raw) {
  while (!raw.empty()) {
    if (raw.front() == ' ') {
      raw.remove_prefix(1);
    } else if (raw.starts_with("\\n") || raw.starts_with("\\t") || raw.starts_with("\\r")) {
      raw.remove_prefix(2);
    } else {
      return false;
    }
  }
  return true;
}

// Blank text of the assistant is let through (recorded), that of others is not.
bool check_text(JsonValue block, bool assistant, const std::string& path, Answer& answer) {
  if (!only_known(block, {"type", "text", "cache_control", "citations"}, path + ".text.", answer)) {
    return false;
  }
  const JsonValue text = block["text"];
  if (!text.present()) return refuse(answer, path + ".text.text: Field required");
  if (!text.is_string()) return refuse(answer, path + ".text.text: Input should be a valid string");
  if (text.text().empty()) return refuse(answer, "messages: text content blocks must be non-empty");
  if (!assistant && is_blank(text.text())) {
    return refuse(answer, "messages: text content blocks must contain non-whitespace text");
  }
  return true;
}

bool check_source(JsonValue block, const std::string& path, Request& request, Answer& answer) {
  const bool image = block["type"].text() == "image";
  const JsonValue source = block["source"];
  if (!source.is_object()) return refuse(answer, path + ".source: Field required");
  const std::string_view type = source["type"].text();
  const std::string inner = path + ".source." + std::string(type.substr(0, 32)) + ".";
  if (type == "base64") {
    if (!only_known(source, {"type", "media_type", "data"}, inner, answer)) return false;
    const std::string_view media = source["media_type"].text();
    const bool known = image ? media == "image/jpeg" || media == "image/png" ||
                                   media == "image/gif" || media == "image/webp"
                             : media == "application/pdf";
    if (!known) {
      return refuse(answer, inner + "media_type: Input should be " +
                                (image ? "'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
                                       : "'application/pdf'"));
    }
    std::string seen = describe_attachment(media, source["data"].text());
    if (seen.empty()) return refuse(answer, inner + "data: Invalid base64 data");
    request.turn.seen.push_back(std::move(seen));
    return true;
  }
  if (type == "url") {
    if (!only_known(source, {"type", "url"}, inner, answer)) return false;
    if (!source["url"].text().starts_with("https://")) {
      return refuse(answer, inner + "url: Only HTTPS URLs are supported.");
    }
    request.turn.seen.push_back(std::string(image ? "an image" : "a document") + " at a URL");
    return true;
  }
  if (type == "file") {
    request.turn.seen.push_back("a file");
    return only_known(source, {"type", "file_id"}, inner, answer);
  }
  if (!image && type == "text") {
    request.turn.seen.push_back("text/plain of " + std::to_string(source["data"].text().size()) +
                                " bytes");
    return only_known(source, {"type", "media_type", "data"}, inner, answer);
  }
  if (!image && type == "content") return true;
  return refuse(answer, path + ".source: Input tag '" + std::string(type.substr(0, 64)) +
                            "' found using 'type' does not match any of the expected tags: "
                            "'base64', 'file', 'url'");
}

bool check_tool_use(JsonValue block, const std::string& path, Request& request, Answer& answer) {
  const std::string inner = path + ".tool_use.";
  if (!only_known(block, {"type", "id", "name", "input", "cache_control", "caller"}, inner,
                  answer)) {
    return false;
  }
  if (!is_id(block["id"].text())) {
    return refuse(answer, inner + "id: String should match pattern '^[a-zA-Z0-9_-]+$'");
  }
  if (block["name"].text().empty()) return refuse(answer, inner + "name: Field required");
  if (!block["input"].is_object()) {
    return refuse(answer, inner + "input: Input should be an object");
  }
  std::string id(block["id"].text());
  if (std::find(request.tool_use_ids.begin(), request.tool_use_ids.end(), id) !=
      request.tool_use_ids.end()) {
    return refuse(answer, "messages: `tool_use` ids must be unique");
  }
  request.tool_use_ids.push_back(std::move(id));
  return true;
}

bool check_result_content(JsonValue content, const std::string& path, Request& request,
                          uint64_t& tokens, Answer& answer) {
  if (content.is_nothing()) return true;
  if (content.is_string()) {
    tokens += tokens_of(content.text().size());
    return true;
  }
  if (!content.is_array()) {
    return refuse(answer, path + ".tool_result.content: Input should be a valid string or array");
  }
  uint32_t index = 0;
  for (JsonValue block : content) {
    const std::string inner = path + ".tool_result.content." + std::to_string(index++);
    const std::string_view type = block["type"].text();
    if (type == "text") {
      tokens += tokens_of(block["text"].text().size());
      if (!check_text(block, false, inner, answer)) return false;
    } else if (type == "image" || type == "document") {
      tokens += tokens_per_attachment;
      if (!check_source(block, inner + "." + std::string(type), request, answer)) return false;
    } else if (type != "search_result" && type != "tool_reference") {
      return refuse(answer, inner + ": Input tag '" + std::string(type.substr(0, 64)) +
                                "' found using 'type' does not match any of the expected tags: "
                                "'document', 'image', 'search_result', 'text'");
    }
  }
  return true;
}

bool check_thinking_block(JsonValue block, const std::string& path, Answer& answer) {
  if (!only_known(block, {"type", "thinking", "signature"}, path + ".thinking.", answer)) {
    return false;
  }
  if (!block["thinking"].is_string()) {
    return refuse(answer, path + ".thinking.thinking: Field required");
  }
  if (!block["signature"].is_string()) {
    return refuse(answer, path + ".thinking.signature: Field required");
  }
  if (is_signature_of(block["signature"].text(), block["thinking"].text())) return true;
  return refuse(answer, path + ": Invalid `signature` in `thinking` block");
}

// A block by itself; its place among the others is judged elsewhere.
bool check_block(JsonValue block, bool assistant, const std::string& path, Request& request,
                 Answer& answer) {
  const std::string_view type = block["type"].text();
  if (!block.is_object()) return refuse(answer, path + ": Input should be an object");
  if (!block["type"].present()) return refuse(answer, path + ".type: Field required");
  uint64_t tokens = 0;
  bool good = true;
  if (type == "text") {
    tokens = tokens_of(block["text"].text().size());
    good = check_text(block, assistant, path, answer);
  } else if (!assistant && (type == "image" || type == "document")) {
    tokens = tokens_per_attachment;
    good = check_source(block, path + "." + std::string(type), request, answer);
  } else if (assistant && type == "tool_use") {
    tokens = tokens_of(block["input"].raw().size());
    good = check_tool_use(block, path, request, answer);
  } else if (!assistant && type == "tool_result") {
    good = only_known(block, {"type", "tool_use_id", "content", "is_error", "cache_control"},
                      path + ".tool_result.", answer) &&
           check_result_content(block["content"], path, request, tokens, answer);
  } else if (assistant && type == "thinking") {
    good = check_thinking_block(block, path, answer);
  } else if (assistant && type == "redacted_thinking") {
    good = only_known(block, {"type", "data"}, path + ".redacted_thinking.", answer);
  } else if (std::find(std::begin(further_types), std::end(further_types), type) ==
             std::end(further_types)) {
    const bool misplaced = type == "tool_use" || type == "tool_result" || type == "image" ||
                           type == "thinking" || type == "document";
    return refuse(answer, misplaced
                              ? path + ": `" + std::string(type) + "` blocks are not allowed in `" +
                                    (assistant ? "assistant" : "user") + "` messages"
                              : path + ": Input tag '" + std::string(type.substr(0, 64)) +
                                    "' found using 'type' does not match any of the expected tags: "
                                    "'document', 'image', 'redacted_thinking', 'text', 'thinking', "
                                    "'tool_result', 'tool_use'");
  }
  return good && count_tokens(block, tokens, path, request, answer);
}

// Results must answer the calls of the message before, all of them, and come first.
bool check_results(JsonValue content, const std::vector<std::string>& wanted, uint32_t number,
                   Answer& answer) {
  std::vector<std::string_view> leading;
  bool at_start = true;
  uint32_t index = 0;
  for (JsonValue block : content) {
    const std::string path =
        "messages." + std::to_string(number) + ".content." + std::to_string(index++);
    const bool result = block["type"].text() == "tool_result";
    at_start &= result;
    if (!result) continue;
    const std::string_view id = block["tool_use_id"].text();
    if (std::find(wanted.begin(), wanted.end(), id) == wanted.end()) {
      return refuse(answer, path + ": unexpected `tool_use_id` found in `tool_result` blocks: " +
                                std::string(id.substr(0, 128)) +
                                ". Each `tool_result` block must have a corresponding `tool_use` "
                                "block in the previous message.");
    }
    if (std::find(leading.begin(), leading.end(), id) != leading.end()) {
      return refuse(answer, path +
                                ": each tool_use must have a single result. Found multiple "
                                "`tool_result` blocks with id: " +
                                std::string(id.substr(0, 128)));
    }
    if (at_start) leading.push_back(id);
  }
  std::string missing;
  for (const std::string& id : wanted) {
    if (std::find(leading.begin(), leading.end(), id) != leading.end()) continue;
    missing += (missing.empty() ? "" : ", ") + id;
  }
  if (missing.empty()) return true;
  return refuse(answer, "messages." + std::to_string(number - 1) +
                            ": `tool_use` ids were found without `tool_result` blocks immediately "
                            "after: " +
                            missing.substr(0, 512) +
                            ". Each `tool_use` block must have a corresponding `tool_result` block "
                            "in the next message.");
}

bool check_string_content(std::string_view text, uint32_t number, bool last_of_assistant,
                          Answer& answer) {
  if (text.empty() && !last_of_assistant) {
    return refuse(answer, "messages." + std::to_string(number) +
                              ": all messages must have non-empty content except for the optional "
                              "final assistant message");
  }
  if (!text.empty() && is_blank(text)) {
    return refuse(answer, "messages: text content blocks must contain non-whitespace text");
  }
  if (last_of_assistant && (text.ends_with(" ") || text.ends_with("\\n"))) {
    return refuse(answer, "messages: final assistant content cannot end with trailing whitespace");
  }
  return true;
}

bool check_content(JsonValue content, bool assistant, uint32_t number, bool last, Request& request,
                   Answer& answer) {
  const std::string path = "messages." + std::to_string(number) + ".content";
  if (!content.present()) return refuse(answer, path + ": Field required");
  if (content.is_string()) {
    request.counts.input += tokens_of(content.text().size());
    return check_string_content(content.text(), number, last && assistant, answer);
  }
  if (!content.is_array()) return refuse(answer, path + ": Input should be a valid array");
  if (content.size() == 0 && !(last && assistant)) {
    return check_string_content({}, number, false, answer);
  }
  uint32_t index = 0;
  for (JsonValue block : content) {
    if (!check_block(block, assistant, path + "." + std::to_string(index++), request, answer)) {
      return false;
    }
  }
  return true;
}

bool check_last(const Request& request, JsonValue last, uint32_t number, Answer& answer) {
  if (!request.tool_use_ids.empty()) return check_results({}, request.tool_use_ids, number, answer);
  if (last["role"].text() != "assistant") return true;
  if (!request.model->prefill || request.turn.thinking) {
    return refuse(answer,
                  "This model does not support assistant message prefill. The conversation "
                  "must end with a user message.");
  }
  return true;
}

// With a budget for thinking, calls come back together with the thinking that led to them.
bool check_thinking_returned(const Request& request, JsonValue messages, Answer& answer) {
  if (!request.thinking_must_return) return true;
  JsonValue calling;
  uint32_t number = 0;
  uint32_t found = 0;
  for (JsonValue message : messages) {
    if (message["role"].text() == "assistant") {
      calling = message["content"];
      found = number;
    }
    ++number;
  }
  if (!calling.is_array()) return true;
  const std::string_view first = calling.at(0)["type"].text();
  bool calls = false;
  for (JsonValue block : calling) calls |= block["type"].text() == "tool_use";
  if (!calls || first == "thinking" || first == "redacted_thinking") return true;
  return refuse(answer, "messages." + std::to_string(found) +
                            ".content.0.type: Expected `thinking` or `redacted_thinking`, but "
                            "found `" +
                            std::string(first) +
                            "`. When `thinking` is enabled, a final `assistant` message must start "
                            "with a thinking block (preceeding the lastmost set of `tool_use` and "
                            "`tool_result` blocks).");
}

bool check_role(const Request& request, std::string_view role, uint32_t number, Answer& answer) {
  const std::string path = "messages." + std::to_string(number) + ".role";
  if (role == "system") {
    if (request.model->system_in_messages && number != 0) return true;
    return refuse(answer,
                  "messages: Unexpected role \"system\". The Messages API accepts a "
                  "top-level `system` parameter, not \"system\" as an input message role.");
  }
  if (role != "user" && role != "assistant") {
    return refuse(answer, path + ": Input should be 'user' or 'assistant'");
  }
  if (number == 0 && role != "user") {
    return refuse(answer, "messages: first message must use the \"user\" role");
  }
  return true;
}

}  // namespace

std::string signature_of(uint64_t seed, std::string_view thinking) {
  std::string signature(signature_begin);
  append_hex(signature, seed, signature_digits);
  const std::string_view image = std::string_view(signature).substr(signature_begin.size());
  const uint64_t seal = hash_text(thinking, hash_text(image, 0));
  append_hex(signature, seal, signature_digits);
  return signature;
}

bool is_signature_of(std::string_view signature, std::string_view thinking) {
  const size_t size = signature_begin.size() + 2 * signature_digits;
  if (!signature.starts_with(signature_begin) || signature.size() != size) return false;
  const std::string_view image = signature.substr(signature_begin.size(), signature_digits);
  std::string expected;
  append_hex(expected, hash_text(thinking, hash_text(image, 0)), signature_digits);
  return signature.ends_with(expected);
}

bool count_tokens(JsonValue block, uint64_t tokens, const std::string& path, Request& request,
                  Answer& answer) {
  const JsonValue mark = block["cache_control"];
  if (mark.is_nothing()) {
    request.counts.input += tokens;
    return true;
  }
  if (!only_known(mark, {"type", "ttl"}, path + ".cache_control.", answer)) return false;
  if (mark["type"].text() != "ephemeral") {
    return refuse(answer, path + ".cache_control.type: Input should be 'ephemeral'");
  }
  const std::string_view lifetime = mark["ttl"].text();
  if (mark["ttl"].present() && lifetime != "5m" && lifetime != "1h") {
    return refuse(answer, path + ".cache_control.ttl: Input should be '5m' or '1h'");
  }
  if (++request.cache_marks > cache_marks_max) {
    return refuse(answer, "A maximum of 4 blocks with cache_control may be provided. Found " +
                              std::to_string(request.cache_marks) + ".");
  }
  if (lifetime == "1h") {
    request.counts.cache_write_1h += tokens;
  } else if (lifetime == "5m") {
    request.counts.cache_write += tokens;
  } else {
    request.counts.cached += tokens;
  }
  return true;
}

bool read_system(Request& request, Answer& answer) {
  const JsonValue system = request.root["system"];
  if (system.is_nothing()) return true;
  if (system.is_string()) {
    request.counts.input += tokens_of(system.text().size());
    return true;
  }
  if (!system.is_array()) return refuse(answer, "system: Input should be a valid string or array");
  uint32_t index = 0;
  for (JsonValue block : system) {
    const std::string path = "system." + std::to_string(index++);
    if (block["type"].text() != "text")
      return refuse(answer, path + ".type: Input should be 'text'");
    if (block["text"].text().empty()) {
      return refuse(answer, "system: text content blocks must be non-empty");
    }
    if (!check_text(block, false, path, answer)) return false;
    if (!count_tokens(block, tokens_of(block["text"].text().size()), path, request, answer)) {
      return false;
    }
  }
  return true;
}

bool read_messages(Request& request, Answer& answer) {
  const JsonValue messages = request.root["messages"];
  if (!messages.present()) return refuse(answer, "messages: Field required");
  if (!messages.is_array()) return refuse(answer, "messages: Input should be a valid array");
  if (messages.size() == 0) return refuse(answer, "messages: at least one message is required");
  uint32_t number = 0;
  JsonValue last;
  bool tool_blocks = false;
  for (JsonValue message : messages) {
    const std::string path = "messages." + std::to_string(number) + ".";
    if (!only_known(message, {"role", "content"}, path, answer)) return false;
    if (!check_role(request, message["role"].text(), number, answer)) return false;
    const bool assistant = message["role"].text() == "assistant";
    const JsonValue content = message["content"];
    request.counts.input += tokens_per_message;
    const JsonValue blocks = content.is_array() ? content : JsonValue();
    if (!check_results(blocks, request.tool_use_ids, number, answer)) return false;
    tool_blocks |= !request.tool_use_ids.empty();
    request.tool_use_ids.clear();
    const bool final_message = number + 1 == messages.size();
    if (!check_content(content, assistant, number, final_message, request, answer)) return false;
    last = message;
    ++number;
  }
  if (!check_last(request, last, number, answer)) return false;
  if (!check_thinking_returned(request, messages, answer)) return false;
  if (tool_blocks && request.root["tools"].size() == 0) {
    return refuse(answer,
                  "tools: Field required: requests which include `tool_use` or "
                  "`tool_result` blocks must define tools");
  }
  return true;
}

}  // namespace hyperion::simulator::anthropic
