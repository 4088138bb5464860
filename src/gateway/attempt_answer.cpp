// What an attempt does with the provider's answer while it comes: hold it back, commit, pass it on.
#include "base/planted.h"
#include "dialect/openai_chat.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

using dialect::openai_chat::observe_answer;
using dialect::openai_chat::observe_event;

// Room that relayed headers leave for our own.
constexpr size_t answer_head_reserve_bytes = 2048;

}  // namespace

void Attempt::on_response_head(const http::ResponseHead& head) {
  head_ = head;
  Gateway& gateway = exchange_.gateway();
  exchange_.record().upstream_head = gateway.runtime().clock.now();
  exchange_.record().upstream_last = gateway.runtime().clock.now();
  size_t status_class = head.status / 100 <= 5 ? head.status / 100 : 0;
  exchange_.snapshot()
      .providers[exchange_.deployment().provider->index]
      .counters->status_class[status_class]
      .add();
  if (head.status == 401 || head.status == 402 || head.status == 403) {
    // Our own key was refused: nothing the client could act upon, and nothing to show it.
    fail(ErrorCode::unauthorised, Phase::await_head);
    return;
  }
  std::string_view type = head.headers.find("content-type");
  kind_ = head.status == 200 && type.starts_with("text/event-stream") ? Kind::stream : Kind::plain;
  if (kind_ == Kind::stream) {
    state_ = State::await_token;
  } else {
    uint64_t limit = exchange_.snapshot().config->settings.limits.response_body_size_max_bytes;
    if (head.framing == http::Framing::content_length && head.content_length > limit) {
      fail(ErrorCode::too_large, Phase::await_head);
      return;
    }
    state_ = State::relay;
    arm_idle();
  }
}

void Attempt::on_response_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  exchange_.record().upstream_last = exchange_.gateway().runtime().clock.now();
  if (kind_ == Kind::stream) {
    stream_body(bytes);
  } else {
    arm_idle();
    plain_body(bytes);
  }
}

// The key we sent must not come back to a client inside an error text.
bool Attempt::hides_secret(std::string_view body) {
  std::string_view key = exchange_.deployment().provider->key.reveal();
  return head_.status >= 400 && !key.empty() && body.find(key) != std::string_view::npos;
}

