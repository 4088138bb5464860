#include <algorithm>

#include "dialect/anthropic_writer.h"

namespace hyperion::dialect::anthropic {
namespace {

// Where nothing is known of the model: what LiteLLM and agentgateway ask for.
constexpr int64_t max_tokens_default = 4096;
// Breakpoints that one request may have (platform.claude.com, "Prompt caching").
constexpr uint32_t marks_max = 4;
// Longer ids of users are refused ("Metadata" of the API reference).
constexpr size_t user_id_size_max_bytes = 256;

}  // namespace

bool encode_request(const Request& request, const Target& target, Workspace workspace,
                    json::Output& out, Notes& notes) {
  return RequestWriter(request, target, workspace, out, notes).write();
}

bool RequestWriter::write() {
  plan_max_tokens();
  if (!note_what_is_left_out() || !plan_tools() || !plan_format() || !plan_turns() ||
      !plan_thinking())
    return false;
  count_marks();
  out_.begin_object();
  out_.member("model", target_.upstream_model);
  out_.member("max_tokens", max_tokens_);
  if (!write_tools() || !write_tool_choice()) return false;
  write_system();
  if (!write_messages()) return false;
  write_thinking();
  if (!write_output_config() || !write_sampling()) return false;
  write_stop();
  write_user();
  write_service_tier();
  if (request_.cache_automatic) {
    out_.key("cache_control");
    out_.begin_object();
    out_.member("type", "ephemeral");
    out_.end_object();
  }
  if (request_.stream) out_.member("stream", true);
  out_.end_object();
  return !out_.failed();
}

bool RequestWriter::note_what_is_left_out() {
  const Request& r = request_;
  struct Row {
    bool given;
    Feature feature;
    std::string_view param;
  };
  const Row rows[] = {
      {r.n > 1, Feature::n, {}},
      {r.logprobs || r.top_logprobs > 0, Feature::logprobs, {}},
      {r.logit_bias.given(), Feature::logit_bias, {}},
      {r.seed.given(), Feature::seed, {}},
      {r.presence_penalty.given(), Feature::penalties, "presence_penalty"},
      {r.frequency_penalty.given(), Feature::penalties, "frequency_penalty"},
      {r.metadata.given(), Feature::metadata, {}},
      {r.store == Flag::yes, Feature::store, {}},
      {!r.verbosity.empty(), Feature::verbosity, {}},
      {r.audio_wanted, Feature::audio_output, {}},
      {r.prediction.given(), Feature::prediction, {}},
      {r.web_search.given(), Feature::web_search, {}},
      {r.safety_settings.given(), Feature::safety_settings, {}},
  };
  for (const Row& row : rows) {
    if (row.given && !notes_.cannot(row.feature, row.param)) return false;
  }
  for (const Word* word = r.unknown.first; word != nullptr; word = word->next)
    notes_.drop(word->plain);
  return true;
}

void RequestWriter::plan_max_tokens() {
  const int64_t limit = model_ != nullptr ? model_->output_tokens_max : 0;
  max_tokens_ = request_.output_tokens_max;
  if (max_tokens_ <= 0) max_tokens_ = limit > 0 ? limit : max_tokens_default;
  if (limit > 0 && max_tokens_ > limit) {
    max_tokens_ = limit;
    notes_.adjust("max_tokens");
  }
}

// The last marks stand for the longest beginnings: of too many the first are left out.
void RequestWriter::count_marks() {
  uint32_t count = request_.cache_automatic ? 1 : 0;
  for (const Tool* tool = request_.tools.first; tool != nullptr; tool = tool->next)
    count += is_written(*tool) && tool->cache != CacheMark::none;
  for (const Message* message = request_.messages.first;
       message != nullptr && message != turns_end_; message = message->next) {
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (!is_written(*part)) continue;
      count += part->cache != CacheMark::none;
      for (const Part* inner = part->content.first; inner != nullptr; inner = inner->next)
        count += is_written(*inner) && inner->cache != CacheMark::none;
    }
  }
  if (count <= marks_max) return;
  marks_left_out_ = count - marks_max;
  notes_.drop(row_of(Feature::cache_mark).param);
}

void RequestWriter::write_mark(CacheMark mark) {
  if (mark == CacheMark::none) return;
  if (marks_left_out_ > 0) {
    --marks_left_out_;
    return;
  }
  out_.key("cache_control");
  out_.begin_object();
  out_.member("type", "ephemeral");
  if (mark == CacheMark::one_hour) out_.member("ttl", "1h");
  out_.end_object();
}

void RequestWriter::write_stop() {
  bool any = false;
  for (const Word* word = request_.stop.first; word != nullptr; word = word->next) {
    if (is_blank(word->raw.bytes)) {
      notes_.drop("stop");
      continue;
    }
    if (!any) {
      out_.key("stop_sequences");
      out_.begin_array();
      any = true;
    }
    out_.raw_string(word->raw.bytes);
  }
  if (any) out_.end_array();
}

// Anthropic asks not to be sent names, e-mail addresses or telephone numbers.
void RequestWriter::write_user() {
  const std::string_view user = request_.user.bytes;
  if (user.empty()) return;
  const bool is_address =
      user.find('@') != std::string_view::npos || user.find("\\u0040") != std::string_view::npos;
  if (is_address || user.size() > user_id_size_max_bytes) {
    notes_.cannot(Feature::user);
    return;
  }
  out_.key("metadata");
  out_.begin_object();
  out_.member_raw("user_id", user);
  out_.end_object();
}

void RequestWriter::write_service_tier() {
  if (request_.service_tier.empty()) return;
  if (request_.service_tier == "auto") {
    out_.member("service_tier", "auto");
  } else if (request_.service_tier == "default") {
    out_.member("service_tier", "standard_only");
  } else {
    notes_.cannot(Feature::service_tier);
  }
}

}  // namespace hyperion::dialect::anthropic
