// The nouns of the catalogue: a model, a provider, and a deployment (a model at a provider).
//
// Plain facts, filled by `config` from conf/models.toml and the conf file, immutable afterwards and
// shared by all shards as part of the configuration snapshot. What differs from model to model or
// from provider to provider is a field here, not an `if` elsewhere. Pointers between them stay
// valid as long as the Catalog that holds them, which the snapshot keeps alive: a request that
// began under a snapshot keeps it until its end. Nothing here can fail or do I/O.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "catalog/base_url.h"
#include "catalog/facts.h"
#include "catalog/quality.h"
#include "catalog/version.h"
#include "io/address.h"

namespace hyperion::catalog {

// The wire format a provider speaks.
enum class Dialect : uint8_t { openai, anthropic, gemini };

// What a model can be asked for. Bits of Model::endpoints.
enum class Endpoint : uint8_t {
  chat = 1,
  completions = 2,
  embeddings = 4,
  responses = 8,
  moderations = 16,
};

// Retired models are never chosen; preview and deprecated ones only where no active one exists.
enum class Status : uint8_t { active, preview, deprecated, retired };

// From a platform's name to a model's id there.
using PlatformIds = std::map<std::string, std::string, std::less<>>;

struct Model {
  // What routing compares, for some fifty models in a row: together, in few cache lines.
  Quality quality;
  Status status = Status::active;
  uint8_t endpoints = 0;  // bits of Endpoint
  Capabilities capabilities;
  Efforts efforts;  // empty: takes no effort
  Sampling sampling = Sampling::yes;
  Thinking thinking = Thinking::none;
  ThinkingOff thinking_off = ThinkingOff::omit;
  Effort thinking_off_effort_max = Effort::max;  // thinking can be off up to this effort
  bool forced_tools = true;                      // may be made to call a tool
  bool system_in_messages = false;               // Claude: role system inside messages
  bool prefill = false;                          // goes on with a last message of the assistant
  bool tools_with_schema = true;                 // tools and a schema of the answer in one request
  bool tools_with_reasoning = true;              // function tools and reasoning on Chat Completions
  bool max_completion_tokens_only = false;       // refuses max_tokens
  uint32_t context_tokens = 0;                   // 0 unknown
  uint32_t input_tokens_max = 0;                 // 0: only the context bounds it
  uint32_t output_tokens_max = 0;
  Prices prices;
  std::vector<PriceTier> price_tiers;  // by above_tokens, rising

  std::string id;      // wire id at its vendor: "gpt-4o-2024-11-20"
  std::string family;  // the vendor, "openai": providers say which families they serve
  std::vector<std::string> aliases;
  // The line of models it belongs to, first its name ("claude-haiku"), then further shorthands
  // ("haiku").
  std::vector<std::string> series;
  std::string moving_name;     // "gpt-4o" of a dated release; empty otherwise
  Version version;             // read from the id and `released`
  uint32_t released = 0;       // 20241120; 0 unknown
  std::string successor;       // a name, of use when retired
  uint32_t first_byte_ms = 0;  // reasoning models are silent for minutes; 0: as the provider
  // Its ids at platforms that serve several vendors: {"openrouter", "anthropic/claude-opus-5"}.
  PlatformIds platform_ids;
  std::vector<std::string> quality_sources;  // the public results its quality was read from
  ThinkingBudget thinking_budget;

