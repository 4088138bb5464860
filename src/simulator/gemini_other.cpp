// Gemini's counts of tokens, embeddings and list of models.
#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

#include "simulator/answer_text.h"
#include "simulator/gemini.h"
#include "simulator/vectors.h"

namespace hyperion::simulator::gemini {
namespace {

constexpr uint32_t inputs_max = 100;  // of one batch: the provider's own limit
constexpr uint32_t dimensions_default = 3072;
constexpr uint32_t page_default = 50;
constexpr uint32_t page_max = 1000;

void append_model(const catalog::Model& model, std::string& out) {
  const bool embeds = model.serves(catalog::Endpoint::embeddings);
  out += "{\"name\":\"models/" + model.id + "\",\"version\":\"001\",\"displayName\":\"" + model.id +
         "\",\"description\":\"Simulated.\",\"inputTokenLimit\":";
  append_number(out, model.context_tokens);
  out += ",\"outputTokenLimit\":";
  append_number(out, embeds ? 1 : model.output_tokens_max);
  out += embeds ? ",\"supportedGenerationMethods\":[\"embedContent\",\"countTokens\"]}"
                : ",\"supportedGenerationMethods\":[\"generateContent\",\"countTokens\"],"
                  "\"temperature\":1,\"topP\":0.95,\"topK\":64,\"maxTemperature\":2,\"thinking\":";
  if (embeds) return;
  out += model.thinking == catalog::Thinking::none ? "false}" : "true}";
}

std::string_view query_text(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with("=")) {
      return pair.substr(name.size() + 1);
    }
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
  }
  return {};
}

struct Embedding {
  uint64_t seed = 0;
  uint32_t dimensions = dimensions_default;
};

bool read_embedding(JsonValue request, const catalog::Model& model, const std::string& path,
                    bool batch, Embedding& embedding, uint64_t& tokens, Answer& answer) {
  if (!check_members(request,
                     {"model", "content", "taskType", "title", "outputDimensionality",
                      "autoTruncate", "embedContentConfig"},
                     path, answer)) {
    return false;
  }
  const std::string_view name = request["model"].text();
  if (batch && !name.starts_with("models/")) {
    return refuse(answer,
                  "* BatchEmbedContentsRequest." + path + ".model: unexpected model name format");
  }
  if (!request["content"].is_object()) {
    return refuse(answer, "* EmbedContentRequest.content: contents is not specified");
  }
  if (!count_texts(request["content"], path.empty() ? "content" : path + ".content", tokens,
                   answer)) {
    return false;
  }
  const JsonValue dimensions = member(request, "outputDimensionality");
  if (!dimensions.is_nothing()) {
    const double wanted = dimensions.number();
    if (!dimensions.is_integer() || wanted < 1 || wanted > dimensions_default) {
      return refuse(answer, "outputDimensionality must be in the range [1, 3072].");
    }
    embedding.dimensions = static_cast<uint32_t>(wanted);
  }
  embedding.seed = hash_text(request["content"].raw(), hash_text(model.id, 2));
  return true;
}

}  // namespace

void count(const Call& call, Answer& answer) {
  Request request;
  request.counts_only = true;
  request.model = find_model(call, "countTokens", answer);
  if (request.model == nullptr) return;
  const JsonValue root = call.tree->read(call.body);
  if (!check_members(root,
                     {"contents", "generateContentRequest", "systemInstruction", "tools",
                      "generationConfig", "model"},
                     "", answer)) {
    return;
  }
  const JsonValue inner = member(root, "generateContentRequest");
  if (!read_request(call, inner.is_nothing() ? root : inner, request, answer)) return;
  std::string text = "{\"totalTokens\":";
  append_number(text, static_cast<int64_t>(request.tokens));
  text += ",\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":";
  append_number(text, static_cast<int64_t>(request.tokens));
  text += "}]}";
  append_pretty(answer.body, text);
  answer.body += '\n';
}

void embed(const Call& call, bool batch, Answer& answer) {
  const catalog::Model* model = find_model(call, "embedContent", answer);
  if (model == nullptr) return;
  if (!model->serves(catalog::Endpoint::embeddings)) {
    const std::string message = "models/" + model->id + " is not supported for embedContent.";
    write_error({404, {}, {}, message}, answer);
    return;
  }
  const JsonValue root = call.tree->read(call.body);
  std::vector<Embedding> wanted;
  uint64_t tokens = 0;
  if (batch) {
    if (!check_members(root, {"requests"}, "", answer)) return;
    if (root["requests"].size() == 0 || root["requests"].size() > inputs_max) {
      refuse(answer,
             "* BatchEmbedContentsRequest.requests: at most 100 requests can be in one "
             "batch, and at least one.");
      return;
    }
    for (JsonValue request : root["requests"]) {
      const std::string path = "requests[" + std::to_string(wanted.size()) + "]";
      if (!read_embedding(request, *model, path, true, wanted.emplace_back(), tokens, answer)) {
        return;
      }
    }
  } else if (!read_embedding(root, *model, "", false, wanted.emplace_back(), tokens, answer)) {
    return;
  }
  std::string text = batch ? "{\"embeddings\":[" : "{\"embedding\":";
  std::vector<float> vector;
  for (const Embedding& embedding : wanted) {
    vector.resize(embedding.dimensions);
    draw_vector(embedding.seed, vector);
    if (text.back() == '}') text += ',';
    text += "{\"values\":";
    append_numbers(text, vector);
    text += '}';
  }
  if (batch) text += ']';
  // Only the newer ones say what was used.
  if (model->id != "gemini-embedding-001" && !call.plan.is(FaultKind::no_usage)) {
    text += ",\"usageMetadata\":{\"promptTokenCount\":";
    append_number(text, static_cast<int64_t>(tokens));
    text += '}';
  }
  text += '}';
  append_pretty(answer.body, text);
  answer.body += '\n';
  answer.model = model;
  answer.counts.input = tokens;
}

void answer_models(const Call& call, Answer& answer) {
  const std::string_view asked = query_text(call.head->query, "pageSize");
  uint32_t size = page_default;
  std::from_chars(asked.data(), asked.data() + asked.size(), size);
  size = std::min(std::max(size, 1u), page_max);
  const std::string_view after = query_text(call.head->query, "pageToken");
  std::string text = "{\"models\":[";
  std::string next;
  uint32_t listed = 0;
  bool begun = after.empty();
  for (const catalog::Model* model : call.models->all()) {
    if (!model->id.starts_with("gem")) continue;
    if (!begun) {
      begun = model->id == after;
      continue;
    }
    if (listed == size) {
      text += "],\"nextPageToken\":\"" + next + "\"}";
      append_pretty(answer.body, text);
      return;
    }
    if (listed++ != 0) text += ',';
    append_model(*model, text);
    next = model->id;
  }
  text += "]}";
  append_pretty(answer.body, text);
}

void answer_model(const Call& call, Answer& answer) {
  const catalog::Model* model = find_model(call, "GetModel", answer);
  if (model == nullptr) return;
  std::string text;
  append_model(*model, text);
  append_pretty(answer.body, text);
}

}  // namespace hyperion::simulator::gemini
