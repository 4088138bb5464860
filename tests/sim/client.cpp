#include "sim/client.h"

#include <algorithm>
#include <cstdio>

#include "sim/violation.h"

namespace hyperion::sim {
namespace {

using dialect::Wire;

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

SimClient::SimClient(World& world, Court& court, uint32_t number, Manner manner)
    : world_(world),
      court_(court),
      number_(number),
      manner_(manner),
      wire_(world.random().chance(2, 5) ? Wire::openai_chat
                                        : static_cast<Wire>(world.random().below(4))),
      parser_(limits_),
      arena_(world.blocks(), 256 * 1024) {
  size_t count =
      manner == Manner::pipelining ? 2 + world.random().below(3) : 1 + world.random().below(4);
  if (fails(manner)) count = 1;
  for (size_t i = 0; i < count; ++i) {
    Asked request;
    request.number = std::to_string(number) + "-" + std::to_string(i);
    draw_request(world.random(), wire_, request);
    request.must_fail = fails(manner);
    requests_.push_back(request);
  }
}

void SimClient::connect_to(SimStream& stream) {
  stream_ = &stream;
  // Of all its large answers in fewer steps than a world may have.
  if (manner_ == Manner::slow_reader) stream.set_taken_per_send(16 + world_.random().below(20'000));
}

std::string SimClient::compose_rest(const Asked& request) {
  Random& random = world_.random();
  const size_t filler = random.chance(1, 6) ? random.below(60'000) : random.below(900);
  const std::string text = "number " + request.number + ";" + std::string(filler, 'q');
  const std::string stream = request.stream ? ",\"stream\":true" : "";
  const std::string messages = ",\"messages\":[{\"role\":\"user\",\"content\":\"" + text + "\"}]}";
  switch (wire_) {
    case Wire::openai_chat: return stream + ",\"user\":\"somebody\"" + messages;
    case Wire::openai_responses: return stream + ",\"input\":\"" + text + "\"}";
    case Wire::anthropic: return stream + ",\"max_tokens\":100" + messages;
    case Wire::gemini: break;
  }
  return "\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"" + text + "\"}]}]}";
}

std::string SimClient::compose_head(const Asked& request) const {
  const bool unknown = manner_ == Manner::unknown_model;
  const std::string model = unknown ? "no-such-model" : request.model;
  std::string target;
  std::string key;
  switch (wire_) {
    case Wire::openai_chat: target = "/v1/chat/completions"; break;
    case Wire::openai_responses: target = "/v1/responses"; break;
    case Wire::anthropic: target = "/v1/messages"; break;
    case Wire::gemini:
      target = "/v1beta/models/" + model +
               (request.stream ? ":streamGenerateContent" : ":generateContent");
      if (request.stream && !request.array) target += "?alt=sse";
      break;
  }
  switch (wire_) {
    case Wire::anthropic: key = "x-api-key: sk_test_sim\r\n"; break;
    case Wire::gemini: key = "x-goog-api-key: sk_test_sim\r\n"; break;
    default: key = "Authorization: Bearer sk_test_sim\r\n";
  }
  if (manner_ == Manner::no_key) key.clear();
  return "POST " + target + " HTTP/1.1\r\nHost: localhost\r\n" + key;
}

std::string SimClient::compose(Asked& request) {
  Random& random = world_.random();
  const std::string rest = compose_rest(request);
  const bool unknown = manner_ == Manner::unknown_model;
  const std::string name = unknown ? "no-such-model" : request.model;
  const bool in_path = wire_ == Wire::gemini;
  const std::string options = options_text(request, manner_ == Manner::own_keys);
  const std::string model = in_path ? "" : "\"model\":\"" + name + "\"";
  request.rest = rest;
  request.body = "{" + options + model + rest;
  request.own = "{" + model + rest;
  request.sent_ns = world_.clock().now().ns;
  if (manner_ == Manner::bad_json) request.body.back() = ']';
  std::string head = compose_head(request);
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
    for (Asked& request : requests_) all += compose(request);
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
    if (parser_.state() == State::head_ready) {
      if (answers_ < requests_.size()) court_.book.begun.insert(requests_[answers_].number);
      parser_.continue_body();
    }
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
  const bool goes_on = parser_.head().keep_alive;  // the head is the arena's
  arena_.reset();
  if (manner_ != Manner::pipelining && goes_on) {
    // Sometimes so late that what was shut may be open again.
    const uint64_t most_ms = world_.random().chance(1, 3) ? 900 : 5;
    world_.after(world_.random().below(most_ms * ns_per_ms), [this] { send_next(); });
  }
}

void SimClient::judge_body(const Asked& request, bool whole) const {
  Got got;
  got.by = name_of(manner_);
  got.reads_slowly = manner_ == Manner::slow_reader;
  got.status = parser_.head().status;
  got.request_id = parser_.head().headers.find("x-request-id");
  got.attempts = parser_.head().headers.find("x-hyperion-attempts");
  got.body = answer_body_;
  got.whole = whole;
  judge(request, got, court_);
}

void SimClient::judge_end() const {
  if (left_ || manner_ == Manner::half_head) return;
  if (answers_ < sent_ && !closed_) {
    note_violation("client %s sent %zu requests and got %zu answers", name_of(manner_), sent_,
                   answers_);
  }
}

}  // namespace hyperion::sim
