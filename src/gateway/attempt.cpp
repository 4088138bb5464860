#include "gateway/attempt.h"

#include "base/planted.h"
#include "catalog/cost.h"
#include "dialect/language.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"
#include "gateway/provider_head.h"

namespace hyperion::gateway {
namespace {

// The head of a response, and the state of a translation.
size_t arena_size_max(const http::Limits& limits) {
  return size_t{limits.response_head_size_max_bytes} * 2 + 48 * 1024;
}

}  // namespace

Attempt::Attempt(Exchange& exchange, const Leg& leg, ledger::Hold hold)
    : exchange_(exchange),
      leg_(leg),
      hold_(std::move(hold)),
      pool_(*exchange.snapshot().providers[leg.resolution.deployment->provider->index].pool),
      arena_(exchange.gateway().runtime().blocks,
             arena_size_max(exchange.snapshot().config->settings.http)),
      translator_(exchange.gateway().runtime().blocks, exchange.gateway().bodies()),
      request_body_(exchange.gateway().runtime().blocks, exchange.gateway().bodies()),
      held_(exchange.gateway().runtime().blocks, exchange.gateway().bodies()) {
  trace_.provider = deployment().provider->name;
  trace_.model = leg.resolution.upstream_model;
  trace_.translated = leg.crossing.translates();
}

Attempt::~Attempt() {
  exchange_.gateway().runtime().timers.cancel(deadline_);
  exchange_.gateway().runtime().timers.cancel(total_);
}

// Silence counts while we listen: not while a slow client keeps us from reading.
void Attempt::arm_idle() {
  if (!paused_) arm(idle_ms());
}

// A request may ask for shorter deadlines than the conf's, never for longer ones.
uint64_t Attempt::bounded(uint32_t conf_ms, uint32_t asked_ms) {
  hurried_ = asked_ms != 0 && asked_ms < conf_ms;
  return hurried_ ? asked_ms : conf_ms;
}

uint64_t Attempt::idle_ms() {
  return bounded(deployment().provider->timeouts.idle_ms, exchange_.timeouts().idle_ms);
}

void Attempt::arm(uint64_t after_ms) {
  if (HYPERION_PLANTED(silence_not_timed)) return;
  io::Runtime& runtime = exchange_.gateway().runtime();
  runtime.timers.arm(deadline_, runtime.clock.now() + after_ms * ns_per_ms);
}

void Attempt::start() {
  io::Runtime& runtime = exchange_.gateway().runtime();
  const catalog::Provider& provider = *deployment().provider;
  exchange_.snapshot().providers[provider.index].counters->attempts.add();
  const Instant own = runtime.clock.now() + provider.timeouts.total_ms * ns_per_ms;
  runtime.timers.arm(total_, std::min(own, exchange_.deadline()));
  // What others have left of the time, or the client gives, may be too little for anybody.
  brief_ = exchange_.deadline() < runtime.clock.now() + provider.timeouts.total_ms / 2 * ns_per_ms;
  if (upstream::Connection* connection = pool_.borrow(*this, leg_.fresh)) {
    on_borrowed(connection);
    return;
  }
  uint64_t wait_ms = bounded(provider.timeouts.connect_ms, exchange_.timeouts().connect_ms);
  if (provider.base_url.tls) wait_ms += provider.timeouts.tls_handshake_ms;
  arm(wait_ms + 100);  // the connection's own deadline speaks first
}

void Attempt::on_borrowed(upstream::Connection* connection) {
  connection_ = connection;
  connection_->begin(this, arena_);
  trace_.connected = exchange_.gateway().runtime().clock.now();
  send_request();
}

void Attempt::on_borrow_failed(Error error) { give_up(error); }

// The head is rebuilt from nothing the client wrote but an allow-list; the body is the client's
// bytes, queued by reference.
void Attempt::send_request() {
  io::WriteQueue& output = connection_->output();
  char* place = output.reserve(Relay::head_size_max_bytes);
  if (place == nullptr) {
    fail(ErrorCode::overloaded, Phase::send);
    return;
  }
  http::HeadWriter writer(place, Relay::head_size_max_bytes);
  write_head(writer);
  if (!writer.complete()) {
    fail(ErrorCode::too_large, Phase::send);
    return;
  }
  output.commit(writer.size());
  const json::SplicePlan& body = plan_;
  bool queued = !translates() || output.append_reference(request_body_.view());
  for (size_t i = 0; !translates() && queued && i < body.count; ++i)
    queued = output.append_reference(body.pieces[i]);
  if (!queued) {
    fail(ErrorCode::overloaded, Phase::send);
    return;
  }
  connection_->flush();
  if (HYPERION_PLANTED(request_freed_early)) request_body_.release();
  state_ = State::await_head;
  trace_.sent = exchange_.gateway().runtime().clock.precise_now();
  // A plain answer is silent until it is finished: only the total time bounds it.
  const catalog::Provider& provider = *deployment().provider;
  arm(exchange_.wants_stream()
          ? bounded(deployment().first_byte_ms(), exchange_.timeouts().first_token_ms)
          : bounded(provider.timeouts.total_ms, 0));
}

// The provider's path prefix and the path of its dialect; an empty one when it does not fit.
size_t Attempt::write_target(char* out, size_t capacity) const {
  std::string_view prefix = deployment().provider->base_url.path_prefix;
  if (prefix.size() > capacity) return 0;
  const size_t size = prefix.copy(out, prefix.size());
  const size_t path = write_upstream_path(
      leg_.crossing, exchange_.endpoint(), trace_.model, exchange_.wants_stream(),
      !translates() && exchange_.wants_array(), out + size, capacity - size);
  return path == 0 ? 0 : size + path;
}

void Attempt::write_head(http::HeadWriter& writer) {
  const catalog::Provider& provider = *deployment().provider;
  char target[target_max_bytes];
  writer.request_line("POST", {target, write_target(target, sizeof(target))});
  write_provider_headers(writer, provider, exchange_.snapshot().providers[provider.index],
                         leg_.key);
  for (std::string_view name : {"traceparent", "tracestate", "idempotency-key"})
    forward_header(writer, name);
  if (leg_.crossing.upstream == dialect::Wire::anthropic) {
    // The client's own version holds where its own bytes go; a body of ours is of the conf's.
    const bool own = !translates() && forward_header(writer, "anthropic-version");
    if (!own) writer.header("anthropic-version", provider.api_version);
    if (!translates()) forward_header(writer, "anthropic-beta");
  }
  std::string_view fault = exchange_.forwarded_fault();
  if (!fault.empty() && fault.size() <= forwarded_value_max_bytes)
    writer.header("x-hyperion-fault", fault);
  writer.header("content-length", translates() ? request_body_.size() : plan_.size_bytes);
  writer.end();
}

bool Attempt::forward_header(http::HeadWriter& writer, std::string_view name) {
  std::string_view value = exchange_.request().headers.find(name);
  if (value.empty() || value.size() > forwarded_value_max_bytes) return false;
  writer.header(name, value);
  return true;
}

// Errors cost nothing; of an answer whose cost is not told, and of a request of which nobody knows
// what became of it, the provider may bill the worst.
void Attempt::settle(bool answered) {
  const bool unknown = !answered && sent() && (committed_ || head_.status == 0);
  if (unknown) return hold_.keep_whole();
  if (!answered || trace_.error_kind != dialect::ErrorKind::none) return hold_.release();
  const catalog::Model* model = deployment().model;
  const int64_t cached = std::max<int64_t>(usage_.cached_tokens, 0);
  const bool counted = usage_.prompt_tokens >= 0 && usage_.completion_tokens >= 0;
  const int64_t cost =
      model == nullptr || !counted
          ? catalog::cost_unknown
          : catalog::cost_nano_usd(*model, {std::max<int64_t>(usage_.prompt_tokens - cached, 0),
                                            cached, usage_.completion_tokens});
  if (cost < 0) return hold_.keep_whole();
  hold_.settle(cost);
}

// At the commit. What has begun to answer answers: a probe's verdict does not wait for its end.
void Attempt::tell_health_of_begin() {
  resilience::Health& health = *exchange_.snapshot().health;
  if (streams() && head_.status == 200 && !exchange_.rehearses()) {
    const uint64_t us = elapsed_ns(trace_.sent, trace_.first_token) / ns_per_us;
    slow_ = health.saw_first_token(deployment(), us);
  }
  const bool good = head_.status < 400 && trace_.error_kind == dialect::ErrorKind::none;
  if (leg_.probe && good && !slow_)
    tell_health_of_end(resilience::Verdict::Kind::success, dialect::ErrorKind::none);
}

// What this attempt says about its target. A rehearsed failure says nothing about the provider.
void Attempt::tell_health_of_end(resilience::Verdict::Kind kind, dialect::ErrorKind error) {
  using Told = resilience::Verdict::Kind;
  resilience::Verdict verdict;
  verdict.kind = exchange_.rehearses() ? Told::neutral : kind;
  verdict.error = error;
  if (kind == Told::success && slow_) {
    verdict.kind = Told::failure;
    verdict.error = dialect::ErrorKind::timeout;
  }
  verdict.retry_after_ms = retry_after_ms_;
  if (kind == Told::success && committed_ && usage_.completion_tokens > 0) {
    verdict.output_tokens = static_cast<uint64_t>(usage_.completion_tokens);
    verdict.output_us = elapsed_ns(trace_.sent, trace_.upstream_last) / ns_per_us;
  }
  // A success may have been told at the beginning; a failure after it counts all the same.
  if (health_told_ && verdict.kind == Told::success) return;
  const bool probe = leg_.probe && !health_told_;
  health_told_ = true;
  exchange_.gateway().tell_health(exchange_.snapshot(), leg_.target, probe, verdict);
}

void Attempt::finish_answer(bool released) {
  ProviderCounters* counters =
      exchange_.snapshot().providers[deployment().provider->index].counters;
  if (usage_.prompt_tokens > 0)
    counters->prompt_tokens.add(static_cast<uint64_t>(usage_.prompt_tokens));
  if (usage_.completion_tokens > 0)
    counters->completion_tokens.add(static_cast<uint64_t>(usage_.completion_tokens));
  state_ = State::join;
  settle(true);
  const bool good = trace_.error_kind == dialect::ErrorKind::none;
  tell_health_of_end(good ? resilience::Verdict::Kind::success : resilience::Verdict::Kind::failure,
                     trace_.error_kind);
  exchange_.on_attempt_answered(*this);
  join(released);
}

void Attempt::on_response_failed(Error error, bool released) {
  connection_ = nullptr;
  if (error.phase == Phase::none) error.phase = phase();
  exchange_.snapshot().providers[deployment().provider->index].counters->failures.add();
  const dialect::ErrorKind kind = said_ != nullptr ? said_->kind : kind_of(error);
  if (said_ != nullptr) retry_after_ms_ = said_->retry_after_ms;
  settle(false);
  // Full pools and full memory are our own matter, and who is impatient is the client's. A kept
  // connection that was closed meanwhile says nothing: a fresh one will.
  const bool stale = error.retry_safe && error.reused;
  const bool impatient =
      error.code == ErrorCode::timed_out && hurried_ && !HYPERION_PLANTED(hurry_blamed);
  const bool ours = said_ == nullptr && kind != dialect::ErrorKind::bad_key &&
                    (error.side == Side::gateway || is_own_bound(error) || stale || impatient);
  tell_health_of_end(ours ? resilience::Verdict::Kind::neutral : resilience::Verdict::Kind::failure,
                     kind);
  if (committed_ && exchange_.wants_stream() && (!error_told_ || secret_told_))
    write_error_event(error);
  state_ = State::join;
  exchange_.on_attempt_failed(*this, error, said_);
  join(released);
}

// The client learns in its own dialect that this is not the end.
void Attempt::write_error_event(Error error) {
  if (HYPERION_PLANTED(error_event_missing)) return;
  Failure failure = said_ != nullptr ? failure_of(*said_, trace_.provider)
                                     : failure_of_upstream(error, trace_.provider);
  if (said_ == nullptr && !secret_told_) failure.code = "upstream_stream_cut";
  // A translation may have begun the answer and still hold all of it back.
  using Form = dialect::StreamForm;
  const Form array =
      exchange_.record().response_bytes == 0 ? Form::array_unbegun : Form::array_begun;
  json::Output event(exchange_.gateway().scratch());
  dialect::write_error_event(exchange_.endpoint().wire, answer_of(failure, exchange_.request_id()),
                             exchange_.wants_array() ? array : Form::events, event);
  if (!event.failed()) exchange_.relay().body(event.text());
}

void Attempt::fail(ErrorCode code, Phase phase) {
  Error error = make_error(code, code == ErrorCode::overloaded ? Side::gateway : Side::upstream);
  error.phase = phase;
  give_up(error);
}

// Ends the attempt from our side.
void Attempt::give_up(Error error) {
  if (state_ == State::join) return;
  if (connection_ == nullptr) pool_.cancel(*this);
  bool released = connection_ == nullptr || connection_->abandon();
  on_response_failed(error, released);
}

void Attempt::cancel() {
  if (state_ == State::join) return;
  state_ = State::join;
  settle(false);
  tell_health_of_end(resilience::Verdict::Kind::neutral, dialect::ErrorKind::none);
  if (connection_ == nullptr) pool_.cancel(*this);
  bool released = connection_ == nullptr || connection_->abandon();
  connection_ = nullptr;
  join(released);
}

void Attempt::join(bool released) {
  exchange_.gateway().runtime().timers.cancel(deadline_);
  exchange_.gateway().runtime().timers.cancel(total_);
  if (released) exchange_.on_attempt_joined(this);
}

void Attempt::on_released() { exchange_.on_attempt_joined(this); }

Phase Attempt::phase() const {
  switch (state_) {
    case State::connect: return Phase::connect;
    case State::await_head: return Phase::await_head;
    case State::await_token: return Phase::await_token;
    default: return Phase::relay;
  }
}

void Attempt::on_deadline() {
  // No connection in time although none failed: all are busy, or the name is not resolved yet.
  bool busy = state_ == State::connect && pool_.at_capacity();
  fail(busy ? ErrorCode::too_many : ErrorCode::timed_out, phase());
}

void Attempt::on_total() {
  hurried_ = brief_;
  if (!HYPERION_PLANTED(silence_not_timed)) fail(ErrorCode::timed_out, phase());
}

}  // namespace hyperion::gateway
