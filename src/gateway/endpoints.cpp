#include "gateway/endpoints.h"

namespace hyperion::gateway {
namespace {

using catalog::Endpoint;
using http::Method;

constexpr gateway::Endpoint endpoints[] = {
    // path, prefix, method, work, needs_key, admin, public, kind, upstream path
    {"/v1/chat/completions", false, Method::post, Work::proxy, true, false, true, Endpoint::chat,
     "/chat/completions"},
    {"/v1/completions", false, Method::post, Work::proxy, true, false, true, Endpoint::completions,
     "/completions"},
    {"/v1/embeddings", false, Method::post, Work::proxy, true, false, true, Endpoint::embeddings,
     "/embeddings"},
    {"/v1/moderations", false, Method::post, Work::proxy, true, false, true, Endpoint::moderations,
     "/moderations"},
    {"/v1/models", false, Method::get, Work::models, true, false, true, Endpoint::chat, ""},
    {"/v1/models/", true, Method::get, Work::model, true, false, true, Endpoint::chat, ""},
    {"/health/live", false, Method::get, Work::live, false, true, true, Endpoint::chat, ""},
    {"/health/ready", false, Method::get, Work::ready, false, true, true, Endpoint::chat, ""},
    {"/metrics", false, Method::get, Work::metrics, false, true, true, Endpoint::chat, ""},
};

}  // namespace

const gateway::Endpoint* find_endpoint(std::string_view path) {
  for (const gateway::Endpoint& endpoint : endpoints) {
    bool found = endpoint.prefix
                     ? path.size() > endpoint.path.size() && path.starts_with(endpoint.path)
                     : path == endpoint.path;
    if (found) return &endpoint;
  }
  return nullptr;
}

std::string_view allowed_methods(const gateway::Endpoint& endpoint) {
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
