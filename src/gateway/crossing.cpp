#include "gateway/crossing.h"

#include <algorithm>

#include "dialect/gemini.h"
#include "dialect/language.h"

namespace hyperion::gateway {
namespace {

using catalog::Dialect;
using dialect::Wire;

// Chat at a provider of OpenAI's dialects, which has two.
Wire openai_wire_for(Wire client, const catalog::Deployment& deployment, bool& served) {
  const catalog::Provider& provider = *deployment.provider;
  const catalog::Model* model = deployment.model;
  const bool on_chat = deployment.serves(catalog::Endpoint::chat);
  const bool on_responses =
      provider.speaks_responses &&
      (model == nullptr || on_chat || model->serves(catalog::Endpoint::responses));
  served = on_chat || on_responses;
  if (client == Wire::openai_responses && on_responses) return Wire::openai_responses;
  if (client == Wire::openai_chat && on_chat) return Wire::openai_chat;
  // Some models take tools together with reasoning on Responses only.
  const bool better_on_responses = model != nullptr && !model->tools_with_reasoning;
  const bool responses = on_responses && (!on_chat || better_on_responses);
  return responses ? Wire::openai_responses : Wire::openai_chat;
}

Crossing chat_crossing(Wire client, const catalog::Deployment& deployment) {
  Crossing crossing;
  bool served = deployment.serves(catalog::Endpoint::chat);
  switch (deployment.provider->dialect) {
    case Dialect::anthropic: crossing.upstream = Wire::anthropic; break;
    case Dialect::gemini: crossing.upstream = Wire::gemini; break;
    case Dialect::openai: crossing.upstream = openai_wire_for(client, deployment, served); break;
  }
  if (!served) return crossing;
  crossing.kind =
      crossing.upstream == client ? Crossing::Kind::passthrough : Crossing::Kind::translated;
  return crossing;
}

Wire home_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::anthropic: return Wire::anthropic;
    case Dialect::gemini: return Wire::gemini;
    case Dialect::openai: break;
  }
  return Wire::openai_chat;
}

bool is_served(Operation operation, const catalog::Deployment& deployment) {
  using catalog::Endpoint;
  switch (operation) {
    case Operation::completions: return deployment.serves(Endpoint::completions);
    case Operation::embeddings: return deployment.serves(Endpoint::embeddings);
    case Operation::moderations: return deployment.serves(Endpoint::moderations);
    default: break;
  }
  // The tokens of any conversation can be counted.
  return deployment.serves(Endpoint::chat) || deployment.serves(Endpoint::responses);
}

struct PathRow {
  Wire wire;
  Operation operation;
  std::string_view path;  // of Gemini: what follows the model's name
};

// Of what is not chat: where it goes. Chat's paths are the dialects' own.
constexpr PathRow paths[] = {
    {Wire::openai_chat, Operation::completions, "/completions"},
    {Wire::openai_chat, Operation::embeddings, "/embeddings"},
    {Wire::openai_chat, Operation::moderations, "/moderations"},
    {Wire::anthropic, Operation::count_tokens, "/messages/count_tokens"},
    {Wire::gemini, Operation::count_tokens, ":countTokens"},
    {Wire::gemini, Operation::embeddings, ":batchEmbedContents"},
};

}  // namespace

Crossing crossing_to(const Endpoint& endpoint, const catalog::Deployment& deployment) {
  if (endpoint.operation == Operation::chat) return chat_crossing(endpoint.wire, deployment);
  Crossing crossing;
  if (!is_served(endpoint.operation, deployment)) return crossing;
  crossing.upstream = home_of(deployment.provider->dialect);
  if (crossing.upstream == endpoint.wire) {
    crossing.kind = Crossing::Kind::passthrough;
  } else if (endpoint.operation == Operation::count_tokens) {
    // Google counts for everyone; elsewhere there is nobody to ask.
    const bool google = crossing.upstream == Wire::gemini;
    crossing.kind = google ? Crossing::Kind::counted : Crossing::Kind::estimate;
  } else if (endpoint.operation == Operation::embeddings && crossing.upstream == Wire::gemini) {
    crossing.kind = Crossing::Kind::embeddings;
  }
  return crossing;
}

size_t write_upstream_path(const Crossing& crossing, const Endpoint& endpoint,
                           std::string_view model, bool stream, bool as_array, char* out,
                           size_t capacity) {
  if (endpoint.operation == Operation::chat) {
    size_t size = dialect::language_of(crossing.upstream).write_path(model, stream, out, capacity);
    // Without alt=sse Google answers an array.
    std::string_view path(out, size);
    if (as_array) size = std::min(path.find('?'), path.size());
    return size;
  }
  for (const PathRow& row : paths) {
    if (row.wire != crossing.upstream || row.operation != endpoint.operation) continue;
    if (row.wire == Wire::gemini)
      return dialect::gemini::write_action_path(model, row.path, out, capacity);
    return row.path.size() <= capacity ? row.path.copy(out, capacity) : 0;
  }
  return 0;
}

}  // namespace hyperion::gateway
