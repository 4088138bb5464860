// Runs the HTTP parsers over whole connections, cut anywhere, and tells what they saw.
//
// For tests and fuzz targets: the same bytes must give the same account however they are cut. Every
// piece is fed from a heap block of exactly its size that is freed at once, so that a sanitizer
// sees a read past it and a view kept too long; what was parsed is copied out of the arena at the
// end of the message. Uses no test framework, as fuzz targets have none.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "base/block_pool.h"
#include "base/random.h"
#include "http/request_parser.h"
#include "http/response_parser.h"

namespace hyperion::test {

// Positions where a stream is cut, ascending.
using Cuts = std::vector<size_t>;

inline Cuts every_byte(size_t size) {
  Cuts cuts;
  for (size_t at = 1; at < size; ++at) cuts.push_back(at);
  return cuts;
}

inline Cuts random_cuts(Random& random, size_t size) {
  Cuts cuts;
  const size_t count = 1 + random.below(8);
  for (size_t i = 0; i < count && size > 0; ++i) cuts.push_back(random.below(size));
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

// Calls `feed` with a copy of each piece that `cuts` makes of `bytes`, until it returns false.
template <class Feed>
void for_each_piece(std::string_view bytes, const Cuts& cuts, Feed feed) {
  size_t begin = 0;
  for (size_t i = 0; i <= cuts.size(); ++i) {
    const size_t end = i < cuts.size() ? cuts[i] : bytes.size();
    if (end <= begin) continue;
    const std::unique_ptr<char[]> piece(new char[end - begin]);
    std::copy(bytes.begin() + begin, bytes.begin() + end, piece.get());
    if (!feed(std::string_view(piece.get(), end - begin))) return;
    begin = end;
  }
}

inline std::string text_of(http::Framing framing) {
  switch (framing) {
    case http::Framing::none: return "none";
    case http::Framing::content_length: return "content_length";
    case http::Framing::chunked: return "chunked";
    case http::Framing::until_close: return "until_close";
  }
  return "?";
}

using SeenHeaders = std::vector<std::pair<std::string, std::string>>;

inline SeenHeaders copy_headers(const http::HeaderList& headers) {
  SeenHeaders copied;
  for (size_t i = 0; i < headers.count; ++i) {
    copied.emplace_back(headers.items[i].name, headers.items[i].value);
  }
  return copied;
}

struct SeenMessage {
  std::string start;  // method number or status, and the texts of the first line
  std::string target;
  std::string path;
  std::string query;
  std::string host;
  SeenHeaders headers;
  http::Framing framing = http::Framing::none;
  uint64_t content_length = 0;
  int minor_version = 1;
  bool keep_alive = false;
  bool expects_continue = false;
  std::string body;
  bool complete = false;

  bool operator==(const SeenMessage&) const = default;
};

struct SeenConnection {
  std::vector<SeenMessage> messages;  // those whose head was complete
  int state = 0;                      // of the parser at the end
  uint16_t status = 0;                // of the rejection
  std::string reason;
  ErrorCode error = ErrorCode::none;
  bool surplus = false;  // bytes follow a message after which the connection must close

  bool operator==(const SeenConnection&) const = default;

  bool rejected() const { return status != 0 || error != ErrorCode::none; }
  size_t complete_count() const {
    size_t count = 0;
    for (const SeenMessage& message : messages) count += message.complete ? 1 : 0;
    return count;
  }
  std::string body() const {
    std::string all;
    for (const SeenMessage& message : messages) all += message.body;
    return all;
  }
};

struct BodyCollector final : http::RequestParser::BodySink, http::ResponseParser::BodySink {
  std::string body;
  bool on_body(std::string_view bytes) override {
    body += bytes;
    return true;
  }
};

inline SeenMessage copy_head(const http::RequestHead& head) {
  SeenMessage seen;
  seen.start = "method " + std::to_string(static_cast<int>(head.method));
  seen.target = head.target;
  seen.path = head.path;
  seen.query = head.query;
  seen.host = head.host;
  seen.headers = copy_headers(head.headers);
  seen.framing = head.framing;
  seen.content_length = head.content_length;
  seen.minor_version = head.minor_version;
  seen.keep_alive = head.keep_alive;
  seen.expects_continue = head.expects_continue;
  return seen;
}

inline SeenMessage copy_head(const http::ResponseHead& head) {
  SeenMessage seen;
  seen.start = "status " + std::to_string(head.status);
  seen.headers = copy_headers(head.headers);
  seen.framing = head.framing;
  seen.content_length = head.content_length;
  seen.minor_version = head.minor_version;
  seen.keep_alive = head.keep_alive;
  return seen;
}

// One connection's worth of requests through one parser, as the gateway does it.
inline SeenConnection run_requests(std::string_view bytes, const Cuts& cuts,
                                   const http::Limits& limits = http::Limits()) {
  using State = http::RequestParser::State;
  BlockPool pool(64);
  Arena arena(pool, 512 * 1024);
  http::RequestParser parser(limits);
  SeenConnection seen;
  BodyCollector sink;
  auto step = [&](std::string_view& rest) {
    rest.remove_prefix(parser.feed(rest, arena, sink));
    if (parser.state() == State::head_ready) {
      seen.messages.emplace_back();
      parser.continue_body();
    }
    if (parser.state() == State::complete) {
      // Only now, so that a view into a piece that is gone would show.
      seen.messages.back() = copy_head(parser.head());
      seen.messages.back().body = std::exchange(sink.body, {});
      seen.messages.back().complete = true;
      if (!seen.messages.back().keep_alive) return false;
      parser.next(limits);
      arena.reset();
    }
    return parser.state() != State::failed;
  };
  bool open = true;
  for_each_piece(bytes, cuts, [&](std::string_view rest) {
    while (open && !rest.empty()) open = step(rest);
    seen.surplus = seen.surplus || (parser.state() == State::complete && !rest.empty());
    return parser.state() != State::failed;
  });
  if (parser.state() == State::body) {
    seen.messages.back() = copy_head(parser.head());
    seen.messages.back().body = sink.body;
  } else if (parser.state() == State::failed && !seen.messages.empty() &&
             !seen.messages.back().complete) {
    seen.messages.back().body = sink.body;
  }
  seen.state = static_cast<int>(parser.state());
  seen.status = parser.rejection().status;
  seen.reason = parser.rejection().reason != nullptr ? parser.rejection().reason : "";
  return seen;
}

// Responses one after another; `ended`: the connection ends after the bytes.
inline SeenConnection run_responses(std::string_view bytes, const Cuts& cuts, bool ended,
                                    bool to_head = false,
                                    const http::Limits& limits = http::Limits()) {
  using State = http::ResponseParser::State;
  BlockPool pool(64);
  Arena arena(pool, 512 * 1024);
  http::ResponseParser parser(limits);
  parser.begin(limits, to_head);
  SeenConnection seen;
  BodyCollector sink;
  auto finish_message = [&] {
    seen.messages.back() = copy_head(parser.head());
    seen.messages.back().body = std::exchange(sink.body, {});
    seen.messages.back().complete = parser.state() == State::complete;
  };
  auto step = [&](std::string_view& rest) {
    rest.remove_prefix(parser.feed(rest, arena, sink));
    if (parser.state() == State::head_ready) {
      seen.messages.emplace_back();
      parser.continue_body();
    }
    if (parser.state() == State::complete) {
      finish_message();
      if (!seen.messages.back().keep_alive) return false;
      parser.begin(limits, to_head);
      arena.reset();
    }
    return parser.state() != State::failed;
  };
  bool open = true;
  for_each_piece(bytes, cuts, [&](std::string_view rest) {
    while (open && !rest.empty()) open = step(rest);
    seen.surplus = seen.surplus || (parser.state() == State::complete && !rest.empty());
    return parser.state() != State::failed;
  });
  const bool in_body = parser.state() == State::body;
  if (ended && parser.state() != State::failed) parser.finish();
  if (in_body) finish_message();
  seen.state = static_cast<int>(parser.state());
  seen.error = parser.error().code;
  return seen;
}

}  // namespace hyperion::test