void Attempt::plain_body(std::string_view bytes) {
  const config::GatewayLimits& limits = exchange_.snapshot().config->settings.limits;
  if (body_bytes_ > limits.response_body_size_max_bytes) {
    fail(ErrorCode::too_large, Phase::relay);
    return;
  }
  if (committed_) {
    if (!relay_bytes(bytes)) fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  bool whole =
      head_.framing == http::Framing::content_length && bytes.size() == head_.content_length;
  if (whole && !hides_secret(bytes)) {
    observe_answer(bytes, usage_);
    if (!commit(bytes.size()) || !relay_bytes(bytes)) fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  if (!held_.append(bytes)) {
    fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  if (held_.size() <= limits.relay_backlog_max_bytes) return;
  // Too large to be held back whole.
  uint64_t length =
      head_.framing == http::Framing::content_length ? head_.content_length : Relay::unknown_length;
  if (hides_secret(held_.view())) {
    fail(ErrorCode::malformed_http, Phase::relay);
    return;
  }
  if (!commit(length) || !relay_bytes(held_.view())) {
    fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  held_.release();
}

void Attempt::stream_body(std::string_view bytes) {
  // What is held begins with whole events that were looked at before, then the beginning of one
  // that is not complete.
  bool in_place = held_.empty();
  if (!in_place && !held_.append(bytes)) {
    fail(ErrorCode::overloaded, phase());
    return;
  }
  std::string_view view = in_place ? bytes : held_.view();
  bool commit_now = false;
  bool progress = false;
  size_t whole = look_at_events(view, commit_now, progress);
  if (HYPERION_PLANTED(event_split) && committed_) whole = view.size();
  if (progress && committed_) arm_idle();
  if (view.size() - whole > exchange_.snapshot().config->settings.http.sse_event_size_max_bytes) {
    fail(ErrorCode::malformed_sse, phase());
    return;
  }
  if (!committed_ && (commit_now || whole > held_max_bytes || held_events_ > held_max_events)) {
    if (!commit(Relay::unknown_length)) {
      fail(ErrorCode::overloaded, phase());
      return;
    }
    arm_idle();
  }
  if (!keep_rest(view, whole, in_place)) fail(ErrorCode::overloaded, phase());
}

// Relays the whole events once committed; what must wait stays in `held_`. False: out of memory.
bool Attempt::keep_rest(std::string_view view, size_t whole, bool in_place) {
  if (committed_) {
    if (whole > 0 && !relay_bytes(view.substr(0, whole))) return false;
    looked_at_ = 0;
    if (in_place) {
      if (HYPERION_PLANTED(partial_event_dropped)) whole = view.size();
      return held_.append(view.substr(whole));
    }
    held_.consume(whole);
    return true;
  }
  looked_at_ = whole;
  return !in_place || held_.append(view);
}

// Observes every whole event from `looked_at_` on; returns where the last one ends.
size_t Attempt::look_at_events(std::string_view view, bool& commit_now, bool& progress) {
  size_t at = looked_at_;
  while (at < view.size()) {
    size_t size = splitter_.find_event_end(view.substr(at));
    if (size == 0) break;
    http::SseEvent event = http::parse_event(view.substr(at, size));
    dialect::Observation seen = observe_event(event, committed_ || commit_now, usage_);
    at += size;
    ++held_events_;
    progress |= event.has_data;
    done_seen_ |= seen.finished;
    // An error or the end is all there will be: nothing is gained by holding it back.
    commit_now |=
        seen.semantic || seen.error || seen.finished || HYPERION_PLANTED(commit_too_early);
    if (seen.error) exchange_.record().error = ErrorCode::invalid;
  }
  return at;
}

// Queues the head of the answer. False: out of memory, nothing was queued.
bool Attempt::commit(uint64_t length) {
  exchange_.record().first_token = exchange_.gateway().runtime().clock.now();
  if (!exchange_.begin_answer(head_.status)) return false;
  write_answer_headers();
  if (!exchange_.relay().end_head(length)) return false;
  committed_ = true;
  state_ = State::relay;
  return true;
}

void Attempt::write_answer_headers() {
  http::HeadWriter& head = exchange_.relay().head();
  const Record& record = exchange_.record();
  std::string_view type = head_.headers.find("content-type");
  if (!type.empty() && type.size() <= forwarded_value_max_bytes) head.header("content-type", type);
  // Told by the provider under its own name with ours in front; what the client must act on as it
  // is.
  for (size_t i = 0; i < head_.headers.count; ++i) {
    const http::Header& header = head_.headers.items[i];
    bool fits =
        header.value.size() <= forwarded_value_max_bytes && head.room() > answer_head_reserve_bytes;
    if (!fits) continue;
    constexpr std::string_view limits = "x-ratelimit-";
    bool limit = header.name.size() > limits.size() &&
                 http::equal_ignoring_case(header.name.substr(0, limits.size()), limits);
    bool other = http::equal_ignoring_case(header.name, "x-request-id") ||
                 http::equal_ignoring_case(header.name, "openai-processing-ms");
    if (limit || other) {
      char name[128] = "x-upstream-";
      bool prefixed = http::equal_ignoring_case(header.name.substr(0, 2), "x-");
      std::string_view rest = header.name.substr(prefixed ? 2 : 0);
      if (rest.size() + 11 > sizeof(name)) continue;
      size_t size = 11 + rest.copy(name + 11, rest.size());
      head.header({name, size}, header.value);
    } else if (head_.status >= 400 && (http::equal_ignoring_case(header.name, "retry-after") ||
                                       http::equal_ignoring_case(header.name, "retry-after-ms"))) {
      head.header(header.name, header.value);
    } else if (http::equal_ignoring_case(header.name, "content-encoding")) {
      head.header("content-encoding", header.value);
    }
  }
  if (kind_ == Kind::stream) head.raw("cache-control: no-cache\r\n");
  head.raw(exchange_.snapshot().providers[exchange_.deployment().provider->index].answer_head);
  head.header("x-hyperion-model", record.model);
  head.header("x-hyperion-requested-model", record.requested_model);
  if (!exchange_.dropped_options().empty())
    head.header("x-hyperion-dropped-params", exchange_.dropped_options());
  head.header("x-hyperion-attempts", record.attempts);
  Instant now = exchange_.gateway().runtime().clock.precise_now();
  head.header("x-hyperion-overhead-us", record.overhead_ns(now) / ns_per_us);
}

// Queues bytes for the client, and stops reading the provider when too many wait there. False: out
// of memory.
bool Attempt::relay_bytes(std::string_view bytes) {
  if (!exchange_.relay().body(bytes)) return false;
  exchange_.record().response_bytes += bytes.size();
  exchange_.flush_answer();
  size_t backlog = exchange_.client_backlog_bytes();
  if (!paused_ && backlog > exchange_.snapshot().config->settings.limits.relay_backlog_max_bytes) {
    paused_ = true;
    connection_->pause_reading();
    // The silence is the client's, whose own stall timer runs.
    exchange_.gateway().runtime().timers.cancel(deadline_);
  }
  return true;
}

void Attempt::on_client_progress() {
  if (!paused_ || state_ == State::join || HYPERION_PLANTED(pause_for_ever)) return;
  size_t backlog = exchange_.client_backlog_bytes();
  if (backlog > exchange_.snapshot().config->settings.limits.relay_backlog_max_bytes / 2) return;
  paused_ = false;
  connection_->resume_reading();
  arm_idle();
}

}  // namespace hyperion::gateway
