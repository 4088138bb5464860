#include "sim/client.h"

#include <algorithm>
#include <cstdio>

#include "sim/violation.h"

namespace hyperion::sim {
namespace {

constexpr const char* manners[] = {
    "good",          "pipelining", "chunked body", "expects continue", "bad json",
    "unknown model", "no key",     "malformed",    "slow body",        "half head",
    "leaves",        "resets",     "slow reader",  "half closes",      "own keys"};
static_assert(std::size(manners) == static_cast<size_t>(Manner::count));

bool fails(Manner manner) {
  return manner == Manner::bad_json || manner == Manner::unknown_model ||
         manner == Manner::no_key || manner == Manner::malformed || manner == Manner::slow_body ||
         manner == Manner::half_head;
}

}  // namespace

const char* name_of(Manner manner) { return manners[static_cast<size_t>(manner)]; }

SimClient::SimClient(World& world, Book& book, uint32_t number, Manner manner)
    : world_(world),
      book_(book),
      number_(number),
      manner_(manner),
      parser_(limits_),
      arena_(world.blocks(), 256 * 1024) {
  size_t count =
      manner == Manner::pipelining ? 2 + world.random().below(3) : 1 + world.random().below(3);
  if (fails(manner)) count = 1;
  for (size_t i = 0; i < count; ++i) {
    Request request;
    request.number = std::to_string(number) + "-" + std::to_string(i);
    request.stream = world.random().chance(1, 2);
    requests_.push_back(request);
  }
}

void SimClient::connect_to(SimStream& stream) {
  stream_ = &stream;
  if (manner_ == Manner::slow_reader) stream.set_taken_per_send(1 + world_.random().below(20'000));
}

std::string SimClient::compose(Request& request) {
  Random& random = world_.random();
  size_t filler = random.chance(1, 6) ? random.below(60'000) : random.below(900);
  std::string rest = std::string(request.stream ? ",\"stream\":true" : "") + ",\"number\":\"" +
                     request.number + "\",\"messages\":[{\"role\":\"user\",\"content\":\"" +
                     std::string(filler, 'q') + "\"}]}";
  std::string name = manner_ == Manner::unknown_model ? "no-such-model" : "test-model";
  std::string own = manner_ == Manner::own_keys ? "\"hyperion\":{\"tags\":{\"a\":\"b\"}}," : "";
  request.body = "{" + own + "\"model\":\"" + name + "\"" + rest;
  request.expected = "{\"model\":\"upstream-model\"" + rest;
  if (manner_ == Manner::bad_json) request.body.back() = ']';
  request.must_fail = fails(manner_);
  std::string head = "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n";
  if (manner_ != Manner::no_key) head += "Authorization: Bearer sk_test_sim\r\n";
  if (manner_ == Manner::expects_continue) head += "Expect: 100-continue\r\n";
  if (manner_ == Manner::malformed) head += "Transfer-Encoding: chunked\r\n";
  if (manner_ == Manner::chunked_body) {
    std::string chunked;
    for (size_t at = 0; at < request.body.size();) {
      size_t part = std::min<size_t>(1 + random.below(500), request.body.size() - at);
      char size[20];
      std::snprintf(size, sizeof(size), "%zx\r\n", part);
      chunked += size + request.body.substr(at, part) + "\r\n";
      at += part;
    }
    return head + "Transfer-Encoding: chunked\r\n\r\n" + chunked + "0\r\n\r\n";
  }
  return head + "Content-Length: " + std::to_string(request.body.size()) + "\r\n\r\n" +
         request.body;
}

void SimClient::start() {
  if (manner_ == Manner::pipelining) {
    std::string all;
    for (Request& request : requests_) all += compose(request);
    sent_ = requests_.size();
    send(all);
    return;
  }
  send_next();
}

void SimClient::send_next() {
  if (closed_ || left_ || sent_ == requests_.size()) return;
  parser_.begin(limits_, false);
  std::string bytes = compose(requests_[sent_++]);
  Random& random = world_.random();
  if (manner_ == Manner::half_head) bytes.resize(10 + random.below(30));
  if (manner_ == Manner::slow_body) bytes.resize(bytes.size() - 3);
  send(bytes);
  if (manner_ == Manner::leaves || manner_ == Manner::resets) {
    world_.after(random.below(20 * ns_per_ms), [this] { leave(manner_ == Manner::resets); });
  }
  if (manner_ == Manner::half_closes && sent_ == requests_.size()) {
    stream_->deliver_end();
    left_ = true;
  }
}

void SimClient::send(const std::string& bytes) {
  // In one piece or in two: the world cuts further.
  size_t cut = world_.random().chance(1, 2) ? bytes.size() : world_.random().below(bytes.size());
  stream_->deliver(bytes.substr(0, cut));
  if (cut == bytes.size()) return;
  world_.after(world_.random().below(10 * ns_per_ms), [this, rest = bytes.substr(cut)] {
    if (!closed_) stream_->deliver(rest);
  });
}

void SimClient::leave(bool reset) {
  if (closed_) return;
  left_ = true;
  if (reset) {
    stream_->deliver_reset();
  } else {
    stream_->deliver_end();
  }
}

void SimClient::on_gateway_closed(bool) {
  if (closed_) return;
  closed_ = true;
  if (left_) return;
  using State = http::ResponseParser::State;
  if (parser_.state() == State::head_ready || parser_.state() == State::body) {
    // A broken answer: what came of it must still be the beginning of what one provider sent.
    if (answers_ < requests_.size()) judge_body(requests_[answers_], false);
    ++answers_;
  }
}

bool SimClient::on_body(std::string_view bytes) {
  answer_body_.append(bytes);
  return true;
}

void SimClient::on_bytes(std::string_view bytes) {
  if (left_) return;
  using State = http::ResponseParser::State;
  while (!bytes.empty()) {
    if (parser_.state() == State::complete || parser_.state() == State::idle)
      parser_.begin(limits_, false);
    size_t used = parser_.feed(bytes, arena_, *this);
    bytes.remove_prefix(used);
    if (parser_.state() == State::head_ready) parser_.continue_body();
    if (parser_.state() == State::complete) judge_answer();
    if (parser_.state() == State::failed) {
      note_violation("client %s got a malformed answer", name_of(manner_));
      return;
    }
  }
}

void SimClient::judge_answer() {
  if (answers_ >= sent_) {
    note_violation("client %s got an answer it had not asked for", name_of(manner_));
    return;
  }
  judge_body(requests_[answers_], true);
  ++answers_;
  answer_body_.clear();
  arena_.reset();
  if (manner_ != Manner::pipelining && parser_.head().keep_alive) {
    world_.after(world_.random().below(5 * ns_per_ms), [this] { send_next(); });
  }
}

void SimClient::judge_body(const Request& request, bool whole) const {
  uint16_t status = parser_.head().status;
  const std::string& got = answer_body_;
  if (request.must_fail) {
    if (status < 400) note_violation("client %s got %u", name_of(manner_), status);
    if (book_.count(request.number) != 0)
      note_violation("a request that was refused reached a provider");
    return;
  }
  auto found = book_.find(request.number);
  bool ours = got.find("all_upstreams_failed") != std::string::npos ||
              got.find("upstream_timeout") != std::string::npos ||
              got.find("overloaded") != std::string::npos;
  if (found == book_.end()) {
    if (status < 500) note_violation("an answer %u to a request no provider got", status);
    return;
  }
  for (const Served& served : found->second) {
    if (served.request_body != request.expected)
      note_violation("the provider got other bytes than the client sent");
  }
  if (found->second.size() > 2)
    note_violation("a request was tried %zu times", found->second.size());
  for (size_t i = 0; i + 1 < found->second.size(); ++i) {
    if (found->second[i].answer_seen)
      note_violation("a request was tried again although its answer had begun");
  }
  bool good = is_good(found->second.back().behaviour);
  if (!whole && good)
    note_violation("a good answer (%s) was cut", name_of(found->second.back().behaviour));
  bool has_token =
      got.find("\"content\":\"b") != std::string::npos || got.find("[DONE]") != std::string::npos;
  if (!whole && request.stream && !got.empty() && !has_token) {
    note_violation("an answer was begun before its first token (%s)",
                   name_of(found->second.back().behaviour));
  }
  for (const Served& served : found->second) {
    size_t cut = got.find("upstream_stream_cut");
    std::string body = cut == std::string::npos ? got : got.substr(0, got.rfind("data: ", cut));
    bool prefix = served.status == status && served.answer_body.compare(0, body.size(), body) == 0;
    if (!prefix) continue;
    if (!whole) {
      // Streams are passed on in whole events.
      if (served.stream && !body.empty() && !body.ends_with("\n\n"))
        note_violation("half an event reached a client");
      return;
    }
    if (cut != std::string::npos) note_violation("a cut answer ended cleanly");
    if (served.finished && body.size() == served.answer_body.size()) return;
  }
  // A provider may close a kept connection while the next request is on its way: that one is tried
  // again, once.
  const Served& last = found->second.back();
  bool any_good = last.finished && is_good(last.behaviour);
  if (status >= 500 && ours && !any_good) return;
  if (status == 504) return;
  for (const Served& served : found->second) {
    std::printf("  tried: %s, %zu bytes sent, %s\n", name_of(served.behaviour),
                served.answer_body.size(), served.finished ? "finished" : "unfinished");
  }
  note_violation(
      "client %s (%s) got %u, %zu bytes, %s, which no provider sent (%s, %zu bytes, %s): %.80s",
      name_of(manner_), request.number.c_str(), status, got.size(), whole ? "whole" : "cut",
      name_of(found->second.back().behaviour), found->second.back().answer_body.size(),
      found->second.back().finished ? "finished" : "unfinished", got.c_str());
}

void SimClient::judge_end() const {
  if (left_ || manner_ == Manner::half_head) return;
  if (answers_ < sent_ && !closed_) {
    note_violation("client %s sent %zu requests and got %zu answers", name_of(manner_), sent_,
                   answers_);
  }
}

}  // namespace hyperion::sim
