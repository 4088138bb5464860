#include "gateway/attempt.h"

#include "base/planted.h"
#include "dialect/openai_chat.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

using dialect::openai_chat::observe_answer;

// A request may ask for shorter deadlines than the conf's, never for longer ones.
uint64_t bounded(uint32_t conf_ms, uint32_t asked_ms) {
  return asked_ms != 0 && asked_ms < conf_ms ? asked_ms : conf_ms;
}

// The head of a response and nothing else.
size_t arena_size_max(const http::Limits& limits) {
  return size_t{limits.response_head_size_max_bytes} * 2 + 16 * 1024;
}

}  // namespace

Attempt::Attempt(Exchange& exchange)
    : exchange_(exchange),
      pool_(*exchange.snapshot().providers[exchange.deployment().provider->index].pool),
      arena_(exchange.gateway().runtime().blocks,
             arena_size_max(exchange.snapshot().config->settings.http)),
      held_(exchange.gateway().runtime().blocks, exchange.gateway().bodies()) {}

Attempt::~Attempt() {
  exchange_.gateway().runtime().timers.cancel(deadline_);
  exchange_.gateway().runtime().timers.cancel(total_);
}

// Silence counts while we listen: not while a slow client keeps us from reading.
void Attempt::arm_idle() {
  if (!paused_) arm(idle_ms());
}

uint64_t Attempt::idle_ms() const {
  return bounded(exchange_.deployment().provider->timeouts.idle_ms, exchange_.timeouts().idle_ms);
}

void Attempt::arm(uint64_t after_ms) {
  if (HYPERION_PLANTED(silence_not_timed)) return;
  io::Runtime& runtime = exchange_.gateway().runtime();
  runtime.timers.arm(deadline_, runtime.clock.now() + after_ms * ns_per_ms);
}

void Attempt::start(bool fresh) {
  io::Runtime& runtime = exchange_.gateway().runtime();
  const catalog::Provider& provider = *exchange_.deployment().provider;
  exchange_.snapshot().providers[provider.index].counters->attempts.add();
  uint64_t total_ms = bounded(provider.timeouts.total_ms, exchange_.timeouts().total_ms);
  runtime.timers.arm(total_, runtime.clock.now() + total_ms * ns_per_ms);
  if (upstream::Connection* connection = pool_.borrow(*this, fresh)) {
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
  exchange_.record().connected = exchange_.gateway().runtime().clock.now();
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
  const json::SplicePlan& body = exchange_.upstream_body();
  for (size_t i = 0; i < body.count; ++i) {
    if (!output.append_reference(body.pieces[i])) {
      fail(ErrorCode::overloaded, Phase::send);
      return;
    }
  }
  connection_->flush();
  state_ = State::await_head;
  exchange_.record().sent = exchange_.gateway().runtime().clock.precise_now();
  // A plain answer is silent until it is finished: only the total time bounds it.
  const catalog::Provider& provider = *exchange_.deployment().provider;
  arm(exchange_.wants_stream()
          ? bounded(exchange_.deployment().first_byte_ms(), exchange_.timeouts().first_token_ms)
          : provider.timeouts.total_ms);
}

void Attempt::write_head(http::HeadWriter& writer) {
  const catalog::Provider& provider = *exchange_.deployment().provider;
  char target[512];
  std::string_view prefix = provider.base_url.path_prefix;
  std::string_view path = exchange_.endpoint().upstream_path;
  size_t size = 0;
  if (prefix.size() + path.size() <= sizeof(target)) {
    size = prefix.copy(target, prefix.size());
    size += path.copy(target + size, path.size());
  }
  writer.request_line("POST", {target, size});
  writer.raw(exchange_.snapshot().providers[provider.index].head);
  if (!provider.key.empty()) {
    writer.raw(provider.authentication.header);
    writer.raw(": ");
    writer.raw(provider.authentication.prefix);
    writer.raw(provider.key.reveal());
    writer.raw("\r\n");
  }
  for (std::string_view name : {"traceparent", "tracestate", "idempotency-key"}) {
    std::string_view value = exchange_.request().headers.find(name);
    if (!value.empty() && value.size() <= forwarded_value_max_bytes) writer.header(name, value);
  }
  std::string_view fault = exchange_.forwarded_fault();
  if (!fault.empty() && fault.size() <= forwarded_value_max_bytes)
    writer.header("x-hyperion-fault", fault);
  writer.header("content-length", exchange_.upstream_body().size_bytes);
  writer.end();
}

void Attempt::on_response_complete(bool released) {
  connection_ = nullptr;
  if (kind_ == Kind::stream) {
    // Half an event at the end, or no end marker: the provider broke off, however clean its
    // framing.
    bool cut = !done_seen_ || held_.size() > looked_at_;
    if (cut && !HYPERION_PLANTED(clean_end_after_cut)) {
      Error error = make_error(ErrorCode::incomplete, Side::upstream);
      error.phase = phase();
      on_response_failed(error, released);
      return;
    }
    finish_answer(released);
    return;
  }
  if (!committed_) {
    if (hides_secret(held_.view())) {
      Error error = make_error(ErrorCode::unauthorised, Side::gateway);
      error.phase = Phase::await_head;
      on_response_failed(error, released);
      return;
    }
    observe_answer(held_.view(), usage_);
    if (!commit(held_.size()) || !exchange_.relay().body(held_.view())) {
      Error error = make_error(ErrorCode::overloaded, Side::gateway);
      error.phase = Phase::relay;
      on_response_failed(error, released);
      return;
    }
    exchange_.record().response_bytes += held_.size();
  }
  finish_answer(released);
}

void Attempt::finish_answer(bool released) {
  exchange_.record().usage = usage_;
  ProviderCounters* counters =
      exchange_.snapshot().providers[exchange_.deployment().provider->index].counters;
  if (usage_.prompt_tokens > 0)
    counters->prompt_tokens.add(static_cast<uint64_t>(usage_.prompt_tokens));
  if (usage_.completion_tokens > 0)
    counters->completion_tokens.add(static_cast<uint64_t>(usage_.completion_tokens));
  state_ = State::join;
  exchange_.on_attempt_answered();
  join(released);
}

void Attempt::on_response_failed(Error error, bool released) {
  connection_ = nullptr;
  if (error.phase == Phase::none) error.phase = phase();
  exchange_.record().usage = usage_;
  exchange_.snapshot().providers[exchange_.deployment().provider->index].counters->failures.add();
  bool committed = committed_;
  if (committed && kind_ == Kind::stream) {
    // The client learns in its own dialect that this is not the end.
    Failure failure = failure_of_upstream(error, exchange_.record().provider);
    failure.code = "upstream_stream_cut";
    char event[1024] = "data: ";
    size_t size = 6 + write_body(failure, event + 6, sizeof(event) - 8);
    event[size++] = '\n';
    event[size++] = '\n';
    exchange_.relay().body({event, size});
  }
  state_ = State::join;
  exchange_.on_attempt_failed(error, committed);
  join(released);
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
  exchange_.record().usage = usage_;
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
  if (!HYPERION_PLANTED(silence_not_timed)) fail(ErrorCode::timed_out, phase());
}

}  // namespace hyperion::gateway
