// Embeddings, moderations and the list of models.
#include <cstring>
#include <string>
#include <vector>

#include "json/cursor.h"
#include "simulator/answer_text.h"
#include "simulator/base64.h"
#include "simulator/openai.h"
#include "simulator/vectors.h"

namespace hyperion::simulator::openai {
namespace {

constexpr uint32_t inputs_max = 2048;                // the provider's own limit
constexpr uint64_t numbers_max = uint64_t{1} << 20;  // of all vectors: keeps an answer below 16 MiB
constexpr uint32_t dimensions_max = 3072;
constexpr int64_t owned_from_s = 1'767'225'600;

constexpr unsigned embedding_endpoints = static_cast<unsigned>(catalog::Endpoint::embeddings);

void append_vector(std::string& out, const std::vector<float>& vector, bool base64) {
  if (base64) {
    out += '"';
    append_base64(out, {reinterpret_cast<const char*>(vector.data()), vector.size() * 4});
    out += '"';
    return;
  }
  append_numbers(out, vector);
}

// The inputs one by one: a string, a list of strings, a list of tokens, or a list of such lists.
std::vector<std::string_view> split_input(std::string_view input) {
  std::vector<std::string_view> inputs;
  json::Cursor cursor(input);
  std::string_view element;
  if (cursor.peek() != '[') {
    if (!input.empty()) inputs.push_back(input);
    return inputs;
  }
  if (!cursor.enter_array()) return inputs;
  while (cursor.next_element() && cursor.read_raw(element)) {
    const bool token = element.front() != '"' && element.front() != '[';
    if (token) return {input};
    inputs.push_back(element);
    if (inputs.size() > inputs_max) break;
  }
  return inputs;
}

uint64_t tokens_of_input(std::string_view input) {
  if (input.empty() || input.front() != '[')
    return tokens_of(input.size() > 2 ? input.size() - 2 : 1);
  uint64_t tokens = 0;
  json::Cursor cursor(input);
  if (!cursor.enter_array()) return 1;
  while (cursor.next_element() && cursor.skip()) ++tokens;
  return tokens;
}

bool read_dimensions(const Call& call, const catalog::Model& model, uint32_t& dimensions,
                     Answer& answer) {
  const std::string_view raw = find_value(call.body, "dimensions");
  dimensions = model.id.ends_with("-large") ? 3072 : 1536;
  if (raw.empty() || raw == "null") return true;
  int64_t number = 0;
  json::Cursor cursor(raw);
  if (cursor.read_integer(number) && number >= 1 && number <= dimensions_max) {
    dimensions = static_cast<uint32_t>(number);
    return true;
  }
  write_error({400, "invalid_value", "dimensions", "Expected an integer from 1 to 3072."}, answer);
  return false;
}

void append_model(std::string& out, const catalog::Model& model) {
  out += "{\"id\":\"" + model.id + "\",\"object\":\"model\",\"created\":";
  append_number(out, owned_from_s);
  out += ",\"owned_by\":\"" + model.family + "\"}";
}

constexpr const char* moderation_categories[] = {"harassment",
                                                 "harassment/threatening",
                                                 "hate",
                                                 "hate/threatening",
                                                 "illicit",
                                                 "illicit/violent",
                                                 "self-harm",
                                                 "self-harm/instructions",
                                                 "self-harm/intent",
                                                 "sexual",
                                                 "sexual/minors",
                                                 "violence",
                                                 "violence/graphic"};

void append_moderation(std::string& out, uint64_t seed) {
  out += "{\"flagged\":false,\"categories\":{";
  const char* separator = "\"";
  for (const char* category : moderation_categories) {
    out += separator;
    out += category;
    out += "\":false";
    separator = ",\"";
  }
  out += "},\"category_scores\":{";
  separator = "\"";
  for (const char* category : moderation_categories) {
    out += separator;
    out += category;
    out += "\":0.00";
    append_number(out, static_cast<int64_t>(100 + mix(seed, hash_text(category, 0)) % 900));
    separator = ",\"";
  }
  out += "}}";
}

}  // namespace

void answer_embeddings(const Call& call, Answer& answer) {
  const catalog::Model* model = find_model(call, embedding_endpoints, answer);
  if (model == nullptr) return;
  uint32_t dimensions = 0;
  if (!read_dimensions(call, *model, dimensions, answer)) return;
  const std::vector<std::string_view> inputs = split_input(call.raw(json::Key::input));
  if (inputs.empty() || inputs.size() > inputs_max || inputs.size() * dimensions > numbers_max) {
    write_error({400, "invalid_value", "input",
                 "Expected from one input up to as many as give 1048576 numbers, 2048 at most."},
                answer);
    return;
  }
  const bool base64 = find_value(call.body, "encoding_format") == "\"base64\"";
  std::vector<float> vector(dimensions);
  uint64_t tokens = 0;
  std::string& out = answer.body;
  out += "{\"object\":\"list\",\"data\":[";
  for (size_t i = 0; i < inputs.size(); ++i) {
    tokens += tokens_of_input(inputs[i]);
    draw_vector(hash_text(inputs[i], hash_text(model->id, 2)), vector);
    out +=
        i == 0 ? "{\"object\":\"embedding\",\"index\":" : ",{\"object\":\"embedding\",\"index\":";
    append_number(out, static_cast<int64_t>(i));
    out += ",\"embedding\":";
    append_vector(out, vector, base64);
    out += '}';
  }
  out += "],\"model\":\"" + model->id + "\"";
  if (!call.plan.is(FaultKind::no_usage)) {
    const int64_t count = static_cast<int64_t>(tokens);
    const int64_t told = call.plan.is(FaultKind::negative_usage) ? -count : count;
    out += ",\"usage\":{\"prompt_tokens\":";
    append_number(out, told);
    out += ",\"total_tokens\":";
    append_number(out, told);
    out += '}';
  }
  out += "}\n";
  answer.model = model;
  answer.counts.input = tokens;
}

// Costs nothing, at the provider as here; the catalogue need not know its models.
void answer_moderation(const Call& call, Answer& answer) {
  constexpr std::string_view known = "omni-moderation-latest";
  const std::string_view name = call.model_name();
  if (!name.empty() && name.find("moderation") == std::string_view::npos) {
    write_error({404, "model_not_found", "model", "No such model of moderation."}, answer);
    return;
  }
  const std::vector<std::string_view> inputs = split_input(call.raw(json::Key::input));
  if (inputs.empty() || inputs.size() > inputs_max) {
    write_error({400, "invalid_value", "input", "Expected from 1 to 2048 inputs."}, answer);
    return;
  }
  std::string& out = answer.body;
  out += "{\"id\":\"modr-";
  append_hex(out, hash_text(call.raw(json::Key::input), 3), 24);
  out += "\",\"model\":\"";
  out += known;
  out += "\",\"results\":[";
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i != 0) out += ',';
    append_moderation(out, hash_text(inputs[i], 4));
  }
  out += "]}\n";
}

void answer_models(const Call& call, Answer& answer) {
  std::string& out = answer.body;
  out += "{\"object\":\"list\",\"data\":[";
  for (const catalog::Model* model : call.models->all()) {
    if (out.back() == '}') out += ',';
    append_model(out, *model);
  }
  out += "]}\n";
}

void answer_model(const Call& call, Answer& answer) {
  const catalog::Model* model = find_model(call, 0xff, answer);
  if (model == nullptr) return;
  append_model(answer.body, *model);
  answer.body += '\n';
}

}  // namespace hyperion::simulator::openai
