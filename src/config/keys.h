// The keys of the conf file: for each section a table of names, ranges and the place each one
// fills.
//
// Everything that is known about a key stands in one row, so the reader, the messages ("did you
// mean") and the test of conf/hyperion.toml all walk the same tables. A Slot points into the struct
// that a row fills and by its type says what the value must be; the default is what the struct
// holds before. No TOML here and no files. Reading a value cannot fail in another way than with a
// sentence that says what was expected and what was given; what may be secret is never repeated.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "catalog/draft.h"
#include "config/config.h"
#include "config/document.h"
#include "config/outages.h"
#include "resilience/default_chain.h"
#include "routing/settings.h"
#include "tls/sha256.h"

namespace hyperion::config {

// Slots whose C++ type alone does not say how the conf writes them.
struct Cores {
  std::vector<uint32_t>* list;  // "auto" or a list of numbers
};
struct Date {
  uint32_t* yyyymmdd;
};
struct UsdPerMillion {
  int64_t* pico_usd;
};
struct Choice {
  uint8_t* chosen;  // index into Rule::choices
};
struct Choices {
  uint8_t* bits;
};
struct ManyChoices {  // more than eight
  uint16_t* bits;
};
struct Fraction {
  int32_t* value;  // in parts of `one`, which is at most 1000
  int32_t one;
};
struct Abilities {
  catalog::Capabilities* capabilities;  // the listed ones get `answer`
  catalog::Answer answer;
};
struct Shares {
  catalog::Quality* quality;  // a share for each head
};
struct Platforms {
  catalog::PlatformIds* ids;
};
struct Weighted {  // names with a share of the requests each
  resilience::Weights* weights;
};
using Headers = std::vector<std::pair<std::string, std::string>>;

using Slot =
    std::variant<bool*, uint32_t*, uint64_t*, std::string*, std::vector<std::string>*, io::Address*,
                 std::vector<io::Address>*, Cores, Date, UsdPerMillion, Choice, Choices,
                 ManyChoices, Fraction, Abilities, Shares, std::vector<catalog::PriceTier>*,
                 std::vector<routing::Rule>*, std::vector<Outage>*, Platforms, Weighted, Headers*,
                 catalog::UrlVariables*, tls::Sha256*>;

// What a text may hold.
enum class Text : uint8_t {
  line,         // any text without control characters
  label,        // [a-z0-9][a-z0-9_-]*, up to 63: becomes a label of metrics
  model,        // catalog::is_model_name
  environment,  // name of an environment variable, never repeated in messages
  path,
  header_name,
  origin,   // scheme://host[:port], or *
  fault,    // as in x-hyperion-fault
  pattern,  // an entry of a key's allow list
};

struct Rule {
  uint64_t minimum = 0;
  uint64_t maximum = std::numeric_limits<uint32_t>::max();
  bool power_of_two = false;
  Text text = Text::line;
  bool may_be_empty = true;
  std::span<const std::string_view> choices = {};  // of a text: nothing else is allowed
};

// One row: the key's name, the place in an Owner that it fills, what it may hold.
template <class Owner>
struct Key {
  std::string_view name;
  Slot (*slot)(Owner& owner);
  Rule rule = {};
};

struct Section {
  std::string_view name;
  std::span<const Key<Settings>> keys;
};

// Keys above all sections.
struct TopLevel {
  std::string environment = "production";
  std::string catalog_file;
  uint8_t retired_models = 0;  // 0 refuse, 1 successor
  bool test_faults = false;
};

// What a [[providers]] entry says, before its URL and key are looked at.
struct ProviderDraft {
  catalog::Provider provider;
  std::string preset;
  std::string base_url;
  catalog::UrlVariables variables;
  std::string api_key_env;
  std::string api_key_file;
  // Several keys, each with its share of the requests.
  resilience::Weights api_key_envs;
  resilience::Weights api_key_files;
};

std::span<const Key<TopLevel>> top_level_keys();
std::span<const Section> sections();
std::span<const Key<ProviderDraft>> provider_keys();
std::span<const Key<catalog::Model>> model_keys();
std::span<const Key<catalog::PriceTier>> price_tier_keys();  // of `price_tiers` in a model
std::span<const Key<routing::Rule>> routing_rule_keys();     // of [[routing.rules]]
std::span<const Key<Outage>> outage_keys();                  // of [[simulator.outages]]
std::span<const Key<catalog::DeploymentDraft>> deployment_keys();
std::span<const Key<resilience::DefaultChain>> chain_keys();
std::span<const Key<VirtualKey>> virtual_key_keys();

// Writes `value` to the slot. False with a sentence in `problem` when it is not acceptable.
bool assign(const Slot& slot, const Rule& rule, const Value& value, std::string& problem);

// What the slot holds now, as TOML.
std::string text_of(const Slot& slot, const Rule& rule);

// Whether `text` may stand where `kind` is asked for; the expectation in words.
bool acceptable(Text kind, std::string_view text);
std::string_view expectation(Text kind);

// A value in a message: its kind and, where it is short and harmless, the value.
std::string describe(const Value& value);

}  // namespace hyperion::config
