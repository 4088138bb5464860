// The seam between a connection and a provider's wire format.
//
// A Dialect is data: routes, and how it words an error. A route's function reads a Call (the
// request, already known to be whole) and fills an Answer: a status and a body, or a Generation
// with the writer of its events. Functions are pure: no clock, no I/O, no state between requests.
// Delays, faults, framing and the bill are the connection's, the same for every dialect. A further
// dialect is one more file and one more row in `dialects`.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "http/head.h"
#include "json/body_scan.h"
#include "simulator/faults.h"
#include "simulator/models.h"

namespace hyperion::simulator {

// What the connection knows of a request.
struct Call {
  const http::RequestHead* head = nullptr;
  std::string_view tail;  // of the path, where the route has one
  std::string_view body;
  bool body_is_json = false;  // `scan` is filled
  json::Scan scan;
  json::ScanError scan_error;
  const Models* models = nullptr;
  uint32_t answer_tokens = 0;  // of the conf
  FaultPlan plan;

  // The model's name as requested; empty where there is none.
  std::string_view model_name() const { return body_is_json ? scan.model : std::string_view(tail); }
  // The text of a field, empty where it is absent.
  std::string_view raw(json::Key key) const;
};

// An answer that is streamed: its events in order are `opening_events`, then `token_events`, then
// `closing_events`. Plain data, so that it can wait for its next token in the connection.
struct Generation {
  const catalog::Model* model = nullptr;
  uint64_t seed = 0;
  uint32_t choices = 1;
  uint32_t tokens = 0;  // of each choice
  uint32_t input_tokens = 0;
  bool length_reached = false;  // the request's limit ended it
  bool include_usage = false;
  bool negative_usage = false;
  // A call of a tool in the place of text; empty: text. The name is raw JSON, without its quotes.
  std::string tool_name;
  std::string tool_arguments;

  uint32_t opening_events = 0;
  uint32_t token_events = 0;
  uint32_t closing_events = 0;
  uint32_t position = 0;  // of the next event

  bool next_is_token() const {
    return position >= opening_events && position - opening_events < token_events;
  }
  bool next_is_first_token() const { return position == opening_events; }
  bool finished() const { return position == opening_events + token_events + closing_events; }
};

// Appends the event at `generation.position`, framing of the event stream included.
using EventWriter = void (*)(const Generation& generation, std::string& out);

struct Answer {
  uint16_t status = 200;
  uint32_t retry_after_s = 0;  // 0: none
  bool should_not_retry = false;
  std::string body;                   // of an answer that is not streamed
  EventWriter write_event = nullptr;  // set: streamed
  Generation generation;
  // What the answer costs, of those that are not streamed.
  const catalog::Model* model = nullptr;
  uint64_t input_tokens = 0;
  uint64_t output_tokens = 0;

  void clear();
};

struct ErrorReply {
  uint16_t status = 0;
  std::string_view code;     // empty: null
  std::string_view param;    // empty: null
  std::string_view message;  // empty: what the dialect says by default
};

struct Route {
  http::Method method;
  std::string_view path;
  bool has_tail;    // one more segment follows the path
  bool wants_json;  // the body must be valid JSON
  void (*answer)(const Call& call, Answer& answer);
};

struct Dialect {
  std::string_view name;
  std::span<const Route> routes;
  // Lines of every head, each with CR LF.
  std::string_view head_lines;
  bool (*authenticated)(const http::RequestHead& head);
  void (*write_error)(const ErrorReply& error, Answer& answer);
};

std::span<const Dialect* const> dialects();

// Where a request goes. Without a route the path is unknown, or has no such method.
struct Destination {
  const Dialect* dialect = nullptr;
  const Route* route = nullptr;
  std::string_view tail;
  bool path_known = false;
};

Destination find_route(const http::RequestHead& head);

}  // namespace hyperion::simulator
