#include "admin/metrics.h"

#include <algorithm>
#include <array>
#include <map>

namespace hyperion::admin {
namespace {

using gateway::Counter;
using gateway::Counters;
using gateway::ProviderCounters;
using Shards = std::vector<const Counters*>;

struct Row {
  const char* name;
  const char* type;
  const char* help;
  Counter Counters::*member;
};

constexpr Row rows[] = {
    {"hyperion_connections_accepted_total", "counter", "Client connections accepted.",
     &Counters::connections_accepted},
    {"hyperion_connections_refused_total", "counter", "Client connections refused at a limit.",
     &Counters::connections_refused},
    {"hyperion_requests_in_flight", "gauge", "Requests begun and not ended.",
     &Counters::requests_in_flight},
    {"hyperion_requests_overloaded_total", "counter", "Requests refused because Hyperion was full.",
     &Counters::requests_refused_overloaded},
    {"hyperion_requests_admitted", "gauge",
     "Requests in flight that hold a place, as [admission] counts them.",
     &Counters::requests_admitted},
    {"hyperion_received_bytes_total", "counter", "Bytes received from clients.",
     &Counters::bytes_received},
    {"hyperion_answered_bytes_total", "counter", "Body bytes sent to clients.",
     &Counters::bytes_sent},
    {"hyperion_streams_cut_total", "counter", "Answers that broke after their beginning was sent.",
     &Counters::streams_cut},
    {"hyperion_fallbacks_total", "counter", "Requests that went on to the next of their chain.",
     &Counters::fallbacks},
    {"hyperion_retries_total", "counter",
     "Attempts at the same candidate again: on a new connection, or after a wait.",
     &Counters::retries},
    {"hyperion_hedges_total", "counter", "Second attempts because a first token was late.",
     &Counters::hedges},
    {"hyperion_possibly_billed_total", "counter",
     "Attempts given up after they were sent: the provider may bill them.",
     &Counters::possibly_billed},
    {"hyperion_breakers_opened_total", "counter", "Times a way to a model was shut.",
     &Counters::breakers_opened},
    {"hyperion_breakers_closed_total", "counter", "Times one was found well again.",
     &Counters::breakers_closed},
    {"hyperion_keys_refused_total", "counter",
     "Times a provider refused a key, or its account: its operator must look.",
     &Counters::keys_refused},
    {"hyperion_log_lines_dropped_total", "counter",
     "Lines of the request log dropped because its buffer was full.", &Counters::log_lines_dropped},
    {"hyperion_blocks_in_use", "gauge", "Blocks of 16 KiB in use.", &Counters::blocks_in_use},
    {"hyperion_body_bytes_in_use", "gauge", "Memory of large bodies in use.",
     &Counters::body_bytes_in_use},
    {"hyperion_holds_open", "gauge", "Sums set aside for attempts that have not ended.",
     &Counters::holds_open},
    {"hyperion_completion_overflows", "counter",
     "Completions the kernel could not queue: must be 0.", &Counters::completion_overflows},
    {"hyperion_receive_starved_total", "counter", "Receives that found no buffer.",
     &Counters::receive_starved},
};

struct ProviderRow {
  const char* name;
  const char* type;
  const char* help;
  Counter ProviderCounters::*member;
};

constexpr ProviderRow provider_rows[] = {
    {"hyperion_upstream_attempts_total", "counter", "Attempts at a provider.",
     &ProviderCounters::attempts},
    {"hyperion_upstream_failures_total", "counter", "Attempts that failed without a whole answer.",
     &ProviderCounters::failures},
    {"hyperion_upstream_connections", "gauge", "Open connections to a provider.",
     &ProviderCounters::connections},
    {"hyperion_upstream_connections_idle", "gauge", "Of them idle.",
     &ProviderCounters::idle_connections},
    {"hyperion_breakers_open", "gauge",
     "Ways to a provider's models (each with one key) that are shut, over all shards.",
     &ProviderCounters::breakers_open},
    {"hyperion_discovery_taken_total", "counter", "Lists of models taken from a provider.",
     &ProviderCounters::lists_taken},
    {"hyperion_discovery_failed_total", "counter",
     "Looks at a provider's list of models that failed: the one before stays.",
     &ProviderCounters::lists_failed},
};

void line(std::string& text, const char* name, const std::string& labels, uint64_t value) {
  text += name;
  if (!labels.empty()) text += "{" + labels + "}";
  text += " " + std::to_string(value) + "\n";
}

void header(std::string& text, const char* name, const char* type, const char* help) {
  text += std::string("# HELP ") + name + " " + help + "\n# TYPE " + name + " " + type + "\n";
}

// Of names from the conf: quotes, backslashes and line ends would break the exposition.
std::string escape(const std::string& value) {
  std::string escaped;
  for (char c : value) {
    if (c == '\\' || c == '"') escaped += '\\';
    if (c == '\n') {
      escaped += "\\n";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

uint64_t sum(const Shards& shards, Counter Counters::*member) {
  uint64_t total = 0;
  for (const Counters* counters : shards) total += (counters->*member).get();
  return total;
}

// Buckets in seconds as OpenTelemetry's GenAI conventions have them for durations, and finer below.
constexpr std::array<uint64_t, 17> bounds_us = {
    50,      100,     250,       500,       1'000,     2'500,      10'000,     50'000,    100'000,
    250'000, 500'000, 1'000'000, 2'500'000, 5'000'000, 10'000'000, 30'000'000, 60'000'000};

void histogram(std::string& text, const char* name, const char* help, const Shards& shards,
               Histogram Counters::*member) {
  header(text, name, "histogram", help);
  auto total = std::make_unique<Histogram>();
  for (const Counters* counters : shards) total->merge(counters->*member);
  for (uint64_t bound : bounds_us) {
    std::string seconds = std::to_string(static_cast<double>(bound) / 1e6);
    line(text, (std::string(name) + "_bucket").c_str(), "le=\"" + seconds + "\"",
         total->count_up_to(bound));
  }
  line(text, (std::string(name) + "_bucket").c_str(), "le=\"+Inf\"", total->count());
  text +=
      std::string(name) + "_sum " + std::to_string(static_cast<double>(total->sum()) / 1e6) + "\n";
  line(text, (std::string(name) + "_count").c_str(), "", total->count());
}

void render_providers(std::string& text, const Shards& shards) {
  std::map<std::string, std::vector<const ProviderCounters*>> by_name;
  for (const Counters* counters : shards) {
    counters->providers.for_each([&](const std::string& name, const ProviderCounters& provider) {
      by_name[name].push_back(&provider);
    });
  }
  for (const ProviderRow& row : provider_rows) {
    header(text, row.name, row.type, row.help);
    for (const auto& [name, list] : by_name) {
      uint64_t total = 0;
      for (const ProviderCounters* provider : list) total += (provider->*row.member).get();
      line(text, row.name, "provider=\"" + escape(name) + "\"", total);
    }
  }
  const char* answers = "hyperion_upstream_answers_total";
  header(text, answers, "counter", "Answers of a provider by class of status.");
  const char* tokens = "gen_ai_client_token_usage_total";
  std::string token_lines;
  for (const auto& [name, list] : by_name) {
    std::string label = "provider=\"" + escape(name) + "\"";
    for (size_t i = 1; i < 6; ++i) {
      uint64_t total = 0;
      for (const ProviderCounters* provider : list) total += provider->status_class[i].get();
      line(text, answers, label + ",class=\"" + std::to_string(i) + "xx\"", total);
    }
    uint64_t input = 0;
    uint64_t output = 0;
    for (const ProviderCounters* provider : list) {
      input += provider->prompt_tokens.get();
      output += provider->completion_tokens.get();
    }
    line(token_lines, tokens, label + ",gen_ai_token_type=\"input\"", input);
    line(token_lines, tokens, label + ",gen_ai_token_type=\"output\"", output);
  }
  header(text, tokens, "counter", "Tokens as the providers reported them.");
  text += token_lines;
}

// The largest of all shards: a mean would hide the one that is full.
uint64_t largest(const Shards& shards, Counter Counters::*member) {
  uint64_t value = 0;
  for (const Counters* counters : shards) value = std::max(value, (counters->*member).get());
  return value;
}

void render_admission(std::string& text, const Shards& shards) {
  // In the order of gateway::ShedReason.
  constexpr const char* reasons[] = {"requests", "memory", "loop_lag", "descriptors",
                                     "key_concurrency"};
  const char* shed = "hyperion_requests_shed_total";
  header(text, shed, "counter", "Requests refused before their body was read.");
  for (size_t reason = 0; reason < gateway::shed_reason_count; ++reason) {
    for (size_t i = 0; i < resilience::priority_count; ++i) {
      uint64_t total = 0;
      for (const Counters* counters : shards) total += counters->requests_shed[reason][i].get();
      std::string labels = std::string("reason=\"") + reasons[reason] + "\",priority=\"";
      labels += resilience::name_of(static_cast<resilience::Priority>(i));
      line(text, shed, labels + "\"", total);
    }
  }
  const char* level = "hyperion_admission_level";
  header(text, level, "gauge",
         "Of the fullest shard: 1 refuses low priority, 2 normal, 3 everybody.");
  line(text, level, "", largest(shards, &Counters::admission_level));
  const struct {
    const char* name;
    const char* help;
    Counter Counters::*member;
  } seconds[] = {
      {"hyperion_loop_lag_seconds",
       "How long what is ready waits for its turn, on the slowest shard.", &Counters::loop_lag_us},
      {"hyperion_loop_turn_longest_seconds", "The longest turn of any shard in its last second.",
       &Counters::loop_turn_longest_us},
  };
  for (const auto& [name, help, member] : seconds) {
    header(text, name, "gauge", help);
    text += std::string(name) + " " +
            std::to_string(static_cast<double>(largest(shards, member)) / 1e6) + "\n";
  }
}

}  // namespace

std::string render_metrics(const Shards& shards, const ProcessCounts& process) {
  std::string text;
  header(text, "hyperion_reloads_total", "counter",
         "Reloads of the conf by whether they were taken.");
  line(text, "hyperion_reloads_total", "result=\"taken\"", process.reloads);
  line(text, "hyperion_reloads_total", "result=\"refused\"", process.reloads_refused);
  header(text, "hyperion_hand_overs_failed_total", "counter",
         "Hand-overs to a new binary that failed: this process went on.");
  line(text, "hyperion_hand_overs_failed_total", "", process.hand_overs_failed);
  constexpr const char* outcomes[] = {"answered", "refused", "failed", "abandoned"};
  header(text, "hyperion_requests_total", "counter", "Requests by how they ended.");
  for (size_t i = 0; i < gateway::outcome_count; ++i) {
    uint64_t total = 0;
    for (const Counters* counters : shards) total += counters->outcomes[i].get();
    line(text, "hyperion_requests_total", std::string("outcome=\"") + outcomes[i] + "\"", total);
  }
  header(text, "hyperion_responses_total", "counter", "Answers to clients by class of status.");
  for (size_t i = 1; i < 6; ++i) {
    uint64_t total = 0;
    for (const Counters* counters : shards) total += counters->status_class[i].get();
    line(text, "hyperion_responses_total", "class=\"" + std::to_string(i) + "xx\"", total);
  }
  header(text, "hyperion_connections_open", "gauge", "Open client connections of each shard.");
  for (size_t i = 0; i < shards.size(); ++i) {
    line(text, "hyperion_connections_open", "shard=\"" + std::to_string(i) + "\"",
         shards[i]->connections_open.get());
  }
  for (const Row& row : rows) {
    header(text, row.name, row.type, row.help);
    line(text, row.name, "", sum(shards, row.member));
  }
  render_admission(text, shards);
  render_providers(text, shards);
  histogram(text, "hyperion_request_duration_seconds",
            "From a request's first byte to the end of its answer.", shards,
            &Counters::request_duration_us);
  histogram(text, "hyperion_overhead_seconds", "Time of a request less the wait for the provider.",
            shards, &Counters::overhead_us);
  histogram(text, "gen_ai_server_time_to_first_token_seconds",
            "From a request's first byte to the first token.", shards, &Counters::first_token_us);
  return text;
}

}  // namespace hyperion::admin
