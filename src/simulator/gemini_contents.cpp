// What Gemini refuses of contents, and what they count.
//
// Turns are judged in order: calls of functions follow a user's turn, all their responses follow
// next. In the current turn (what came after the user last said something) the first call of each
// content must bring back its signature, where the model gave one.
#include <algorithm>
#include <string>

#include "simulator/answer_text.h"
#include "simulator/gemini.h"

namespace hyperion::simulator::gemini {
namespace {

constexpr uint32_t tokens_per_content = 4;
constexpr uint32_t tokens_per_attachment = 85;
constexpr std::string_view signature_begin = "EqSi";
constexpr unsigned signature_digits = 16;
// The provider's own words for a signature that was lost.
constexpr std::string_view signatures_skipped[] = {"skip_thought_signature_validator",
                                                   "context_engineering_is_the_way_to_go"};

constexpr std::string_view data_fields[] = {
    "text",           "inlineData",         "fileData", "functionCall", "functionResponse",
    "executableCode", "codeExecutionResult"};

bool is_signature_of(std::string_view signature, std::string_view function) {
  if (std::find(std::begin(signatures_skipped), std::end(signatures_skipped), signature) !=
      std::end(signatures_skipped)) {
    return true;
  }
  const size_t size = signature_begin.size() + 2 * signature_digits;
  if (!signature.starts_with(signature_begin) || signature.size() != size) return false;
  const std::string_view image = signature.substr(signature_begin.size(), signature_digits);
  std::string expected;
  append_hex(expected, hash_text(function, hash_text(image, 0)), signature_digits);
  return signature.ends_with(expected);
}

bool check_blob(JsonValue blob, const std::string& path, Request& request, Answer& answer) {
  if (!check_members(blob, {"mimeType", "data", "displayName"}, path, answer)) return false;
  const std::string_view media = member(blob, "mimeType").text();
  const bool known = media.starts_with("image/") || media.starts_with("audio/") ||
                     media.starts_with("video/") || media.starts_with("text/") ||
                     media == "application/pdf" || media == "application/json";
  if (!known) {
    return refuse(answer, "Unsupported MIME type: " + std::string(media.substr(0, 64)));
  }
  std::string seen = describe_attachment(media, blob["data"].text());
  if (seen.empty()) {
    return refuse(answer, "Invalid value at '" + path +
                              ".data' (TYPE_BYTES), Base64 decoding "
                              "failed for \"" +
                              std::string(blob["data"].text().substr(0, 32)) + "\"");
  }
  request.turn.seen.push_back(std::move(seen));
  request.tokens += tokens_per_attachment;
  return true;
}

bool check_function_call(JsonValue call, const std::string& path, Request& request,
                         Answer& answer) {
  if (!check_members(call, {"name", "args", "id"}, path, answer)) return false;
  if (call["name"].text().empty()) {
    return refuse(answer, "* GenerateContentRequest." + path + ".name: Name cannot be empty.");
  }
  const JsonValue args = call["args"];
  if (!args.is_nothing() && !args.is_object()) {
    return refuse(answer, "Invalid value at '" + path +
                              ".args' (type.googleapis.com/google.protobuf.Struct), " +
                              std::string(args.raw().substr(0, 64)));
  }
  request.tokens += tokens_of(args.raw().size());
  return true;
}

bool check_function_response(JsonValue response, const std::string& path, Request& request,
                             Answer& answer) {
  if (!check_members(response, {"name", "response", "id", "parts", "willContinue", "scheduling"},
                     path, answer)) {
    return false;
  }
  if (response["name"].text().empty()) {
    return refuse(answer, "* GenerateContentRequest." + path + ".name: Name cannot be empty.");
  }
  if (!response["response"].is_object()) {
    return refuse(answer, "Invalid value at '" + path +
                              ".response' (type.googleapis.com/google.protobuf.Struct), " +
                              std::string(response["response"].raw().substr(0, 64)));
  }
  request.tokens += tokens_of(response["response"].raw().size());
  return true;
}

bool check_part(JsonValue part, const std::string& path, Request& request, Answer& answer) {
  if (!check_members(part,
                     {"text", "inlineData", "fileData", "functionCall", "functionResponse",
                      "executableCode", "codeExecutionResult", "thought", "thoughtSignature",
                      "videoMetadata", "partMetadata", "mediaResolution"},
                     path, answer)) {
    return false;
  }
  unsigned data = 0;
  for (std::string_view field : data_fields) data += !member(part, field).is_nothing();
  if (data == 0 && member(part, "thoughtSignature").is_nothing()) {
    return refuse(answer, "* GenerateContentRequest." + path +
                              ".data: required oneof field 'data' must have one initialized field");
  }
  if (data > 1) {
    return refuse(answer, "Invalid value at '" + path +
                              "' (oneof), oneof field 'data' is already set. Cannot set another.");
  }
  const JsonValue text = part["text"];
  if (!text.is_nothing() && !text.is_string()) {
    return refuse(answer, "Invalid value at '" + path + ".text' (TYPE_STRING), " +
                              std::string(text.raw().substr(0, 64)));
  }
  if (!part["thought"].is_true()) request.tokens += tokens_of(text.text().size());
  const JsonValue blob = member(part, "inlineData");
  const JsonValue file = member(part, "fileData");
  const JsonValue call = member(part, "functionCall");
  const JsonValue response = member(part, "functionResponse");
  if (!blob.is_nothing()) return check_blob(blob, path + ".inline_data", request, answer);
  if (!file.is_nothing()) {
    request.tokens += tokens_per_attachment;
    request.turn.seen.push_back("a file");
    return check_members(file, {"mimeType", "fileUri", "displayName"}, path + ".file_data", answer);
  }
  if (!call.is_nothing()) {
    return check_function_call(call, path + ".function_call", request, answer);
  }
  return response.is_nothing() ||
         check_function_response(response, path + ".function_response", request, answer);
}

struct PartCounts {
  uint32_t calls = 0;
  uint32_t responses = 0;
  bool says = false;  // something that is neither
};

PartCounts count_parts(JsonValue content) {
  PartCounts counts;
  for (JsonValue part : content["parts"]) {
    if (!member(part, "functionCall").is_nothing()) {
      ++counts.calls;
    } else if (!member(part, "functionResponse").is_nothing()) {
      ++counts.responses;
    } else {
      counts.says |= part["text"].text().size() != 0 || !part["text"].is_string();
    }
  }
  return counts;
}

bool is_model_turn(JsonValue content) { return content["role"].text() == "model"; }

bool check_order(JsonValue contents, Answer& answer) {
  uint32_t calls_before = 0;
  bool first = true;
  for (JsonValue content : contents) {
    const PartCounts counts = count_parts(content);
    const bool model = is_model_turn(content);
    if (first && model) {
      return refuse(answer, counts.calls != 0
                                ? "Please ensure that function call turn comes immediately after a "
                                  "user turn or after a function response turn."
                                : "Please ensure that multiturn requests begin with a user turn.");
    }
    if (!model && counts.responses != calls_before) {
      return refuse(answer, calls_before == 0
                                ? "Please ensure that function response turn comes immediately "
                                  "after a function call turn."
                                : "Please ensure that the number of function response parts is "
                                  "equal to the number of function call parts of the function call "
                                  "turn.");
    }
    if (model && calls_before != 0) {
      return refuse(answer,
                    "Please ensure that function call turn comes immediately after a user "
                    "turn or after a function response turn.");
    }
    calls_before = model ? counts.calls : 0;
    first = false;
  }
  if (calls_before == 0) return true;
  return refuse(answer,
                "Please ensure that the number of function response parts is equal to the "
                "number of function call parts of the function call turn.");
}

// The calls of one content: its first must carry a signature.
bool check_signature(JsonValue content, uint32_t position, Answer& answer) {
  for (JsonValue part : content["parts"]) {
    const JsonValue call = member(part, "functionCall");
    if (call.is_nothing()) continue;
    const std::string name(call["name"].text().substr(0, 128));
    const std::string_view signature = member(part, "thoughtSignature").text();
    if (signature.empty()) {
      return refuse(answer,
                    "Function call is missing a thought_signature in functionCall parts. "
                    "This is required for tools to work correctly, and missing "
                    "thought_signature may lead to degraded model performance. Additional "
                    "data, function call `default_api:" +
                        name + "` , position " + std::to_string(position) +
                        ". Please refer to "
                        "https://ai.google.dev/gemini-api/docs/thought-signatures for more "
                        "details.");
    }
    if (!is_signature_of(signature, name)) {
      return refuse(answer, "Thought signature is not valid.");
    }
    return true;
  }
  return true;
}

bool check_signatures(const Request& request, JsonValue contents, Answer& answer) {
  if (request.model->thinking != catalog::Thinking::level) return true;
  uint32_t turn_begin = 0;
  uint32_t position = 0;
  for (JsonValue content : contents) {
    if (!is_model_turn(content) && count_parts(content).says) turn_begin = position;
    ++position;
  }
  position = 0;
  for (JsonValue content : contents) {
    const bool current = position++ >= turn_begin;
    if (current && is_model_turn(content) && !check_signature(content, position, answer)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string signature_of(uint64_t seed, std::string_view function) {
  std::string signature(signature_begin);
  append_hex(signature, seed, signature_digits);
  const std::string_view image = std::string_view(signature).substr(signature_begin.size());
  const uint64_t seal = hash_text(function, hash_text(image, 0));
  append_hex(signature, seal, signature_digits);
  return signature;
}

bool count_texts(JsonValue content, const std::string& path, uint64_t& tokens, Answer& answer) {
  if (!check_members(content, {"role", "parts"}, path, answer)) return false;
  const JsonValue parts = content["parts"];
  if (parts.size() == 0 && !parts.is_object()) {
    return refuse(answer,
                  "* GenerateContentRequest." + path + ".parts: contents.parts must not be empty.");
  }
  // A single message stands for a list of one, in this place.
  if (parts.is_object()) tokens += tokens_of(parts["text"].text().size());
  if (!parts.is_array()) return true;
  for (JsonValue part : parts) {
    if (!check_members(part, {"text"}, path + ".parts", answer)) return false;
    tokens += tokens_of(part["text"].text().size());
  }
  return true;
}

bool read_contents(Request& request, Answer& answer) {
  const JsonValue contents = request.root["contents"];
  if (!contents.is_nothing() && !contents.is_array()) {
    return refuse(answer,
                  "Invalid value at 'contents', " + std::string(contents.raw().substr(0, 64)));
  }
  if (contents.size() == 0) {
    return refuse(answer, "* GenerateContentRequest.contents: contents is not specified");
  }
  uint32_t index = 0;
  for (JsonValue content : contents) {
    const std::string path = "contents[" + std::to_string(index++) + "]";
    if (!check_members(content, {"role", "parts"}, path, answer)) return false;
    const JsonValue role = content["role"];
    const bool known = role.text() == "user" || role.text() == "model" ||
                       role.text() == "function" || (role.is_nothing() && contents.size() == 1);
    if (!known) return refuse(answer, "Please use a valid role: user, model.");
    const JsonValue parts = content["parts"];
    if (!parts.is_array() || parts.size() == 0) {
      return refuse(
          answer, "* GenerateContentRequest." + path + ".parts: contents.parts must not be empty.");
    }
    request.tokens += tokens_per_content;
    uint32_t number = 0;
    for (JsonValue part : parts) {
      const std::string inner = path + ".parts[" + std::to_string(number++) + "]";
      if (!check_part(part, inner, request, answer)) return false;
    }
  }
  return check_order(contents, answer) && check_signatures(request, contents, answer);
}

}  // namespace hyperion::simulator::gemini
