// The sending half of a connection: framing, delays and everything that can go wrong with an
// answer.
#include <algorithm>
#include <optional>
#include <string>

#include "simulator/answer_text.h"
#include "simulator/connection.h"
#include "simulator/simulator.h"

namespace hyperion::simulator {
namespace {

constexpr size_t head_max_bytes = 2048;
constexpr size_t further_header_max_bytes = 48;
constexpr uint32_t further_headers_default = 300;
constexpr uint32_t further_headers_max = 10'000;

// Whole lines, since a head is written for every answer.
constexpr std::string_view ok_line = "HTTP/1.1 200 OK\r\n";
constexpr std::string_view html_type = "content-type: text/html; charset=utf-8\r\n";

constexpr std::string_view garbage =
    "\x16\x03\x01 these bytes are not HTTP: {]\x7f\r\n\r\nHTTP/9 what 200\r\n";
constexpr std::string_view surplus = "SURPLUS bytes that no framing announced";
constexpr std::string_view html_page =
    "<!DOCTYPE html>\n<html><head><title>503 Service Temporarily Unavailable</title></head>\n"
    "<body><h1>503 Service Temporarily Unavailable</h1><p>A simulated load balancer.</p></body>"
    "</html>\n";

// What `html:N` says, where it is a status.
uint16_t html_status(const FaultPlan& plan) {
  const uint32_t status = plan.argument_or(503);
  return status >= 400 && status <= 599 ? static_cast<uint16_t>(status) : uint16_t{503};
}

void write_further_headers(http::HeadWriter& head, uint32_t count) {
  std::string name;
  for (uint32_t i = 0; i < count; ++i) {
    name = "x-simulated-";
    append_number(name, i);
    head.header(name, "one of very many");
  }
}

}  // namespace

void Connection::deliver(const Call& call, Answer& answer) {
  switch (call.plan.kind) {
    case FaultKind::reset: terminate(true); return;
    case FaultKind::garbage: deliver_garbage(); return;
    case FaultKind::comments:
      if (answer.status == 200) {
        deliver_comments();
        return;
      }
      break;
    case FaultKind::stall:
      if (call.plan.argument != FaultPlan::not_given) break;
      phase_ = Phase::silent;
      return;
    default: break;
  }
  if (answer.write_event != nullptr && !plan_.is(FaultKind::html)) {
    deliver_stream(answer);
  } else {
    if (answer.status == 200 && !plan_.is(FaultKind::html)) {
      simulator_.ledger_.charge(answer.model, answer.counts);
    }
    deliver_plain(answer);
  }
}

void Connection::deliver_garbage() {
  ending_ = Ending::close;
  if (emit(garbage)) conclude();
}

// The head stands in memory that all answers share, until `end_head` and the next answer.
http::HeadWriter Connection::begin_head(const Answer& answer) const {
  const bool many = plan_.is(FaultKind::headers);
  const uint32_t further =
      many ? std::min(plan_.argument_or(further_headers_default), further_headers_max) : 0;
  std::string& room = simulator_.head_;
  const size_t wanted = head_max_bytes + further * further_header_max_bytes;
  if (room.size() < wanted) room.resize(wanted);
  http::HeadWriter head(room.data(), room.size());
  const bool html = plan_.is(FaultKind::html);
  if (answer.status == 200 && !html) {
    head.raw(ok_line);
  } else {
    head.status_line(html ? html_status(plan_) : answer.status);
  }
  const bool own = destination_.dialect == nullptr;
  const Dialect& dialect = own ? default_dialect() : *destination_.dialect;
  const bool event_stream =
      answer.write_event != nullptr && answer.generation.form != EventForm::array;
  head.raw(html ? html_type : (event_stream ? dialect.stream_type : dialect.json_type));
  if (!dialect.id_name.empty()) {
    char id[request_id_digits];
    write_hex(id, answer.id_seed, sizeof(id));
    head.raw(dialect.id_name);
    head.raw(": req_");
    head.raw({id, sizeof(id)});
    head.raw("\r\n");
  }
  if (!own) head.raw(dialect.head_lines);
  write_retry_lines(head, answer);
  if (plan_.is(FaultKind::gzip) || plan_.is(FaultKind::gzipped))
    head.raw("content-encoding: gzip\r\n");
  write_further_headers(head, further);
  return head;
}

// When to come back: what the dialect says by itself, or what the request's fault has it say.
void Connection::write_retry_lines(http::HeadWriter& head, const Answer& answer) const {
  const bool own = destination_.dialect == nullptr;
  const Dialect& dialect = own ? default_dialect() : *destination_.dialect;
  const auto wall_s = [this] { return simulator_.reactor_.runtime().clock.wall_ns() / ns_per_s; };
  const uint32_t by_itself_s =
      answer.status == 200 && !own ? dialect.success_retry_after_s : answer.retry_after_s;
  std::optional<uint64_t> retry_after_s;
  if (by_itself_s != 0) retry_after_s = by_itself_s;
  std::string lines;
  if (plan_.rate_limit_s != FaultPlan::not_given && dialect.write_limit != nullptr) {
    dialect.write_limit(lines, plan_.rate_limit_s, wall_s());
    retry_after_s.reset();
    if (dialect.limit_in_retry_after) retry_after_s = plan_.rate_limit_s;
  } else if (!own) {
    head.raw(dialect.limit_lines);
  }
  // Where the body says it, the head does not.
  const bool in_body = dialect.write_limit == nullptr;
  if (plan_.retry_form == FaultKind::retry_date) {
    const uint64_t now_s = wall_s();
    lines += "date: ";
    append_http_date(lines, now_s);
    lines += "\r\nretry-after: ";
    append_http_date(lines, now_s + plan_.retry);
    lines += "\r\n";
    retry_after_s.reset();
  } else if (plan_.retry_form == FaultKind::retry_after && !in_body) {
    retry_after_s = plan_.retry;
  } else if (plan_.retry_form == FaultKind::retry_ms && !in_body) {
    lines += "retry-after-ms: " + std::to_string(plan_.retry) + "\r\n";
    // Whole seconds beside it; Azure says 1 beside a 0.
    retry_after_s = std::max<uint64_t>((plan_.retry + 999) / 1000, 1);
  }
  head.raw(lines);
  if (retry_after_s) head.header("retry-after", *retry_after_s);
  if (plan_.should_retry != FaultPlan::not_given) {
    head.raw(plan_.should_retry != 0 ? "x-should-retry: true\r\n" : "x-should-retry: false\r\n");
  } else if (answer.should_not_retry) {
    head.raw("x-should-retry: false\r\n");
  }
}

std::string_view Connection::end_head(http::HeadWriter& head, http::Framing framing,
                                      uint64_t length) {
  if (framing == http::Framing::until_close) {
    ending_ = Ending::close;
  } else if (framing == http::Framing::chunked) {
    head.raw("transfer-encoding: chunked\r\n");
  } else {
    head.header("content-length", length);
  }
  if (ending_ == Ending::close) head.raw("connection: close\r\n");
  head.end();
  HYPERION_ASSERT(head.complete());
  return {simulator_.head_.data(), head.size()};
}

void Connection::deliver_plain(Answer& answer) {
  if (plan_.is(FaultKind::wrong_types)) spoil_types(answer.body);
  if (plan_.is(FaultKind::gzipped)) {
    StoredGzip gzip;
    gzip.wrap(answer.body);
    gzip.finish(answer.body);
  }
  std::string_view body = plan_.is(FaultKind::html) ? html_page : std::string_view(answer.body);
  if (plan_.is(FaultKind::half_json)) body = body.substr(0, body.size() / 2);
  uint64_t length = body.size();
  Ending after = ending_;
  if (plan_.is(FaultKind::wrong_length)) {
    length += 16;
    after = Ending::close;
  }
  answer.write_event = nullptr;
  http::HeadWriter writer = begin_head(answer);
  const bool until_close = plan_.is(FaultKind::close);
  const std::string_view head = end_head(
      writer, until_close ? http::Framing::until_close : http::Framing::content_length, length);
  if (ending_ == Ending::close) after = Ending::close;
  if (plan_.is(FaultKind::cut)) {
    body = body.substr(0, body.size() / 2);
    after = Ending::close;
  } else if (plan_.is(FaultKind::cut_bytes)) {
    body = body.substr(0, plan_.argument);
    after = Ending::close;
  } else if (plan_.is(FaultKind::stall)) {
    body = body.substr(0, plan_.argument == 0 ? 0 : body.size() / 2);
    after = Ending::silence;
  }
  if (parser_.state() != http::RequestParser::State::failed &&
      parser_.head().method == http::Method::head) {
    body = {};
  }
  ending_ = after;
  send_plain(answer, head, body);
}

// At once, in one write, or after the delay.
void Connection::send_plain(const Answer& answer, std::string_view head, std::string_view body) {
  const std::string_view tail = plan_.is(FaultKind::surplus) ? surplus : std::string_view();
  const bool own = destination_.dialect == nullptr;
  const uint64_t conf_ms = own || answer.status != 200 ? 0 : delays_.first_token_ms;
  const bool asked = plan_.slow_ms != FaultPlan::not_given;
  const bool delayed = wait(asked ? plan_.slow_ms : conf_ms, !asked);
  if (delayed || plan_.is(FaultKind::dribble)) {
    pending_.assign(head).append(body).append(tail);
    pending_at_ = 0;
    phase_ = Phase::waiting;
    if (!delayed) on_wait();
  } else if (emit(head) && emit(body) && emit(tail)) {
    conclude();
  }
}

void Connection::deliver_stream(Answer& answer) {
  http::HeadWriter writer = begin_head(answer);
  chunked_ = !plan_.is(FaultKind::close) && parser_.head().minor_version != 0;
  const std::string_view head =
      end_head(writer, chunked_ ? http::Framing::chunked : http::Framing::until_close, 0);
  generation_ = std::move(answer.generation);
  write_event_ = answer.write_event;
  events_ = 0;
  gzip_ = {};
  waited_ = false;
  body_left_bytes_ = plan_.is(FaultKind::cut_bytes) ? plan_.argument : UINT64_MAX;
  to_pending_ = plan_.is(FaultKind::dribble);
  pending_.clear();
  pending_at_ = 0;
  phase_ = Phase::streaming;
  if (emit(head)) pump();
}

// Appends to the output; false: no memory was left, and the connection is gone.
bool Connection::emit(std::string_view bytes) {
  if (to_pending_) {
    pending_ += bytes;
    return true;
  }
  if (stream_->output().append_copy(bytes)) return true;
  terminate();
  return false;
}

void Connection::emit_event(std::string_view event) {
  const std::string_view sent = event.substr(0, body_left_bytes_);
  if (sent.empty()) return;
  body_left_bytes_ -= sent.size();
  if (!chunked_) {
    emit(sent);
    return;
  }
  char chunk_head[24];
  // Of a chunk that is cut, the whole size is announced.
  const size_t size = http::write_chunk_head(chunk_head, event.size());
  if (!emit({chunk_head, size}) || !emit(sent)) return;
  if (sent.size() == event.size()) emit(http::chunk_tail);
}

// Writes events until the stream is over, must wait, or goes wrong.
void Connection::pump() {
  while (phase_ == Phase::streaming) {
    const bool at_fault = plan_.argument == events_ || generation_.finished();
    if (plan_.is(FaultKind::stream_error) &&
        (plan_.argument_or(1) == events_ || generation_.finished())) {
      send_stream_error();
      return;
    }
    if (plan_.is(FaultKind::stall) && at_fault) {
      ending_ = Ending::silence;
      break;
    }
    if ((plan_.is(FaultKind::cut) && at_fault) || body_left_bytes_ == 0) {
      ending_ = Ending::close;
      break;
    }
    if (generation_.finished()) {
      end_stream();
      return;
    }
    if (!to_pending_ && wait_for_token()) return;
    if (!to_pending_ && stream_->output().size_bytes() > backlog_max_bytes) {
      stream_->flush();
      return;
    }
    std::string& event = simulator_.event_;
    event.clear();
    write_event_(generation_, event);
    if (plan_.is(FaultKind::half_json) && events_ == 1) halve(event, generation_.form);
    if (plan_.is(FaultKind::wrong_types)) spoil_types(event);
    if (plan_.is(FaultKind::gzipped)) gzip_.wrap(event);
    ++generation_.position;
    ++events_;
    waited_ = false;
    emit_event(event);
  }
  if (phase_ == Phase::streaming) conclude();
}

// True: the next token's time has not come, the timer runs.
bool Connection::wait_for_token() {
  if (waited_ || !generation_.next_is_token()) return false;
  waited_ = true;
  const bool first = generation_.next_is_first_token();
  const uint32_t asked_ms = first ? plan_.slow_ms : plan_.gap_ms;
  const uint64_t conf_ms = first ? delays_.first_token_ms : delays_.token_gap_ms;
  const bool asked = asked_ms != FaultPlan::not_given;
  if (!wait(asked ? asked_ms : conf_ms, !asked)) return false;
  stream_->flush();
  return true;
}

void Connection::end_stream() {
  if (plan_.is(FaultKind::gzipped)) {
    std::string end;
    gzip_.finish(end);
    emit_event(end);
  }
  if (plan_.is(FaultKind::wrong_length)) {
    // A last chunk that announces more than comes.
    ending_ = Ending::close;
    if (!emit("10\r\n: cu")) return;
  } else if (chunked_) {
    if (!emit(http::last_chunk)) return;
  }
  if (plan_.is(FaultKind::surplus) && !emit(surplus)) return;
  conclude();
}

void Connection::send_stream_error() {
  std::string& event = simulator_.event_;
  event.clear();
  destination_.dialect->write_stream_error(generation_, event);
  emit_event(event);
  if (phase_ == Phase::streaming) end_stream();
}

// Bills what was sent of the stream, once.
void Connection::charge_stream() {
  if (write_event_ == nullptr) return;
  write_event_ = nullptr;
  TokenCounts counts = generation_.counts;
  counts.input = generation_.input_tokens;
  counts.output = generation_.tokens_sent();
  simulator_.ledger_.charge(generation_.model, counts);
}

void Connection::deliver_comments() {
  Answer& answer = simulator_.answer_;
  http::HeadWriter writer = begin_head(answer);
  ending_ = Ending::silence;
  const std::string_view head = end_head(writer, http::Framing::chunked, 0);
  // What send_comment writes.
  const bool event_stream =
      answer.write_event != nullptr && answer.generation.form != EventForm::array;
  generation_.position = event_stream ? 1 : 0;
  phase_ = Phase::commenting;
  if (emit(head)) send_comment();
}

void Connection::send_comment() {
  if (stream_->output().size_bytes() < backlog_max_bytes) {
    const bool stream = generation_.position == 1;
    if (!emit(stream ? "f\r\n: still at it\n\n\r\n" : "1\r\n \r\n")) return;
  }
  stream_->flush();
  const bool asked = plan_.gap_ms != FaultPlan::not_given;
  wait(std::max<uint64_t>(asked ? plan_.gap_ms : comment_gap_ms, 1), false);
}

// Starts the timer; false if there is nothing to wait for.
bool Connection::wait(uint64_t after_ms, bool jitter) {
  if (jitter) after_ms = simulator_.with_jitter(after_ms);
  if (after_ms == 0) return false;
  io::Runtime& runtime = simulator_.reactor_.runtime();
  runtime.timers.arm(wait_, runtime.clock.now() + after_ms * ns_per_ms);
  return true;
}

void Connection::on_wait() {
  switch (phase_) {
    case Phase::waiting:
      if (plan_.is(FaultKind::dribble)) {
        to_pending_ = true;
        conclude();
      } else if (emit(pending_)) {
        conclude();
      }
      return;
    case Phase::streaming: pump(); return;
    case Phase::commenting: send_comment(); return;
    case Phase::dribbling: send_byte(); return;
    case Phase::closing: terminate(); return;
    default: return;
  }
}

void Connection::send_byte() {
  if (pending_at_ == pending_.size()) {
    conclude();
    return;
  }
  if (!emit(std::string_view(pending_).substr(pending_at_++, 1))) return;
  stream_->flush();
  wait(plan_.argument_or(0), false);
}

// The whole answer is written: out with it, and on to what follows.
void Connection::conclude() {
  charge_stream();
  if (to_pending_) {
    to_pending_ = false;
    phase_ = Phase::dribbling;
    send_byte();
    return;
  }
  stream_->flush();
  switch (ending_) {
    case Ending::keep: next_request(); return;
    case Ending::silence: phase_ = Phase::silent; return;
    case Ending::close: begin_closing(); return;
  }
}

void Connection::begin_closing() {
  phase_ = Phase::closing;
  held_back_.clear();
  body_.release();
  stream_->finish_writing();
  stream_->resume_reading();
  wait(closing_ms, false);
}

bool Connection::awaits_written() const {
  return phase_ == Phase::streaming || phase_ == Phase::dribbling || phase_ == Phase::closing;
}

void Connection::on_written() {
  if (phase_ == Phase::streaming && !wait_.armed()) {
    if (stream_->output().size_bytes() <= backlog_max_bytes / 2) pump();
  } else if (phase_ == Phase::dribbling && !wait_.armed() && stream_->output().empty()) {
    send_byte();
  }
}

}  // namespace hyperion::simulator
