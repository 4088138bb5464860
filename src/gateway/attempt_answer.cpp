// What an attempt does with the provider's answer while it comes: hold it back, commit, pass it on.
#include <initializer_list>

#include "base/planted.h"
#include "dialect/language.h"
#include "dialect/openai_chat.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

// Room that relayed headers leave for our own.
constexpr size_t answer_head_reserve_bytes = 2048;

bool begins_with(std::string_view text, std::string_view begin) {
  return text.size() >= begin.size() &&
         http::equal_ignoring_case(text.substr(0, begin.size()), begin);
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  for (std::string_view known : names) {
    if (http::equal_ignoring_case(name, known)) return true;
  }
  return false;
}

// What a provider says of its limits and of itself; the client reads it under a name of ours.
bool is_told_on(std::string_view name) {
  return begins_with(name, "x-ratelimit-") || begins_with(name, "anthropic-ratelimit-") ||
         is_one_of(name, {"x-request-id", "openai-processing-ms"});
}

// Request ids of other vendors.
bool is_request_id(std::string_view name) {
  return is_one_of(name,
                   {"request-id", "mistral-correlation-id", "apim-request-id", "x-amzn-requestid"});
}

}  // namespace

void Attempt::on_response_head(const http::ResponseHead& head) {
  head_ = head;
  Gateway& gateway = exchange_.gateway();
  trace_.upstream_head = gateway.runtime().clock.now();
  trace_.upstream_last = gateway.runtime().clock.now();
  size_t status_class = head.status / 100 <= 5 ? head.status / 100 : 0;
  exchange_.snapshot()
      .providers[deployment().provider->index]
      .counters->status_class[status_class]
      .add();
  if (head.status == 401 || head.status == 403) {
    // Our own key was refused: nothing the client could act upon, and nothing to show it.
    trace_.error_kind =
        head.status == 401 ? dialect::ErrorKind::bad_key : dialect::ErrorKind::forbidden;
    fail(ErrorCode::unauthorised, Phase::await_head);
    return;
  }
  std::string_view type = head.headers.find("content-type");
  const bool events = begins_with(type, "text/event-stream");
  const bool array =
      !translates() && exchange_.wants_array() && begins_with(type, "application/json");
  const bool good = head.status == 200;
  kind_ = good && events ? Kind::stream : good && array ? Kind::array : Kind::plain;
  if (translates() && !head.headers.find("content-encoding").empty() &&
      !http::equal_ignoring_case(head.headers.find("content-encoding"), "identity")) {
    // Compressed although we asked for none: there is nothing to read.
    fail(ErrorCode::unsupported, Phase::await_head);
    return;
  }
  if (streams()) {
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
  trace_.upstream_last = exchange_.gateway().runtime().clock.now();
  if (streams()) {
    stream_body(bytes);
  } else {
    arm_idle();
    plain_body(bytes);
  }
}

// The key we sent must not come back to a client inside an error text.
bool Attempt::hides_secret(std::string_view text) const {
  return dialect::holds_secret(text, deployment().provider->reveal_key(leg_.key));
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
  if (whole && head_.status < 400 && !translates()) {
    dialect::language_of(leg_.crossing.upstream).observe_answer(bytes, usage_);
    if (!send_whole(bytes)) fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  if (!held_.append(bytes)) {
    fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  const bool kept = translates() || head_.status >= 400;
  if (kept || held_.size() <= limits.relay_backlog_max_bytes) return;
  // Too large to be held back whole.
  uint64_t length =
      head_.framing == http::Framing::content_length ? head_.content_length : Relay::unknown_length;
  if (!commit(length) || !relay_bytes(held_.view())) {
    fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  held_.release();
}

void Attempt::stream_body(std::string_view bytes) {
  const config::Settings& settings = exchange_.snapshot().config->settings;
  if (!exchange_.wants_stream() && body_bytes_ > settings.limits.response_body_size_max_bytes) {
    fail(ErrorCode::too_large, phase());
    return;
  }
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
  if (view.size() - whole > settings.http.sse_event_size_max_bytes) {
    fail(ErrorCode::malformed_sse, phase());
    return;
  }
  if (translator_.out_of_memory()) {
    fail(ErrorCode::overloaded, phase());
    return;
  }
  if (said_ != nullptr || secret_told_) {
    break_off(view.substr(0, whole), commit_now);
    return;
  }
  if (needs_commit(commit_now, whole)) {
    if (!commit(Relay::unknown_length)) {
      fail(ErrorCode::overloaded, phase());
      return;
    }
    arm_idle();
  }
  if (!keep_rest(view, whole, in_place)) fail(ErrorCode::overloaded, phase());
}

// The provider told of an error. What stands before it is the client's, where it says something.
void Attempt::break_off(std::string_view before, bool says_something) {
  if (!committed_ && says_something && exchange_.wants_stream() && !commit(Relay::unknown_length)) {
    fail(ErrorCode::overloaded, phase());
    return;
  }
  const bool relayed =
      !committed_ || (translates() ? relay_translated() : before.empty() || relay_bytes(before));
  Error error =
      make_error(secret_told_ ? ErrorCode::unauthorised : ErrorCode::invalid, Side::upstream);
  if (!relayed) error = make_error(ErrorCode::overloaded, Side::gateway);
  error.phase = phase();
  give_up(error);
}

bool Attempt::needs_commit(bool commit_now, size_t whole) const {
  // A plain answer of a provider that streams all the same is given as a whole.
  if (committed_ || (translates() && !exchange_.wants_stream())) return false;
  const size_t waiting = translates() ? translator_.output().size() : whole;
  return commit_now || waiting > held_max_bytes || held_events_ > held_max_events;
}

// Relays the whole events once committed; what must wait stays in `held_`. False: out of memory.
bool Attempt::keep_rest(std::string_view view, size_t whole, bool in_place) {
  if (translates()) {
    // What was read is in the translator's hands.
    looked_at_ = 0;
    if (committed_ && !relay_translated()) return false;
    if (HYPERION_PLANTED(translated_rest_lost)) whole = view.size();
    if (in_place) return held_.append(view.substr(whole));
    held_.consume(whole);
    return true;
  }
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
    http::SseEvent event;
    size_t size = next_event(view.substr(at), event);
    if (size == 0) break;
    dialect::Observation seen = observe(event, committed_ || commit_now);
    if (seen.error && !committed_ && !commit_now && leaves_error(event)) break;
    if (seen.error && !take_error(event)) break;
    at += size;
    ++held_events_;
    progress |= event.has_data;
    done_seen_ |= seen.finished;
    if (said_ != nullptr) break;
    // An error or the end is all there will be: nothing is gained by holding it back.
    commit_now |=
        seen.semantic || seen.error || seen.finished || HYPERION_PLANTED(commit_too_early);
  }
  return at;
}

// An error before anything was said, in passthrough: true if another candidate may do better. (A
// translation keeps its errors for the exchange anyhow.)
bool Attempt::leaves_error(const http::SseEvent& event) {
  if (translates()) return false;
  dialect::ProviderError said = dialect::read_stream_error(leg_.crossing.upstream, event.data);
  if (!exchange_.goes_on_after(*this, said)) return false;
  stream_error_ = said;
  said_ = &stream_error_;
  trace_.error_kind = said.kind;
  return true;
}

// False: the event must not be shown.
bool Attempt::take_error(const http::SseEvent& event) {
  trace_.error = ErrorCode::invalid;
  if (translates()) {
    said_ = &translator_.error();
    trace_.error_kind = said_->kind;
    if (hides_secret(said_->message)) translator_.forget_message();
    return true;
  }
  error_told_ = true;
  trace_.error_kind = dialect::read_stream_error(leg_.crossing.upstream, event.data).kind;
  secret_told_ = hides_secret(event.raw);
  return !secret_told_;
}

// The first whole event in `bytes`; 0 when it is not complete. An array's elements are events
// without a name.
size_t Attempt::next_event(std::string_view bytes, http::SseEvent& event) {
  if (kind_ == Kind::stream) {
    const size_t size = splitter_.find_event_end(bytes);
    if (size != 0) event = http::parse_event(bytes.substr(0, size));
    return size;
  }
  const size_t size = array_splitter_.find_piece_end(bytes);
  if (size == 0) return 0;
  event.raw = bytes.substr(0, size);
  event.data = event.raw.substr(array_splitter_.element_begin());
  event.has_data = !event.data.empty();
  return size;
}

bool Attempt::ends_with_finish() const {
  return leg_.crossing.upstream == dialect::Wire::openai_chat &&
         !deployment().provider->stream_done_marker;
}

dialect::Observation Attempt::observe(const http::SseEvent& event, bool committed) {
  finish_told_ |= ends_with_finish() && dialect::openai_chat::tells_finish(event.data);
  if (!translates())
    return dialect::language_of(leg_.crossing.upstream).observe_event(event, committed, usage_);
  dialect::Observation seen = translator_.on_stream_event(event);
  usage_ = translator_.usage();
  return seen;
}

// Queues the head of the answer. False: out of memory, nothing was queued.
bool Attempt::commit(uint64_t length) {
  trace_.first_token = exchange_.gateway().runtime().clock.now();
  tell_health_of_begin();
  exchange_.on_attempt_commits(*this);
  if (!exchange_.begin_answer(head_.status)) return false;
  write_answer_headers();
  if (!exchange_.relay().end_head(length)) return false;
  committed_ = true;
  state_ = State::relay;
  // A comment: no client takes it for an event. A JSON array has no room for one.
  if (kind_ != Kind::stream || exchange_.explanation().empty() || exchange_.wants_array())
    return true;
  Relay& relay = exchange_.relay();
  return relay.body(": hyperion ") && relay.body(exchange_.explanation()) && relay.body("\n\n");
}

// A plain answer that has wholly come, with the decision as its last member where the client asked
// for it and the answer is an object. False: out of memory.
bool Attempt::send_whole(std::string_view body) {
  constexpr std::string_view blanks = " \r\n\t";
  const std::string_view explanation = exchange_.explanation();
  const std::string_view encoding = head_.headers.find("content-encoding");
  const size_t begin = body.find_first_not_of(blanks);
  const size_t end = body.find_last_not_of(blanks);
  const bool object = begin < end && end != body.npos && body[begin] == '{' && body[end] == '}';
  // The first member has no comma before it.
  const bool empty = object && body.find_last_not_of(blanks, end - 1) == begin;
  const std::string_view member = empty ? "\"hyperion\":" : ",\"hyperion\":";
  const bool plain = translates() || encoding.empty();
  Relay& relay = exchange_.relay();
  if (explanation.empty() || head_.status != 200 || !object || !plain) {
    exchange_.record().response_bytes += body.size();
    return commit(body.size()) && relay.body(body);
  }
  const size_t size = body.size() + member.size() + explanation.size();
  exchange_.record().response_bytes += size;
  return commit(size) && relay.body(body.substr(0, end)) && relay.body(member) &&
         relay.body(explanation) && relay.body(body.substr(end));
}

void Attempt::write_answer_headers() {
  http::HeadWriter& head = exchange_.relay().head();
  const Record& record = exchange_.record();
  std::string_view type = head_.headers.find("content-type");
  if (translates()) type = content_type_of_translation();
  if (!type.empty() && type.size() <= forwarded_value_max_bytes) head.header("content-type", type);
  // Told by the provider under its own name with ours in front; what the client must act on as it
  // is, but where waiting does not help.
  const bool unpaid = head_.status >= 400 && record.error_kind == dialect::ErrorKind::money;
  // We have tried again already: the client need not.
  const bool retried = head_.status >= 400 && record.attempts > 1;
  if (unpaid || retried) head.raw("x-should-retry: false\r\n");
  for (size_t i = 0; i < head_.headers.count; ++i) {
    const http::Header& header = head_.headers.items[i];
    bool fits =
        header.value.size() <= forwarded_value_max_bytes && head.room() > answer_head_reserve_bytes;
    if (!fits) continue;
    if (is_request_id(header.name)) {
      head.header("x-upstream-request-id", header.value);
    } else if (is_told_on(header.name)) {
      char name[128] = "x-upstream-";
      std::string_view rest = header.name.substr(begins_with(header.name, "x-") ? 2 : 0);
      if (rest.size() + 11 > sizeof(name)) continue;
      size_t size = 11 + rest.copy(name + 11, rest.size());
      head.header({name, size}, header.value);
    } else if (head_.status >= 400 && !unpaid &&
               (is_one_of(header.name, {"retry-after", "retry-after-ms"}) ||
                (!retried && http::equal_ignoring_case(header.name, "x-should-retry")))) {
      head.header(header.name, header.value);
    } else if (!translates() && http::equal_ignoring_case(header.name, "content-encoding")) {
      head.header("content-encoding", header.value);
    }
  }
  if (exchange_.wants_stream()) head.raw("cache-control: no-cache\r\n");
  head.header("x-hyperion-route", routing::name_of(record.routed));
  if (!record.intent.empty()) head.header("x-hyperion-route-intent", record.intent);
  if (!record.decision_line.empty()) head.header("x-hyperion-route-decision", record.decision_line);
  head.raw(exchange_.snapshot().providers[deployment().provider->index].answer_head);
  head.header("x-hyperion-model", record.model);
  head.header("x-hyperion-requested-model", record.requested_model);
  write_dropped(head);
  if (!adjusted_.empty()) head.header("x-hyperion-adjusted", adjusted_);
  head.header("x-hyperion-attempts", record.attempts);
  if (record.fallback_index != 0) {
    head.header("x-hyperion-fallback-index", record.fallback_index);
    head.header("x-hyperion-fallback-reason", record.fallback_reason);
  }
  if (!record.skipped.empty()) head.header("x-hyperion-fallback-skipped", record.skipped);
  if (record.hedged) head.raw("x-hyperion-hedged: true\r\n");
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
  // Of an answer that has wholly come there is nothing to pause.
  const bool reads = connection_ != nullptr && !paused_;
  if (reads && backlog > exchange_.snapshot().config->settings.limits.relay_backlog_max_bytes) {
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