  bool serves(Endpoint endpoint) const { return (endpoints & static_cast<uint8_t>(endpoint)) != 0; }
};

// How a provider's key is presented: {"authorization", "Bearer "}, {"x-api-key", ""}.
struct AuthenticationStyle {
  std::string header = "authorization";  // lower case
  std::string prefix = "Bearer ";
};

// Deadlines of one attempt. The conf's [timeouts] gives the defaults, a provider's section may
// differ.
struct UpstreamTimeouts {
  uint32_t connect_ms = 3'000;
  uint32_t tls_handshake_ms = 5'000;
  uint32_t first_byte_ms = 60'000;  // of a stream; a plain answer may be silent for total_ms
  uint32_t idle_ms = 60'000;        // between bytes of the answer
  uint32_t total_ms = 600'000;
  bool operator==(const UpstreamTimeouts&) const = default;
};

// Bounds of a provider's connections in one shard. The conf's [upstream] gives the defaults.
struct ConnectionLimits {
  uint32_t connections_per_shard_max = 256;
  uint32_t connections_warm = 1;         // opened before they are needed, per shard
  uint32_t connection_idle_ms = 60'000;  // an unused connection is closed after this
  uint32_t connection_requests_max = 10'000;
  bool operator==(const ConnectionLimits&) const = default;
};

// Where providers of one dialect differ. Each is a row of a preset or a key of [[providers]].
struct ProviderQuirks {
  // Gemini on Vertex AI: base_url ends in .../publishers/google and stands for /v1beta.
  bool vertex = false;
  std::string api_version = "2023-06-01";  // Anthropic's anthropic-version header
  // The rest is of OpenAI-shaped providers.
  std::string max_tokens_field = "max_completion_tokens";  // or "max_tokens"
  bool developer_role = true;       // takes the role developer; else it is sent as system
  bool speaks_responses = false;    // serves /responses
  bool native_models_list = false;  // `models` of a request is the provider's own
  bool stream_usage = true;        // asked with stream_options.include_usage; else it comes unasked
  bool stream_done_marker = true;  // ends streams with [DONE]; else the finish is the end
  // Where reasoning stands in its answers: "reasoning_content", "reasoning", or "" for nowhere.
  std::string reasoning_field;
  bool reasoning_back = false;       // wants reasoning_content back on assistant messages
  bool cache_control_parts = false;  // takes cache_control inside parts
  bool operator==(const ProviderQuirks&) const = default;
};

// One of a provider's keys.
struct ProviderKey {
  Secret secret;
  std::string name;     // of its variable or file: for operators, never the key
  uint32_t weight = 1;  // share of the requests that go with it
};

struct Provider : ProviderQuirks {
  std::string name;    // label of logs, metrics and `name/model`
  uint16_t index = 0;  // in Catalog::providers()
  Dialect dialect = Dialect::openai;
  BaseUrl base_url;
  // Where to connect instead of resolving the host (tests, private links). TLS still checks the
  // host.
  std::vector<io::Address> addresses;
  std::string
      tls_server_name;  // SNI and the name the certificate must carry; the host unless given
  std::string ca_file;  // empty: [tls] ca_file, and without one the system's bundle
  AuthenticationStyle authentication;
  std::vector<ProviderKey> keys;  // empty where the provider wants none
  bool usable = true;             // false: its key is missing; requests to it are answered 503
  std::string unusable_because;   // "no key: set OPENAI_API_KEY"
  std::vector<std::pair<std::string, std::string>>
      headers;                      // added to every request; lower-case names
  std::vector<std::string> serves;  // families
  // Whose ids it uses ("openrouter"): it serves the models that have an id there. Empty: the
  // vendor's own.
  std::string platform;
  bool passthrough_unknown_models = false;
  bool discovery = false;  // what its own list of models shows may be asked for by name
  UpstreamTimeouts timeouts;
  ConnectionLimits connections;

  // A provider that wants no key counts as one that has an empty one.
  size_t key_count() const { return keys.empty() ? 1 : keys.size(); }
  uint32_t key_weight(size_t key) const { return keys.empty() ? 1 : keys[key].weight; }
  std::string_view key_name(size_t key) const {
    return keys.empty() ? std::string_view() : std::string_view(keys[key].name);
  }
  std::string_view reveal_key(size_t key) const {
    return keys.empty() ? std::string_view() : keys[key].secret.reveal();
  }
};

// A model at a provider: what a name finally stands for, and what an attempt is made at.
struct Deployment {
  uint16_t index = 0;          // in Catalog::deployments(), and its bit in a DeploymentSet
  bool in_environment = true;  // false: the conf gives it to other environments only
  const Model* model =
      nullptr;  // nullptr: the open deployment of a provider that takes unknown models
  const Provider* provider = nullptr;
  std::string id;              // "openai/gpt-4o-2024-11-20", or the name the conf gives it
  std::string upstream_model;  // the name the provider wants
  std::string
      upstream_model_json;  // the same as a JSON string, quotes included; spliced into bodies

  // The deployment of a provider that takes any name: the name is the client's.
  bool is_open() const { return upstream_model.empty(); }
  // A model that the catalogue does not know is let through everywhere: its provider will say.
  bool serves(Endpoint endpoint) const { return model == nullptr || model->serves(endpoint); }
  uint32_t first_byte_ms() const {
    return model != nullptr && model->first_byte_ms != 0 ? model->first_byte_ms
                                                         : provider->timeouts.first_byte_ms;
  }
};

// What may be a model's name: up to 256 bytes of visible ASCII without quote and backslash, so that
// it can stand in a JSON string and in a header as it is.
bool is_model_name(std::string_view text);

// How the key is presented to providers of a dialect: `x-api-key`, `x-goog-api-key`, a bearer
// token.
AuthenticationStyle authentication_of(Dialect dialect, bool vertex);

std::string_view name_of(Dialect dialect);
std::string_view name_of(Status status);

}  // namespace hyperion::catalog
