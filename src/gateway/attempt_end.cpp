// What an attempt does when the provider's answer is whole: judge its end, pass on what was held.
#include "base/planted.h"
#include "dialect/language.h"
#include "dialect/openai_chat.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {
namespace {

// Of a stream whose provider sends none.
http::SseEvent end_marker() {
  http::SseEvent event;
  event.data = "[DONE]";
  event.has_data = true;
  return event;
}

}  // namespace

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

// Some servers end without the empty line behind their last event: it counts if it is the end
// marker, whole. False: out of memory.
bool Attempt::take_unended_event() {
  std::string_view rest = held_.view().substr(looked_at_);
  if (kind_ != Kind::stream || rest.empty() || done_seen_) return true;
  const http::SseEvent event = http::parse_event(rest);
  dialect::Usage usage = usage_;
  const dialect::Observation seen =
      dialect::language_of(leg_.crossing.upstream).observe_event(event, false, usage);
  const bool ends =
      seen.finished || (ends_with_finish() && dialect::openai_chat::tells_finish(event.data));
  if (!ends || seen.error || seen.malformed) return true;
  bool room = true;
  if (translates()) {
    done_seen_ = observe(event, committed_).finished;
  } else {
    usage_ = usage;
    done_seen_ = true;
    room = (committed_ || commit(Relay::unknown_length)) && relay_bytes(held_.view());
  }
  held_.clear();
  looked_at_ = 0;
  return room;
}

void Attempt::finish_stream(bool released) {
  if (!take_unended_event()) {
    fail_complete(ErrorCode::overloaded, Side::gateway, released);
    return;
  }
  if (!translates() && finish_told_) done_seen_ = true;
  // Half an event at the end, or no end marker: the provider broke off, however clean its framing.
  if (translates() && held_.empty() && !done_seen_) {
    dialect::Observation seen =
        finish_told_ ? translator_.on_stream_event(end_marker()) : translator_.on_stream_end();
    usage_ = translator_.usage();
    done_seen_ = (seen.finished && !seen.error) || HYPERION_PLANTED(translated_cut_is_end);
  }
  bool cut = !done_seen_ || held_.size() > looked_at_;
  if (kind_ == Kind::array) cut |= !array_splitter_.finished();
  if (cut && !HYPERION_PLANTED(clean_end_after_cut)) {
    fail_complete(error_told_ ? ErrorCode::invalid : ErrorCode::incomplete, Side::upstream,
                  released);
    return;
  }
  if (translates() && !give_rest()) {
    fail_complete(ErrorCode::overloaded, Side::gateway, released);
    return;
  }
  finish_answer(released);
}

// What the translator holds at the end of a stream: all of it, for a client that wants no stream.
// False: out of memory.
bool Attempt::give_rest() {
  const bool stream = exchange_.wants_stream();
  const uint64_t length = stream ? Relay::unknown_length : translator_.output().size();
  return !translator_.out_of_memory() && (committed_ || commit(length)) && relay_translated();
}

void Attempt::finish_plain(bool released) {
  if (!committed_) {
    std::string_view body = held_.view();
    if (head_.status >= 400) {
      const dialect::ProviderError said = read_error();
      trace_.error_kind = said.kind;
      retry_after_ms_ = said.retry_after_ms;
      if (hides_secret(body)) {
        fail_complete(ErrorCode::unauthorised, Side::gateway, released);
        return;
      }
      // The gateway's own credentials or account: not the client's to see, but for the word that
      // clients know.
      const bool unpaid = said.kind == dialect::ErrorKind::money && head_.status != 429;
      if (exchange_.goes_on_after(*this, said) || unpaid ||
          said.kind == dialect::ErrorKind::bad_key || head_.status == 402) {
        fail_as_said(said, released);
        return;
      }
    }
    dialect::language_of(leg_.crossing.upstream).observe_answer(body, usage_);
    if (!send_whole(body)) {
      fail_complete(ErrorCode::overloaded, Side::gateway, released);
      return;
    }
  }
  finish_answer(released);
}

// A plain answer, or an error, of a provider of another dialect: whole in `held_`.
void Attempt::finish_translated(bool released) {
  std::string_view body = held_.view();
  if (head_.status >= 400) {
    const dialect::ProviderError said = read_error();
    trace_.error_kind = said.kind;
    if (hides_secret(body)) {
      fail_complete(ErrorCode::unauthorised, Side::gateway, released);
    } else {
      fail_as_said(said, released);
    }
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
    if (hides_secret(translator_.error().message)) translator_.forget_message();
    dialect::ProviderError said = translator_.error();
    if (said.kind == dialect::ErrorKind::none) said.kind = dialect::ErrorKind::server;
    fail_as_said(said, released);
    return;
  }
  const bool sent = exchange_.wants_stream() ? commit(Relay::unknown_length) && relay_bytes(answer)
                                             : send_whole(answer);
  if (!sent) {
    fail_complete(ErrorCode::overloaded, Side::gateway, released);
    return;
  }
  finish_answer(released);
}

// Of an error whose body is whole in `held_`.
dialect::ProviderError Attempt::read_error() const {
  return dialect::read_error(leg_.crossing.upstream, head_.status, head_.headers, held_.view());
}

// After the last byte: nothing is left to abandon.
void Attempt::fail_complete(ErrorCode code, Side side, bool released) {
  Error error = make_error(code, side);
  error.phase = phase();
  on_response_failed(error, released);
}

void Attempt::fail_as_said(const dialect::ProviderError& said, bool released) {
  said_ = &said;
  trace_.error_kind = said.kind;
  fail_complete(ErrorCode::invalid, Side::upstream, released);
}

}  // namespace hyperion::gateway
