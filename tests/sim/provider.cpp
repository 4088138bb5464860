#include "sim/provider.h"

#include <algorithm>

#include "sim/violation.h"

namespace hyperion::sim {
namespace {

struct Trait {
  const char* name;
  bool good;
};

constexpr Trait traits[] = {
    {"plain", true},
    {"plain chunked", true},
    {"plain until close", true},
    {"plain large", true},
    {"error status", true},
    {"stream", true},
    {"stream large", true},
    {"informational", true},
    {"early answer", true},
    {"cut in head", false},
    {"cut in body", false},
    {"cut in event", false},
    {"cut between events", false},
    {"no end marker", false},
    {"reset before", false},
    {"reset within", false},
    {"reset on reuse", false},
    {"stall before head", false},
    {"stall of tokens", false},
    {"comments only", false},
    {"garbage", false},
    {"two lengths", false},
    {"short body", false},
    {"surplus", true},
    {"huge head", false},
    {"huge event", false},
    {"error event", true},
    {"close after", true},
};
static_assert(std::size(traits) == static_cast<size_t>(Behaviour::count));

// What stands between two marks; empty if the first is not there.
std::string text_between(const std::string& body, const std::string& mark, char end) {
  size_t at = body.find(mark);
  if (at == std::string::npos) return {};
  at += mark.size();
  return body.substr(at, body.find(end, at) - at);
}

}  // namespace

const char* name_of(Behaviour behaviour) { return traits[static_cast<size_t>(behaviour)].name; }
bool is_good(Behaviour behaviour) { return traits[static_cast<size_t>(behaviour)].good; }

Provider::Provider(World& world, SimStream& stream, Book& book, bool only_good)
    : world_(world),
      stream_(stream),
      book_(book),
      only_good_(only_good),
      parser_(limits_),
      arena_(world.blocks(), 256 * 1024),
      alive_(std::make_shared<bool>(true)) {}

Provider::~Provider() { *alive_ = false; }

// In order, each a random time after the one before: never at the same, which has no order.
void Provider::then(std::function<void()> action) {
  uint64_t now = world_.clock().now().ns;
  busy_until_ns_ = std::max(busy_until_ns_, now) + 1 + world_.random().below(2 * ns_per_ms);
  world_.after(busy_until_ns_ - now, [alive = alive_, action = std::move(action)] {
    if (*alive) action();
  });
}

void Provider::on_bytes(std::string_view bytes) {
  while (!bytes.empty() && !closed_ && !ended_) {
    bool begins = parser_.state() == http::RequestParser::State::idle;
    // The gateway has seen every byte of the surplus and asks on.
    if (begins && surplus_at_ != 0 && stream_.delivered_bytes() >= surplus_at_) {
      note_violation("a connection with surplus bytes was used again");
    }
    size_t used = parser_.feed(bytes, arena_, *this);
    bytes.remove_prefix(used);
    using State = http::RequestParser::State;
    if (parser_.state() == State::head_ready) {
      read_head();
      parser_.continue_body();
    }
    if (parser_.state() == State::complete) {
      on_request();
      parser_.next(limits_);
      arena_.reset();
      body_.clear();
    }
    if (parser_.state() == State::failed) {
      note_violation("the provider got a malformed request: %s", parser_.rejection().reason);
      return;
    }
  }
}

bool Provider::on_body(std::string_view bytes) {
  body_.append(bytes);
  return true;
}

void Provider::on_gateway_closed(bool) {
  if (busy_)
    book_[number_][served_index_].answer_seen = stream_.delivered_bytes() > delivered_at_request_;
  closed_ = true;
  *alive_ = false;
  alive_ = std::make_shared<bool>(false);
}

Behaviour Provider::choose(bool stream) {
  Random& random = world_.random();
  if (only_good_ || random.chance(2, 5)) {
    if (!stream) return static_cast<Behaviour>(random.below(5));
    return random.chance(1, 4) ? Behaviour::stream_large : Behaviour::stream;
  }
  while (true) {
    auto behaviour = static_cast<Behaviour>(random.below(static_cast<uint64_t>(Behaviour::count)));
    if (behaviour == Behaviour::reset_on_reuse && requests_ < 2) continue;
    return behaviour;
  }
}

void Provider::read_head() {
  const http::RequestHead& head = parser_.head();
  target_ = head.target;
  const char* header = "authorization";
  const char* key = "Bearer provider-secret";
  wire_ = dialect::Wire::openai_chat;
  if (head.path == "/v1/messages") {
    wire_ = dialect::Wire::anthropic;
    header = "x-api-key";
    key = "provider-secret";
  } else if (head.path.starts_with("/v1beta/models/")) {
    wire_ = dialect::Wire::gemini;
    header = "x-goog-api-key";
    key = "provider-secret";
  } else if (head.path != "/v1/chat/completions") {
    note_violation("the provider was asked on %s", target_.c_str());
  }
  array_ = wire_ == dialect::Wire::gemini && head.path.ends_with(":streamGenerateContent") &&
           head.query != "alt=sse";
  if (head.headers.find(header) != key) note_violation("the provider did not get its key");
}

bool Provider::asked_for_stream() const {
  if (wire_ == dialect::Wire::gemini)
    return target_.find(":streamGenerateContent") != std::string::npos;
  return body_.find("\"stream\":true") != std::string::npos;
}

std::string Provider::asked_model() const {
  return wire_ == dialect::Wire::gemini ? text_between(target_, "/v1beta/models/", ':')
                                        : text_between(body_, "\"model\":\"", '"');
}

void Provider::on_request() {
  ++requests_;
  if (busy_) {
    note_violation("a second request on a connection that is not done with the first (%s)",
                   name_of(book_[number_][served_index_].behaviour));
  }
  busy_ = true;
  delivered_at_request_ = stream_.delivered_bytes();
  number_ = text_between(body_, "number ", ';');
  if (asked_model() != "upstream-model")
    note_violation("the provider was asked for model '%s'", asked_model().c_str());
  if (body_.find("hyperion") != std::string::npos)
    note_violation("a key of Hyperion's own reached the provider");
  bool stream = asked_for_stream();
  Behaviour behaviour = choose(stream);
  std::vector<Served>& served = book_[number_];
  served_index_ = served.size();
  Served entry;
  entry.behind_surplus = surplus_at_ != 0 && delivered_at_request_ < surplus_at_;
  entry.behaviour = behaviour;
  entry.wire = wire_;
  entry.stream = stream;
  entry.array = array_;
  entry.request_body = body_;
  served.push_back(std::move(entry));
  switch (behaviour) {
    case Behaviour::reset_before:
    case Behaviour::reset_on_reuse: end_connection(true); return;
    case Behaviour::stall_head: return;
    case Behaviour::garbage: send("SSH-2.0-OpenSSH_9.2\r\n\r\n\x01\x02"); return;
    case Behaviour::two_lengths:
      send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}");
      return;
    case Behaviour::huge_head:
      send("HTTP/1.1 200 OK\r\nX-Filler: " + std::string(200'000, 'x') + "\r\n\r\n");
      return;
    case Behaviour::cut_head:
      send("HTTP/1.1 200 OK\r\nContent-Ty");
      end_connection(false);
      return;
    default: break;
  }
  if (behaviour == Behaviour::informational) send("HTTP/1.1 102 Processing\r\n\r\n");
  if (stream) {
    answer_stream(behaviour);
  } else {
    answer_plain(behaviour);
  }
}

void Provider::send(std::string bytes, std::string body, bool last) {
  then([this, bytes = std::move(bytes), body = std::move(body), last] {
    if (closed_) return;
    book_[number_][served_index_].answer_body += body;
    if (last) {
      Served& served = book_[number_][served_index_];
      served.finished = !served.stream || served.behaviour != Behaviour::no_end_marker;
      busy_ = false;
    }
    sent_bytes_ += bytes.size();
    if (last && book_[number_][served_index_].behaviour == Behaviour::surplus)
      surplus_at_ = sent_bytes_;
    stream_.deliver(bytes);
  });
}

void Provider::end_connection(bool reset) {
  then([this, reset] {
    ended_ = true;
    if (reset) {
      stream_.deliver_reset();
    } else {
      stream_.deliver_end();
    }
  });
}

void Provider::answer_plain(Behaviour behaviour) {
  Random& random = world_.random();
  size_t size =
      behaviour == Behaviour::plain_large ? 300'000 + random.below(400'000) : random.below(3000);
  const Speaker speaker(wire_, false, number_);
  std::string body = speaker.whole_answer(std::string(size, 'a'));
  std::string head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
  if (behaviour == Behaviour::error_status) {
    head = "HTTP/1.1 429 Too Many Requests\r\nContent-Type: application/json\r\nRetry-After: 7\r\n";
    book_[number_][served_index_].status = 429;
    body = speaker.refusal();
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
  Speaker speaker(wire_, array_, number_);
  send_chunk(speaker.opening());
  if (!answer_pieces(behaviour, speaker) || !spoil_end(behaviour, speaker)) return;
  send_chunk(speaker.closing());
  send(behaviour == Behaviour::surplus ? "0\r\n\r\nHTTP/1.1 200 OK\r\n" : "0\r\n\r\n", {}, true);
  if (behaviour == Behaviour::close_after) end_connection(false);
}

bool Provider::answer_pieces(Behaviour behaviour, Speaker& speaker) {
  Random& random = world_.random();
  if (behaviour == Behaviour::comments_only) {
    for (int i = 0; i < 40; ++i) {
      busy_until_ns_ = std::max(busy_until_ns_, world_.clock().now().ns) + 5 * ns_per_s;
      send_chunk(speaker.comment());
    }
    return false;
  }
  size_t events = behaviour == Behaviour::stream_large ? 200 + random.below(400) : random.below(6);
  size_t size = behaviour == Behaviour::stream_large ? 2000 : 20;
  std::string pending;
  for (size_t i = 0; i < events; ++i) {
    // Without an escape in it: what comes next is cut anywhere.
    pending += speaker.text(std::string(1 + random.below(size), 'b'));
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
    case Behaviour::error_event: send_chunk(speaker.failure()); return true;
    default: return true;
  }
}

}  // namespace hyperion::sim
