#include "config/keys.h"

#include <algorithm>
#include <array>

namespace hyperion::config {
namespace {

using catalog::Model;

constexpr uint64_t kib = 1024;
constexpr uint64_t mib = 1024 * kib;
constexpr uint64_t gib = 1024 * mib;

constexpr uint64_t minute_ms = 60'000;
constexpr uint64_t hour_ms = 60 * minute_ms;
constexpr uint64_t day_s = 86'400;

constexpr uint64_t budget_max = std::numeric_limits<int32_t>::max();

constexpr std::array<std::string_view, 2> retired_choices = {"refuse", "successor"};
// In the order of catalog::Dialect.
constexpr std::array<std::string_view, 3> dialect_choices = {"openai", "anthropic", "gemini"};
// In the order of catalog::Status.
constexpr std::array<std::string_view, 4> status_choices = {"active", "preview", "deprecated",
                                                            "retired"};
// In the order of the bits of catalog::Endpoint.
constexpr std::array<std::string_view, 5> endpoint_choices = {"chat", "completions", "embeddings",
                                                              "responses", "moderations"};
// In the order of catalog::Effort, which is that of the bits of catalog::Efforts.
constexpr std::array<std::string_view, 7> effort_choices = {"none", "minimal", "low", "medium",
                                                            "high", "xhigh",   "max"};
// In the order of catalog::Sampling, Thinking and ThinkingOff.
constexpr std::array<std::string_view, 3> sampling_choices = {"yes", "no", "effort_none"};
constexpr std::array<std::string_view, 4> thinking_choices = {"none", "adaptive", "budget",
                                                              "level"};
constexpr std::array<std::string_view, 5> thinking_off_choices = {
    "omit", "disabled", "between_tools", "zero_budget", "cannot"};
// In the order of dialect::Unsupported.
constexpr std::array<std::string_view, 2> unsupported_choices = {"strict", "drop"};
// In the order of routing::Kind.
constexpr std::array<std::string_view, routing::kind_count> kind_choices = {
    "tool_use",  "long_context", "code",    "math",      "reasoning",
    "knowledge", "transform",    "writing", "simple_qa", "chat"};
// In the order of routing::Tier, which begins at 1.
constexpr std::array<std::string_view, 4> tier_choices = {"", "cheap_fast", "balanced",
                                                          "high_reasoning"};
// In the order of resilience::Priority.
constexpr std::array<std::string_view, resilience::priority_count> priority_choices = {
    "low", "normal", "high"};
// In the order of the bits of routing::Rule::routes.
constexpr std::array<std::string_view, 2> route_choices = {"smart", "auto"};
// In the order of OutageKind.
constexpr std::array<std::string_view, 5> outage_choices = {"down", "flapping", "partial",
                                                            "slow_start", "brown_out"};
constexpr std::array<std::string_view, 2> max_tokens_choices = {"max_completion_tokens",
                                                                "max_tokens"};
constexpr std::array<std::string_view, 2> reasoning_field_choices = {"reasoning_content",
                                                                     "reasoning"};

constexpr Rule between(uint64_t minimum, uint64_t maximum) {
  return {.minimum = minimum, .maximum = maximum};
}
constexpr Rule power_of_two(uint64_t minimum, uint64_t maximum) {
  return {.minimum = minimum, .maximum = maximum, .power_of_two = true};
}
constexpr Rule text(Text kind, bool may_be_empty) {
  return {.text = kind, .may_be_empty = may_be_empty};
}
constexpr Rule one_of(std::span<const std::string_view> choices) {
  return {.may_be_empty = false, .choices = choices};
}
constexpr Rule one_of_or_empty(std::span<const std::string_view> choices) {
  return {.choices = choices};
}

// Types and members cannot stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define HYPERION_SLOT(Owner, member) [](Owner& owner) -> Slot { return &owner.member; }
#define HYPERION_SLOT_AS(Owner, Type, expression) \
  [](Owner& owner) -> Slot { return Type{expression}; }
// NOLINTEND(bugprone-macro-parentheses)

constexpr Key<TopLevel> top_level_table[] = {
    {"environment", HYPERION_SLOT(TopLevel, environment), text(Text::label, false)},
    {"catalog_file", HYPERION_SLOT(TopLevel, catalog_file), text(Text::path, true)},
    {"retired_models", HYPERION_SLOT_AS(TopLevel, Choice, &owner.retired_models),
     one_of(retired_choices)},
    {"test_faults", HYPERION_SLOT(TopLevel, test_faults)},
};

#define SETTING(member) HYPERION_SLOT(Settings, member)
#define SETTING_FRACTION(member, one) \
  [](Settings& owner) -> Slot { return Fraction{&owner.member, one}; }

constexpr Key<Settings> server_table[] = {
    {"listen", SETTING(server.listen)},
    {"cores", HYPERION_SLOT_AS(Settings, Cores, &owner.server.cores), between(0, 4095)},
    {"shards", SETTING(server.shards), between(0, 1024)},
    {"pin", SETTING(server.pin)},
    {"drain_s", SETTING(server.drain_s), between(0, day_s)},
    {"successor_ready_s", SETTING(server.successor_ready_s), between(1, day_s)},
    {"backlog", SETTING(server.backlog), between(1, 65'535)},
    {"connections_max", SETTING(server.connections_max), between(1, 10'000'000)},
    {"ring_entries", SETTING(server.ring_entries), power_of_two(64, 32'768)},
    {"receive_buffers", SETTING(server.receive_buffers), power_of_two(16, 32'768)},
    {"receive_buffer_size_bytes", SETTING(server.receive_buffer_size_bytes),
     power_of_two(4 * kib, mib)},
    {"busy_poll_us", SETTING(server.busy_poll_us), between(0, 1'000'000)},
    {"optimistic_send", SETTING(server.optimistic_send)},
};

constexpr Key<Settings> tls_table[] = {
    {"listen", SETTING(tls.listen)},
    {"certificate_file", SETTING(tls.certificate_file), text(Text::path, true)},
    {"key_file", SETTING(tls.key_file), text(Text::path, true)},
    {"ca_file", SETTING(tls.ca_file), text(Text::path, true)},
};

constexpr Key<Settings> limits_table[] = {
    {"head_size_max_bytes", SETTING(http.head_size_max_bytes), between(kib, mib)},
    {"header_count_max", SETTING(http.header_count_max), between(8, 510)},
    {"target_size_max_bytes", SETTING(http.target_size_max_bytes), between(64, mib)},
    {"body_size_max_bytes", SETTING(http.body_size_max_bytes), between(kib, gib)},
    {"chunk_extension_max_bytes", SETTING(http.chunk_extension_max_bytes), between(0, mib)},
    {"chunk_count_max", SETTING(http.chunk_count_max), between(16, 1'000'000'000)},
    {"trailer_size_max_bytes", SETTING(http.trailer_size_max_bytes), between(0, mib)},
    {"response_head_size_max_bytes", SETTING(http.response_head_size_max_bytes), between(kib, mib)},
    {"response_header_count_max", SETTING(http.response_header_count_max), between(8, 510)},
    {"sse_event_size_max_bytes", SETTING(http.sse_event_size_max_bytes),
     between(16 * kib, 256 * mib)},
    {"json_depth_max", SETTING(json.depth_max), between(4, 1024)},
    {"json_keys_per_object_max", SETTING(json.keys_per_object_max), between(16, mib)},
    {"requests_per_connection_max", SETTING(limits.requests_per_connection_max),
     between(1, 1'000'000'000)},
    {"response_body_size_max_bytes", SETTING(limits.response_body_size_max_bytes),
     between(64 * kib, 4 * gib)},
    {"translated_request_max_bytes", SETTING(limits.translated_request_max_bytes),
     between(64 * kib, gib)},
    {"relay_backlog_max_bytes", SETTING(limits.relay_backlog_max_bytes),
     between(16 * kib, 256 * mib)},
    {"early_answer_drain_max_bytes", SETTING(limits.early_answer_drain_max_bytes),
     between(0, 64 * mib)},
    {"tls_handshakes_per_shard_max", SETTING(limits.tls_handshakes_per_shard_max),
     between(1, 1'000'000)},
};

constexpr Key<Settings> timeouts_table[] = {
    {"head_ms", SETTING(timeouts.head_ms), between(10, hour_ms)},
    {"body_grace_ms", SETTING(timeouts.body_grace_ms), between(10, hour_ms)},
    {"body_rate_min_bytes_per_s", SETTING(timeouts.body_rate_min_bytes_per_s), between(0, gib)},
    {"body_total_ms", SETTING(timeouts.body_total_ms), between(10, 24 * hour_ms)},
    {"write_stall_ms", SETTING(timeouts.write_stall_ms), between(10, hour_ms)},
    {"keep_alive_ms", SETTING(timeouts.keep_alive_ms), between(10, 24 * hour_ms)},
    {"keep_alive_jitter_percent", SETTING(timeouts.keep_alive_jitter_percent), between(0, 50)},
    {"tls_handshake_ms", SETTING(timeouts.tls_handshake_ms), between(10, hour_ms)},
    {"early_answer_drain_ms", SETTING(timeouts.early_answer_drain_ms), between(0, minute_ms)},
    {"upstream_connect_ms", SETTING(upstream_timeouts.connect_ms), between(1, hour_ms)},
    {"upstream_tls_handshake_ms", SETTING(upstream_timeouts.tls_handshake_ms), between(1, hour_ms)},
    {"upstream_first_byte_ms", SETTING(upstream_timeouts.first_byte_ms), between(1, 24 * hour_ms)},
    {"upstream_idle_ms", SETTING(upstream_timeouts.idle_ms), between(1, 24 * hour_ms)},
    {"upstream_total_ms", SETTING(upstream_timeouts.total_ms), between(1, 24 * hour_ms)},
};

constexpr Key<Settings> upstream_table[] = {
    {"connections_per_shard_max", SETTING(upstream_connections.connections_per_shard_max),
     between(1, 1'000'000)},
    {"connections_warm", SETTING(upstream_connections.connections_warm), between(0, 1024)},
    {"connection_idle_ms", SETTING(upstream_connections.connection_idle_ms),
     between(0, 24 * hour_ms)},
    {"connection_requests_max", SETTING(upstream_connections.connection_requests_max),
     between(1, 1'000'000'000)},
    {"dns_refresh_ms", SETTING(upstream.dns_refresh_ms), between(1'000, 24 * hour_ms)},
};

constexpr Key<Settings> discovery_table[] = {
    {"interval_s", SETTING(discovery.interval_s), between(1, 30 * day_s)},
    {"timeout_ms", SETTING(discovery.timeout_ms), between(10, 10 * minute_ms)},
    {"models_max", SETTING(discovery.models_max), between(1, 100'000)},
    {"response_max_bytes", SETTING(discovery.response_max_bytes), between(kib, 64 * mib)},
};

constexpr Key<Settings> memory_table[] = {
    {"blocks_per_shard_max", SETTING(memory.blocks_per_shard_max), between(64, 16'777'216)},
    {"blocks_per_shard_kept", SETTING(memory.blocks_per_shard_kept), between(0, 16'777'216)},
    {"bodies_per_shard_max_bytes", SETTING(memory.bodies_per_shard_max_bytes),
     between(mib, 1024 * gib)},
};

constexpr Key<Settings> admission_table[] = {
    {"requests_per_shard_max", SETTING(admission.requests_per_shard_max), between(0, 10'000'000)},
    {"loop_lag_max_ms", SETTING(admission.loop_lag_max_ms), between(0, minute_ms)},
    {"shed_low_at_percent", SETTING(admission.shed_low_at_percent), between(1, 100)},
    {"refuse_at_percent", SETTING(admission.refuse_at_percent), between(1, 100)},
    {"stop_accept_at_percent", SETTING(admission.stop_accept_at_percent), between(1, 100)},
    {"hysteresis_percent", SETTING(admission.hysteresis_percent), between(0, 50)},
    {"retry_after_min_s", SETTING(admission.retry_after_min_s), between(0, 3600)},
    {"retry_after_max_s", SETTING(admission.retry_after_max_s), between(0, 3600)},
};

constexpr Key<Settings> cors_table[] = {
    {"allowed_origins", SETTING(cors.allowed_origins), text(Text::origin, false)},
    {"max_age_s", SETTING(cors.max_age_s), between(0, day_s)},
};

constexpr Key<Settings> log_table[] = {
    {"target", SETTING(log.target), text(Text::path, false)},
    {"buffer_size_bytes", SETTING(log.buffer_size_bytes), between(64 * kib, gib)},
};

constexpr Key<Settings> admin_table[] = {
    {"listen", SETTING(admin.listen)},
    {"token_env", SETTING(admin.token_env), text(Text::environment, true)},
    {"token_file", SETTING(admin.token_file), text(Text::path, true)},
    {"public_health", SETTING(admin.public_health)},
    {"public_metrics", SETTING(admin.public_metrics)},
};

constexpr Key<Settings> simulator_table[] = {
    {"listen", SETTING(simulator.listen)},
    {"first_token_ms", SETTING(simulator.first_token_ms), between(0, hour_ms)},
    {"token_gap_ms", SETTING(simulator.token_gap_ms), between(0, hour_ms)},
    {"jitter_percent", SETTING(simulator.jitter_percent), between(0, 100)},
    {"answer_tokens", SETTING(simulator.answer_tokens), between(1, 1'000'000)},
    {"fault", SETTING(simulator.fault), text(Text::fault, true)},
    {"fault_percent", SETTING(simulator.fault_percent), between(0, 100)},
    {"seed", SETTING(simulator.seed), between(0, std::numeric_limits<int64_t>::max())},
    {"requests_recorded_max", SETTING(simulator.requests_recorded_max), between(0, 1'000'000)},
    {"outages", SETTING(simulator.outages)},
};

constexpr Key<Settings> translation_table[] = {
    {"unsupported",
     HYPERION_SLOT_AS(Settings, Choice, reinterpret_cast<uint8_t*>(&owner.translation.unsupported)),
     one_of(unsupported_choices)},
    {"reasoning_content", SETTING(translation.reasoning_content)},
};

constexpr Key<Settings> routing_table[] = {
    {"smart_tolerance_points", SETTING_FRACTION(routing.smart_tolerance, 100), between(0, 100)},
    {"auto_tolerance_points", SETTING_FRACTION(routing.auto_tolerance, 100), between(0, 100)},
    {"balanced_from_score", SETTING_FRACTION(routing.balanced_from_score, 1000), between(0, 1)},
    {"high_reasoning_from_score", SETTING_FRACTION(routing.high_reasoning_from_score, 1000),
     between(0, 1)},
    {"score_fall_per_turn", SETTING_FRACTION(routing.score_fall_per_turn, 1000), between(0, 1)},
    {"hysteresis_points", SETTING_FRACTION(routing.hysteresis, 100), between(0, 100)},
    {"pressure_from", SETTING_FRACTION(routing.pressure_from, 1000), between(0, 1)},
    {"pressure_tolerance_points", SETTING_FRACTION(routing.pressure_tolerance, 100),
     between(0, 100)},
    {"slower_percent", SETTING(routing.slower_percent), between(0, 10'000)},
    {"cached_prefix_tokens_min", SETTING(routing.cached_prefix_tokens_min), between(0, 1'000'000)},
    {"previews", SETTING(routing.previews)},
    {"weights_file", SETTING(routing.weights_file), text(Text::path, true)},
    {"calibration_file", SETTING(routing.calibration_file), text(Text::path, true)},
    {"decisions_kept", SETTING(routing.decisions_kept), between(0, 4096)},
    {"rules", SETTING(routing.rules)},
};

constexpr Key<Settings> retries_table[] = {
    {"attempts_max", SETTING(resilience.retries.attempts_max), between(1, 32)},
    {"fallbacks_max", SETTING(resilience.retries.fallbacks_max), between(0, 12)},
    {"wait_max_ms", SETTING(resilience.retries.wait_max_ms), between(0, hour_ms)},
    {"backoff_base_ms", SETTING(resilience.retries.backoff_base_ms), between(0, minute_ms)},
    {"backoff_max_ms", SETTING(resilience.retries.backoff_max_ms), between(0, hour_ms)},
    {"active_percent", SETTING(resilience.retries.active_percent), between(0, 100)},
    {"active_min", SETTING(resilience.retries.active_min), between(0, 1'000'000)},
};

constexpr Key<Settings> breaker_table[] = {
    {"consecutive_failures", SETTING(resilience.breaker.consecutive_failures), between(1, 60'000)},
    {"error_percent", SETTING(resilience.breaker.error_percent), between(1, 100)},
    {"requests_min", SETTING(resilience.breaker.requests_min), between(1, 60'000)},
    {"window_ms", SETTING(resilience.breaker.window_ms), between(100, hour_ms)},
    {"open_ms", SETTING(resilience.breaker.open_ms), between(10, hour_ms)},
    {"open_max_ms", SETTING(resilience.breaker.open_max_ms), between(10, 24 * hour_ms)},
    {"ejected_max_percent", SETTING(resilience.breaker.ejected_max_percent), between(0, 100)},
    {"rate_limited_ms", SETTING(resilience.breaker.rate_limited_ms), between(0, hour_ms)},
    {"rate_limited_max_ms", SETTING(resilience.breaker.rate_limited_max_ms),
     between(0, 24 * hour_ms)},
    {"key_refused_ms", SETTING(resilience.breaker.key_refused_ms), between(0, 24 * hour_ms)},
    {"slow_first_token_percent", SETTING(resilience.breaker.slow_first_token_percent),
     between(100, 100'000)},
    {"slow_first_token_min_ms", SETTING(resilience.breaker.slow_first_token_min_ms),
     between(1, 24 * hour_ms)},
};

constexpr Key<Settings> hedging_table[] = {
    {"enabled", SETTING(resilience.hedging.enabled)},
    {"active_percent", SETTING(resilience.hedging.active_percent), between(0, 100)},
    {"after_min_ms", SETTING(resilience.hedging.after_min_ms), between(0, hour_ms)},
    {"body_max_bytes", SETTING(resilience.hedging.body_max_bytes), between(0, gib)},
};

#undef SETTING_FRACTION
#undef SETTING

constexpr Section section_table[] = {
    {"server", server_table},
    {"tls", tls_table},
    {"limits", limits_table},
    {"timeouts", timeouts_table},
    {"upstream", upstream_table},
    {"discovery", discovery_table},
    {"memory", memory_table},
    {"admission", admission_table},
    {"cors", cors_table},
    {"log", log_table},
    {"admin", admin_table},
    {"simulator", simulator_table},
    {"translation", translation_table},
    {"routing", routing_table},
    {"retries", retries_table},
    {"breaker", breaker_table},
    {"hedging", hedging_table},
};

#define PROVIDER(member) HYPERION_SLOT(ProviderDraft, member)

constexpr Key<ProviderDraft> provider_table[] = {
    {"name", PROVIDER(provider.name), text(Text::label, false)},
    {"preset", PROVIDER(preset), text(Text::label, false)},
    {"dialect",
     HYPERION_SLOT_AS(ProviderDraft, Choice, reinterpret_cast<uint8_t*>(&owner.provider.dialect)),
     one_of(dialect_choices)},
    {"base_url", PROVIDER(base_url)},
    {"variables", PROVIDER(variables)},
    {"addresses", PROVIDER(provider.addresses)},
    {"tls_server_name", PROVIDER(provider.tls_server_name)},
    {"ca_file", PROVIDER(provider.ca_file), text(Text::path, true)},
    {"api_key_env", PROVIDER(api_key_env), text(Text::environment, true)},
    {"api_key_file", PROVIDER(api_key_file), text(Text::path, true)},
    {"api_key_envs", HYPERION_SLOT_AS(ProviderDraft, Weighted, &owner.api_key_envs),
     text(Text::environment, false)},
    {"api_key_files", HYPERION_SLOT_AS(ProviderDraft, Weighted, &owner.api_key_files),
     text(Text::path, false)},
    {"authentication_header", PROVIDER(provider.authentication.header),
     text(Text::header_name, false)},
    {"authentication_prefix", PROVIDER(provider.authentication.prefix)},
    {"headers", PROVIDER(provider.headers)},
    {"serves", PROVIDER(provider.serves), text(Text::label, false)},
    {"platform", PROVIDER(provider.platform), text(Text::label, true)},
    {"passthrough_unknown_models", PROVIDER(provider.passthrough_unknown_models)},
    {"discovery", PROVIDER(provider.discovery)},
    {"vertex", PROVIDER(provider.vertex)},
    {"api_version", PROVIDER(provider.api_version), text(Text::label, false)},
    {"max_tokens_field", PROVIDER(provider.max_tokens_field), one_of(max_tokens_choices)},
    {"developer_role", PROVIDER(provider.developer_role)},
    {"speaks_responses", PROVIDER(provider.speaks_responses)},
    {"native_models_list", PROVIDER(provider.native_models_list)},
    {"stream_usage", PROVIDER(provider.stream_usage)},
    {"stream_done_marker", PROVIDER(provider.stream_done_marker)},
    {"reasoning_field", PROVIDER(provider.reasoning_field),
     one_of_or_empty(reasoning_field_choices)},
    {"reasoning_back", PROVIDER(provider.reasoning_back)},
    {"cache_control_parts", PROVIDER(provider.cache_control_parts)},
    {"connect_ms", PROVIDER(provider.timeouts.connect_ms), between(1, hour_ms)},
    {"tls_handshake_ms", PROVIDER(provider.timeouts.tls_handshake_ms), between(1, hour_ms)},
    {"first_byte_ms", PROVIDER(provider.timeouts.first_byte_ms), between(1, 24 * hour_ms)},
    {"idle_ms", PROVIDER(provider.timeouts.idle_ms), between(1, 24 * hour_ms)},
    {"total_ms", PROVIDER(provider.timeouts.total_ms), between(1, 24 * hour_ms)},
    {"connections_per_shard_max", PROVIDER(provider.connections.connections_per_shard_max),
     between(1, 1'000'000)},
    {"connections_warm", PROVIDER(provider.connections.connections_warm), between(0, 1024)},
    {"connection_idle_ms", PROVIDER(provider.connections.connection_idle_ms),
     between(0, 24 * hour_ms)},
    {"connection_requests_max", PROVIDER(provider.connections.connection_requests_max),
     between(1, 1'000'000'000)},
};

#undef PROVIDER

#define MODEL(member) HYPERION_SLOT(Model, member)
#define MODEL_BYTE(Type, member) \
  HYPERION_SLOT_AS(Model, Type, reinterpret_cast<uint8_t*>(&owner.member))
// Never negative: the range of the key sees to it.
#define MODEL_BUDGET(member) \
  [](Model& owner) -> Slot { return reinterpret_cast<uint32_t*>(&owner.thinking_budget.member); }
#define PRICE(Owner, member) HYPERION_SLOT_AS(Owner, UsdPerMillion, &owner.prices.member)

// The names of prices, in models and in their tiers.
template <class Owner>
constexpr std::array<Key<Owner>, 7> price_table = {{
    {"input_usd_per_million", PRICE(Owner, input)},
    {"output_usd_per_million", PRICE(Owner, output)},
    {"cached_input_usd_per_million", PRICE(Owner, cached_input)},
    {"cache_write_usd_per_million", PRICE(Owner, cache_write)},
    {"cache_write_1h_usd_per_million", PRICE(Owner, cache_write_1h)},
    {"audio_input_usd_per_million", PRICE(Owner, audio_input)},
    {"audio_output_usd_per_million", PRICE(Owner, audio_output)},
}};

template <class Owner, size_t count>
constexpr auto with_prices(const Key<Owner> (&keys)[count]) {
  std::array<Key<Owner>, count + price_table<Owner>.size()> all{};
  std::copy(std::begin(keys), std::end(keys), all.begin());
  std::copy(price_table<Owner>.begin(), price_table<Owner>.end(), all.begin() + count);
  return all;
}

constexpr auto model_table = with_prices<Model>({
    {"id", MODEL(id), text(Text::model, false)},
    {"family", MODEL(family), text(Text::label, false)},
    {"aliases", MODEL(aliases), text(Text::model, false)},
    {"series", MODEL(series), text(Text::model, false)},
    {"platform_ids", HYPERION_SLOT_AS(Model, Platforms, &owner.platform_ids)},
    {"released", HYPERION_SLOT_AS(Model, Date, &owner.released)},
    {"status", MODEL_BYTE(Choice, status), one_of(status_choices)},
    {"successor", MODEL(successor), text(Text::model, true)},
    {"endpoints", HYPERION_SLOT_AS(Model, Choices, &owner.endpoints), one_of(endpoint_choices)},
    {"context_tokens", MODEL(context_tokens)},
    {"input_tokens_max", MODEL(input_tokens_max)},
    {"output_tokens_max", MODEL(output_tokens_max)},
    {"first_byte_ms", MODEL(first_byte_ms), between(0, 24 * hour_ms)},
    {"capabilities",
     [](Model& owner) -> Slot {
       return Abilities{&owner.capabilities, catalog::Answer::yes};
     }},
    {"lacks",
     [](Model& owner) -> Slot {
       return Abilities{&owner.capabilities, catalog::Answer::no};
     }},
    {"efforts", HYPERION_SLOT_AS(Model, Choices, &owner.efforts.bits), one_of(effort_choices)},
    {"sampling", MODEL_BYTE(Choice, sampling), one_of(sampling_choices)},
    {"thinking", MODEL_BYTE(Choice, thinking), one_of(thinking_choices)},
    {"thinking_off", MODEL_BYTE(Choice, thinking_off), one_of(thinking_off_choices)},
    {"thinking_off_effort_max", MODEL_BYTE(Choice, thinking_off_effort_max),
     one_of(effort_choices)},
    {"thinking_budget_min_tokens", MODEL_BUDGET(min_tokens), between(0, budget_max)},
    {"thinking_budget_max_tokens", MODEL_BUDGET(max_tokens), between(0, budget_max)},
    {"forced_tools", MODEL(forced_tools)},
    {"system_in_messages", MODEL(system_in_messages)},
    {"prefill", MODEL(prefill)},
    {"tools_with_schema", MODEL(tools_with_schema)},
    {"tools_with_reasoning", MODEL(tools_with_reasoning)},
    {"max_completion_tokens_only", MODEL(max_completion_tokens_only)},
    {"price_tiers", MODEL(price_tiers)},
    {"quality", HYPERION_SLOT_AS(Model, Shares, &owner.quality)},
    {"quality_sources", MODEL(quality_sources), text(Text::line, false)},
});

constexpr auto price_tier_table = with_prices<catalog::PriceTier>({
    {"above_tokens", HYPERION_SLOT(catalog::PriceTier, above_tokens),
     between(1, std::numeric_limits<uint32_t>::max())},
});

#undef MODEL
#undef MODEL_BYTE
#undef MODEL_BUDGET
#undef PRICE

#define RULE(member) HYPERION_SLOT(routing::Rule, member)

constexpr Key<routing::Rule> routing_rule_table[] = {
    {"name", RULE(name), text(Text::label, false)},
    {"classes", HYPERION_SLOT_AS(routing::Rule, ManyChoices, &owner.kinds), one_of(kind_choices)},
    {"keys", RULE(keys), text(Text::label, false)},
    {"tags", RULE(tags)},
    {"tokens_min", RULE(tokens_min)},
    {"tokens_max", RULE(tokens_max)},
    {"routes", HYPERION_SLOT_AS(routing::Rule, Choices, &owner.routes), one_of(route_choices)},
    {"model", RULE(model), text(Text::model, false)},
    {"tier", HYPERION_SLOT_AS(routing::Rule, Choice, &owner.tier), one_of_or_empty(tier_choices)},
};

#undef RULE

#define OUTAGE(member) HYPERION_SLOT(Outage, member)

// Far more than anybody waits for, and safe to add up.
constexpr uint64_t outage_time_max_ms = 1'000 * day_s * 1'000;

constexpr Key<Outage> outage_key_table[] = {
    {"name", OUTAGE(name), text(Text::label, true)},
    {"provider", OUTAGE(provider), one_of_or_empty(dialect_choices)},
    {"model", OUTAGE(model), text(Text::model, true)},
    {"api_key", OUTAGE(api_key)},
    {"path", OUTAGE(path), text(Text::path, true)},
    {"host", OUTAGE(host)},
    {"start_ms", OUTAGE(start_ms), between(0, outage_time_max_ms)},
    {"length_ms", OUTAGE(length_ms), between(0, outage_time_max_ms)},
    {"period_ms", OUTAGE(period_ms), between(0, outage_time_max_ms)},
    {"kind", HYPERION_SLOT_AS(Outage, Choice, &owner.kind), one_of(outage_choices)},
    {"fault", OUTAGE(fault), text(Text::fault, false)},
    {"percent", OUTAGE(percent), between(1, 100)},
    {"down_ms", OUTAGE(down_ms), between(1, outage_time_max_ms)},
    {"up_ms", OUTAGE(up_ms), between(1, outage_time_max_ms)},
    {"recovery_ms", OUTAGE(recovery_ms), between(1, outage_time_max_ms)},
    {"slow_ms", OUTAGE(slow_ms), between(1, hour_ms)},
    {"slower_factor", OUTAGE(slower_factor), between(2, 1000)},
};

#undef OUTAGE

constexpr Key<catalog::DeploymentDraft> deployment_table[] = {
    {"name", HYPERION_SLOT(catalog::DeploymentDraft, name), text(Text::model, false)},
    {"model", HYPERION_SLOT(catalog::DeploymentDraft, model), text(Text::model, false)},
    {"provider", HYPERION_SLOT(catalog::DeploymentDraft, provider), text(Text::label, false)},
    {"upstream_model", HYPERION_SLOT(catalog::DeploymentDraft, upstream_model),
     text(Text::model, true)},
    {"environments", HYPERION_SLOT(catalog::DeploymentDraft, environments),
     text(Text::label, false)},
};

constexpr Key<resilience::DefaultChain> chain_table[] = {
    {"model", HYPERION_SLOT(resilience::DefaultChain, model), text(Text::model, false)},
    {"places", HYPERION_SLOT_AS(resilience::DefaultChain, Weighted, &owner.place_names),
     text(Text::model, false)},
    {"fallbacks", HYPERION_SLOT(resilience::DefaultChain, fallback_names),
     text(Text::model, false)},
};

constexpr Key<VirtualKey> virtual_key_table[] = {
    {"id", HYPERION_SLOT(VirtualKey, id), text(Text::label, false)},
    {"hash", HYPERION_SLOT(VirtualKey, hash)},
    {"name", HYPERION_SLOT(VirtualKey, name)},
    {"revoked", HYPERION_SLOT(VirtualKey, revoked)},
    {"test", HYPERION_SLOT(VirtualKey, test)},
    {"models", HYPERION_SLOT(VirtualKey, models), text(Text::pattern, false)},
    {"body_size_max_bytes", HYPERION_SLOT(VirtualKey, body_size_max_bytes), between(0, gib)},
    {"concurrent_requests_max", HYPERION_SLOT(VirtualKey, concurrent_requests_max),
     between(0, 10'000'000)},
    {"priority", HYPERION_SLOT_AS(VirtualKey, Choice, reinterpret_cast<uint8_t*>(&owner.priority)),
     one_of(priority_choices)},
};

#undef HYPERION_SLOT
#undef HYPERION_SLOT_AS

}  // namespace

std::span<const Key<TopLevel>> top_level_keys() { return top_level_table; }
std::span<const Section> sections() { return section_table; }
std::span<const Key<ProviderDraft>> provider_keys() { return provider_table; }
std::span<const Key<Model>> model_keys() { return model_table; }
std::span<const Key<catalog::PriceTier>> price_tier_keys() { return price_tier_table; }
std::span<const Key<routing::Rule>> routing_rule_keys() { return routing_rule_table; }
std::span<const Key<Outage>> outage_keys() { return outage_key_table; }
std::span<const Key<catalog::DeploymentDraft>> deployment_keys() { return deployment_table; }
std::span<const Key<resilience::DefaultChain>> chain_keys() { return chain_table; }
std::span<const Key<VirtualKey>> virtual_key_keys() { return virtual_key_table; }

}  // namespace hyperion::config
