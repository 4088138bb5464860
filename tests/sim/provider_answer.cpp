// What a simulated provider says: whole answers, streams, and all the ways of spoiling them.
#include <algorithm>
#include <cstdio>

#include "sim/provider.h"

namespace hyperion::sim {

void Provider::answer_plain(Behaviour behaviour) {
  Random& random = world_.random();
  size_t size =
      behaviour == Behaviour::plain_large ? 300'000 + random.below(400'000) : random.below(3000);
  const Speaker speaker(wire_, false, words_id());
  std::string body = speaker.whole_answer(std::string(size, letter()));
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  if (behaviour == Behaviour::error_status) {
    head = "HTTP/1.1 " + std::to_string(refusal_->status) +
           " Refused\r\nContent-Type: application/json\r\n" + refusal_->headers;
    served().status = refusal_->status;
    body = speaker.refusal(*refusal_);
  }
  std::string length = "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  switch (behaviour) {
    case Behaviour::plain_chunked:
      send(head + "Transfer-Encoding: chunked\r\n\r\n");
      for (size_t at = 0; at < body.size(); at += 700) send_chunk(body.substr(at, 700));
      send("0\r\n\r\n", {}, true);
      return;
    case Behaviour::plain_until_close:
      send(head + "Connection: close\r\n\r\n" + body, body, true);
      end_connection(false);
      return;
    case Behaviour::cut_plain:
    case Behaviour::cut_event:
    case Behaviour::cut_between_events:
    case Behaviour::short_body:
      send(head + length + body.substr(0, body.size() / 2), body.substr(0, body.size() / 2));
      end_connection(false);
      return;
    case Behaviour::reset_within:
      send(head + length + body.substr(0, body.size() / 2), body.substr(0, body.size() / 2));
      end_connection(true);
      return;
    case Behaviour::stall_tokens:
      send(head + length + body.substr(0, body.size() / 2), body.substr(0, body.size() / 2));
      return;
    case Behaviour::surplus:
      send(head + length + body + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil", body, true);
      return;
    case Behaviour::close_after:
      send(head + length + body, body, true);
      end_connection(false);
      return;
    default: send(head + length); send(body, body, true);
  }
}

void Provider::send_chunk(const std::string& body) {
  if (body.empty()) return;
  char head[20];
  std::snprintf(head, sizeof(head), "%zx\r\n", body.size());
  send(head + body + "\r\n", body);
}

void Provider::answer_stream(Behaviour behaviour) {
  const char* type = array_ ? "application/json" : "text/event-stream";
  send(std::string("HTTP/1.1 200 OK\r\nContent-Type: ") + type +
       "\r\nTransfer-Encoding: chunked\r\n\r\n");
  Speaker speaker(wire_, array_, words_id());
  send_chunk(speaker.opening());
  // Slow, and yet in time: what bytes take on their way, up to some 200 ms a piece, comes on top.
  if (behaviour == Behaviour::slow_token)
    wait((world_.random().chance(1, 2) ? 50 : 1'000) * ns_per_ms +
         world_.random().below(300 * ns_per_ms));
  if (behaviour == Behaviour::error_first) {
    say_failure(speaker);
    send_chunk(speaker.closing());
    send("0\r\n\r\n", {}, true);
    return;
  }
  if (!answer_pieces(behaviour, speaker) || !spoil_end(behaviour, speaker)) return;
  send_chunk(speaker.closing());
  send(behaviour == Behaviour::surplus ? "0\r\n\r\nHTTP/1.1 200 OK\r\n" : "0\r\n\r\n", {}, true);
  if (behaviour == Behaviour::close_after) end_connection(false);
}

// What follows is sent so much later.
void Provider::wait(uint64_t ns) {
  busy_until_ns_ = std::max(busy_until_ns_, world_.clock().now().ns) + ns;
}

void Provider::say_failure(Speaker& speaker) {
  served().said_kind = wire_ == dialect::Wire::openai_chat ? dialect::ErrorKind::server
                                                           : dialect::ErrorKind::overload;
  send_chunk(speaker.failure());
}

// No two attempts say the same.
std::string Provider::words_id() const { return number_ + "-" + std::to_string(served_index_); }
char Provider::letter() const { return static_cast<char>('c' + served_index_ % 20); }

bool Provider::answer_pieces(Behaviour behaviour, Speaker& speaker) {
  Random& random = world_.random();
  if (behaviour == Behaviour::comments_only) {
    for (int i = 0; i < 40; ++i) {
      wait(400 * ns_per_ms);
      send_chunk(speaker.comment());
    }
    return false;
  }
  size_t events = behaviour == Behaviour::stream_large ? 100 + random.below(200) : random.below(6);
  size_t size = behaviour == Behaviour::stream_large ? 2000 : 20;
  std::string pending;
  for (size_t i = 0; i < events; ++i) {
    // Without an escape in it: what comes next is cut anywhere.
    pending += speaker.text("b" + std::string(1 + random.below(size), letter()));
    size_t cut = random.chance(1, 2) ? pending.size() : random.below(pending.size());
    send_chunk(pending.substr(0, cut));
    pending.erase(0, cut);
    if (behaviour == Behaviour::stall_tokens && i == events / 2) return false;
  }
  if (random.chance(1, 4)) pending += speaker.tool_call();
  send_chunk(pending);
  return true;
}

bool Provider::spoil_end(Behaviour behaviour, Speaker& speaker) {
  switch (behaviour) {
    case Behaviour::cut_event:
    case Behaviour::cut_plain:
    case Behaviour::short_body:
      send_chunk(speaker.half_event());
      end_connection(false);
      return false;
    case Behaviour::cut_between_events: end_connection(false); return false;
    case Behaviour::reset_within: end_connection(true); return false;
    case Behaviour::stall_tokens: return false;
    case Behaviour::no_end_marker: send("0\r\n\r\n", {}, true); return false;
    case Behaviour::huge_event:
      send_chunk(speaker.event_without_end(std::string(70'000, 'x')));
      for (int i = 1; i < 20; ++i) send_chunk(std::string(70'000, 'x'));
      return false;
    case Behaviour::error_event: say_failure(speaker); return true;
    default: return true;
  }
}

}  // namespace hyperion::sim
