// What an attempt does with the provider's answer while it comes: hold it back, commit, pass it on.
#include "base/planted.h"
#include "dialect/gemini.h"
#include "dialect/language.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

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
  if (head.status == 401 || head.status == 403) {
    // Our own key was refused: nothing the client could act upon, and nothing to show it.
    fail(ErrorCode::unauthorised, Phase::await_head);
    return;
  }
  std::string_view type = head.headers.find("content-type");
  const bool events = type.starts_with("text/event-stream");
  const bool array =
      !translates() && exchange_.wants_array() && type.starts_with("application/json");
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
  exchange_.record().upstream_last = exchange_.gateway().runtime().clock.now();
  if (streams()) {
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
  if (whole && head_.status < 400 && !translates()) {
    dialect::language_of(exchange_.crossing().upstream).observe_answer(bytes, usage_);
    if (!commit(bytes.size()) || !relay_bytes(bytes)) fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  if (!held_.append(bytes)) {
    fail(ErrorCode::overloaded, Phase::relay);
    return;
  }
  if (held_.size() <= limits.relay_backlog_max_bytes || translates()) return;
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
  if (translator_.out_of_memory()) {
    fail(ErrorCode::overloaded, phase());
    return;
  }
  if (said_ != nullptr && (!committed_ || relay_translated())) {
    Error error = make_error(ErrorCode::invalid, Side::upstream);
    error.phase = phase();
    give_up(error);
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

bool Attempt::needs_commit(bool commit_now, size_t whole) const {
  if (committed_) return false;
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
    at += size;
    ++held_events_;
    progress |= event.has_data;
    done_seen_ |= seen.finished;
    // An error or the end is all there will be: nothing is gained by holding it back.
    commit_now |=
        seen.semantic || seen.error || seen.finished || HYPERION_PLANTED(commit_too_early);
    if (seen.error) exchange_.record().error = ErrorCode::invalid;
    if (seen.error && translates()) {
      said_ = &translator_.error();
      break;
    }
  }
  return at;
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

dialect::Observation Attempt::observe(const http::SseEvent& event, bool committed) {
  if (!translates())
    return dialect::language_of(exchange_.crossing().upstream)
        .observe_event(event, committed, usage_);
  dialect::Observation seen = translator_.on_stream_event(event);
  usage_ = translator_.usage();
  return seen;
}

// Queues what the translator has written. False: out of memory.
bool Attempt::relay_translated() {
  if (translator_.out_of_memory()) return false;
  if (translator_.output().empty()) return true;
  const bool queued = relay_bytes(translator_.output());
  if (!HYPERION_PLANTED(translated_twice)) translator_.clear_output();
  return queued;
}

bool Attempt::translates() const { return exchange_.crossing().translates(); }

void Attempt::on_response_complete(bool released) {
  connection_ = nullptr;
  if (streams()) {
    finish_stream(released);
  } else if (translates()) {
    finish_translated(released);
  } else {
    finish_plain(released);
  }
}

void Attempt::finish_stream(bool released) {
  // Half an event at the end, or no end marker: the provider broke off, however clean its framing.
  if (translates() && held_.empty() && !done_seen_) {
    dialect::Observation seen = translator_.on_stream_end();
    usage_ = translator_.usage();
    done_seen_ = (seen.finished && !seen.error) || HYPERION_PLANTED(translated_cut_is_end);
    if (done_seen_ && !committed_) done_seen_ = commit(Relay::unknown_length);
    if (done_seen_ && committed_) done_seen_ = relay_translated();
  }
  bool cut = !done_seen_ || held_.size() > looked_at_;
  if (kind_ == Kind::array) cut |= !array_splitter_.finished();
  if (cut && !HYPERION_PLANTED(clean_end_after_cut)) {
    fail_complete(ErrorCode::incomplete, Side::upstream, released);
    return;
  }
  finish_answer(released);
}

// After the last byte: nothing is left to abandon.
void Attempt::fail_complete(ErrorCode code, Side side, bool released) {
  Error error = make_error(code, side);
  error.phase = phase();
  on_response_failed(error, released);
}

void Attempt::fail_as_said(const dialect::ProviderError& said, bool released) {
  said_ = &said;
  exchange_.record().error_kind = said.kind;
  fail_complete(ErrorCode::invalid, Side::upstream, released);
}

void Attempt::finish_plain(bool released) {
  if (!committed_) {
    std::string_view body = held_.view();
    if (hides_secret(body)) {
      fail_complete(ErrorCode::unauthorised, Side::gateway, released);
      return;
    }
    if (head_.status >= 400) {
      dialect::ProviderError said =
          dialect::read_error(exchange_.crossing().upstream, head_.status, head_.headers, body);
      exchange_.record().error_kind = said.kind;
      // The gateway's own credentials or account: not the client's to see.
      const bool ours = said.kind == dialect::ErrorKind::bad_key || head_.status == 402;
      if (ours) {
        fail_as_said(said, released);
        return;
      }
    }
    dialect::language_of(exchange_.crossing().upstream).observe_answer(body, usage_);
    if (!commit(body.size()) || !exchange_.relay().body(body)) {
      fail_complete(ErrorCode::overloaded, Side::gateway, released);
      return;
    }
    exchange_.record().response_bytes += body.size();
  }
  finish_answer(released);
}

// The whole answer in the client's dialect; `answer` is a view of what was written.
dialect::Observation Attempt::translate_answer(std::string_view body, std::string_view& answer) {
  dialect::Observation seen;
  json::Output out(request_body_);
  switch (exchange_.crossing().kind) {
    case Crossing::Kind::embeddings:
      // The request has gone: its memory serves the answer.
      request_body_.clear();
      seen.finished = dialect::gemini::write_embeddings(body, embedding_form_,
                                                        exchange_.record().model, out, usage_);
      answer = out.text();
      return seen;
    case Crossing::Kind::counted: {
      request_body_.clear();
      const int64_t tokens = dialect::gemini::read_total_tokens(body);
      out.begin_object();
      out.member("input_tokens", tokens);
      out.end_object();
      seen.finished = tokens >= 0 && !out.failed();
      answer = out.text();
      return seen;
    }
    default:
      seen = translator_.on_answer(body);
      usage_ = translator_.usage();
      answer = translator_.output();
      return seen;
  }
}

// A plain answer, or an error, of a provider of another dialect: whole in `held_`.
void Attempt::finish_translated(bool released) {
  std::string_view body = held_.view();
  if (hides_secret(body)) {
    fail_complete(ErrorCode::unauthorised, Side::gateway, released);
    return;
  }
  if (head_.status >= 400) {
    fail_as_said(
        dialect::read_error(exchange_.crossing().upstream, head_.status, head_.headers, body),
        released);
    return;
  }
  if (head_.status != 200) {
    fail_complete(ErrorCode::malformed_http, Side::upstream, released);
    return;
  }
  std::string_view answer;
  dialect::Observation seen = translate_answer(body, answer);
  // An encoder that finds no room for the whole writes nothing.
  if (translator_.out_of_memory() || (seen.finished && answer.empty())) {
    fail_complete(ErrorCode::overloaded, Side::gateway, released);
    return;
  }
  if (seen.error || !seen.finished) {
    dialect::ProviderError said = translator_.error();
    if (said.kind == dialect::ErrorKind::none) said.kind = dialect::ErrorKind::server;
    fail_as_said(said, released);
    return;
  }
  const bool stream = exchange_.wants_stream();
  if (!commit(stream ? Relay::unknown_length : answer.size()) || !exchange_.relay().body(answer)) {
    fail_complete(ErrorCode::overloaded, Side::gateway, released);
    return;
  }
  exchange_.record().response_bytes += answer.size();
  finish_answer(released);
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
  if (translates()) type = content_type_of_translation();
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
    } else if (!translates() && http::equal_ignoring_case(header.name, "content-encoding")) {
      head.header("content-encoding", header.value);
    }
  }
  if (exchange_.wants_stream()) head.raw("cache-control: no-cache\r\n");
  head.raw(exchange_.snapshot().providers[exchange_.deployment().provider->index].answer_head);
  head.header("x-hyperion-model", record.model);
  head.header("x-hyperion-requested-model", record.requested_model);
  write_dropped(head);
  if (!adjusted_.empty()) head.header("x-hyperion-adjusted", adjusted_);
  head.header("x-hyperion-attempts", record.attempts);
  Instant now = exchange_.gateway().runtime().clock.precise_now();
  head.header("x-hyperion-overhead-us", record.overhead_ns(now) / ns_per_us);
}

// What of the request had no effect: options of our own, and what the translation left out.
void Attempt::write_dropped(http::HeadWriter& head) {
  std::string_view options = exchange_.dropped_options();
  if (options.empty() && dropped_.empty()) return;
  std::string_view names = options.empty() ? dropped_ : options;
  if (!options.empty() && !dropped_.empty()) {
    names = arena_.copy(options);
    if (!arena_.append(names, ", ") || !arena_.append(names, dropped_)) names = options;
  }
  head.header("x-hyperion-dropped-params", names);
}

std::string_view Attempt::content_type_of_translation() const {
  const bool events = exchange_.wants_stream() && !exchange_.wants_array();
  return events ? "text/event-stream; charset=utf-8" : "application/json";
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
