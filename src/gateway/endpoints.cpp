#include "gateway/endpoints.h"

#include <algorithm>
#include <charconv>

namespace hyperion::gateway {
namespace {

using dialect::Wire;
using http::Method;

constexpr std::string_view google = "/v1beta/models/";

constexpr Endpoint endpoints[] = {
    // path, prefix, suffix, method, work, needs_key, admin, public, wire, operation, stream
    {"/v1/chat/completions", false, "", Method::post, Work::proxy, true, false, true,
     Wire::openai_chat, Operation::chat},
    {"/v1/messages", false, "", Method::post, Work::proxy, true, false, true, Wire::anthropic,
     Operation::chat},
    {"/v1/responses", false, "", Method::post, Work::proxy, true, false, true,
     Wire::openai_responses, Operation::chat},
    {google, true, ":generateContent", Method::post, Work::proxy, true, false, true, Wire::gemini,
     Operation::chat},
    {google, true, ":streamGenerateContent", Method::post, Work::proxy, true, false, true,
     Wire::gemini, Operation::chat, true},
    {"/v1/messages/count_tokens", false, "", Method::post, Work::proxy, true, false, true,
     Wire::anthropic, Operation::count_tokens},
    {google, true, ":countTokens", Method::post, Work::proxy, true, false, true, Wire::gemini,
     Operation::count_tokens},
    {"/v1/completions", false, "", Method::post, Work::proxy, true, false, true, Wire::openai_chat,
     Operation::completions},
    {"/v1/embeddings", false, "", Method::post, Work::proxy, true, false, true, Wire::openai_chat,
     Operation::embeddings},
    {"/v1/moderations", false, "", Method::post, Work::proxy, true, false, true, Wire::openai_chat,
     Operation::moderations},
    {"/v1/route/explain", false, "", Method::post, Work::explain, true, false, true,
     Wire::openai_chat, Operation::chat},
    {"/v1/feedback", false, "", Method::post, Work::feedback, true, false, true, Wire::openai_chat},
    {"/admin/decisions", false, "", Method::get, Work::decisions, false, true, false,
     Wire::openai_chat},
    {"/v1/models", false, "", Method::get, Work::models, true, false, true, Wire::openai_chat},
    {"/v1/models/", true, "", Method::get, Work::model, true, false, true, Wire::openai_chat},
    {"/health/live", false, "", Method::get, Work::live, false, true, true, Wire::openai_chat},
    {"/health/ready", false, "", Method::get, Work::ready, false, true, true, Wire::openai_chat},
    {"/metrics", false, "", Method::get, Work::metrics, false, true, true, Wire::openai_chat},
};

bool matches(const Endpoint& endpoint, std::string_view path) {
  if (!endpoint.prefix) return path == endpoint.path;
  return path.size() > endpoint.path.size() + endpoint.suffix.size() &&
         path.starts_with(endpoint.path) && path.ends_with(endpoint.suffix);
}

}  // namespace

const Endpoint* find_endpoint(std::string_view path) {
  for (const Endpoint& endpoint : endpoints) {
    if (matches(endpoint, path)) return &endpoint;
  }
  return nullptr;
}

const Endpoint& chat_endpoint(dialect::Wire wire) {
  const Endpoint* found = endpoints;
  for (const Endpoint& endpoint : endpoints) {
    const bool chat = endpoint.work == Work::proxy && endpoint.operation == Operation::chat;
    if (chat && endpoint.wire == wire) found = &endpoint;
  }
  return *found;
}

dialect::Wire wire_of_path(std::string_view path) {
  if (path.starts_with("/v1beta/")) return Wire::gemini;
  return path.starts_with("/v1/messages") ? Wire::anthropic : Wire::openai_chat;
}

std::string_view name_in_path(const Endpoint& endpoint, std::string_view path) {
  path.remove_prefix(endpoint.path.size());
  path.remove_suffix(endpoint.suffix.size());
  return path;
}

std::string_view decoded_name(std::string_view encoded, Arena& arena) {
  if (encoded.find('%') == std::string_view::npos) return encoded;
  char* place = static_cast<char*>(arena.allocate(encoded.size(), 1));
  if (place == nullptr) return {};
  size_t size = 0;
  for (size_t i = 0; i < encoded.size(); ++i) {
    unsigned value = 0;
    const char* digits = encoded.data() + i + 1;
    const bool room = encoded[i] == '%' && i + 2 < encoded.size();
    if (room && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      place[size++] = static_cast<char>(value);
      i += 2;
    } else {
      place[size++] = encoded[i];
    }
  }
  return {place, size};
}

bool query_has(std::string_view query, std::string_view parameter) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    if (query.substr(0, end) == parameter) return true;
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return false;
}

std::string_view allowed_methods(const Endpoint& endpoint) {
  return endpoint.method == Method::post ? "POST, OPTIONS" : "GET, HEAD, OPTIONS";
}

std::string_view name_of(Method method) {
  switch (method) {
    case Method::get: return "GET";
    case Method::head: return "HEAD";
    case Method::post: return "POST";
    case Method::put: return "PUT";
    case Method::patch: return "PATCH";
    case Method::delete_: return "DELETE";
    case Method::options: return "OPTIONS";
    case Method::other: return "other";
  }
  return "other";
}

}  // namespace hyperion::gateway
