// The seam between a connection and a provider's wire format.
//
// A Dialect is data: routes, and how it words an error. A route's function reads a Call (the
// request, already known to be whole) and fills an Answer: a status and a body, or a Generation
// with the writer of its events. Functions are pure: no clock, no I/O, no state between requests.
// Delays, faults, framing and the bill are the connection's, the same for every dialect. A further
// dialect is one more row in `dialects`. OpenAI's chat words its events one by one as they are
// sent; the others work a whole turn out (turn.h) and put its events into a script.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "config/faults.h"
#include "http/head.h"
#include "json/body_scan.h"
#include "simulator/json_tree.h"
#include "simulator/ledger.h"
#include "simulator/models.h"
#include "simulator/retry.h"
#include "simulator/script.h"

namespace hyperion::simulator {

using config::FaultKind;
using config::FaultPlan;

// What the connection knows of a request.
struct Call {
  const http::RequestHead* head = nullptr;
  std::string_view tail;        // of the path, where the route has one
  std::string_view path_model;  // the model that the path names, where it does
  std::string_view body;
  bool body_is_json = false;  // `scan` is filled
  json::Scan scan;
  json::ScanError scan_error;
  const Models* models = nullptr;
  JsonTree* tree = nullptr;    // for a route that wants to read the body as a whole
  uint32_t answer_tokens = 0;  // of the conf
  FaultPlan plan;

  // The model's name as requested; empty where there is none.
  std::string_view model_name() const;
  // The text of a field, empty where it is absent.
  std::string_view raw(json::Key key) const;
};

// How the events of a stream are parted.
enum class EventForm : uint8_t {
  line_feeds,  // event stream, as most write it
  crlf,        // event stream with CR LF
  array,       // elements of one JSON array
};

// An answer that is streamed: its events in order are `opening_events`, then `token_events`, then
// `closing_events`, or those of the script. Plain data, so that it can wait for its next token in
// the connection.
struct Generation {
  const catalog::Model* model = nullptr;
  uint64_t seed = 0;
  uint32_t choices = 1;
  uint32_t tokens = 0;  // of each choice
  uint32_t input_tokens = 0;
  TokenCounts counts;  // of the input, beside `input_tokens`: what was cached
  EventForm form = EventForm::line_feeds;
  bool named_events = false;    // OpenAI's Responses: events have names
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
  Script script;          // not empty: the events, worked out

  bool next_is_token() const;
  bool next_is_first_token() const;
  bool finished() const;
  // Of the output, in the events before `position`.
  uint32_t tokens_sent() const;
};

// Appends the event at `generation.position`, framing of the event stream included.
using EventWriter = void (*)(const Generation& generation, std::string& out);

// The writer of scripted events.
void write_scripted_event(const Generation& generation, std::string& out);

struct Answer {
  // What the request's id is drawn from; it stays through `clear`.
  uint64_t id_seed = 0;
  uint16_t status = 200;
  uint32_t retry_after_s = 0;  // 0: none
  bool should_not_retry = false;
  std::string body;                   // of an answer that is not streamed
  EventWriter write_event = nullptr;  // set: streamed
  Generation generation;
  // What the answer costs, of those that are not streamed.
  const catalog::Model* model = nullptr;
  TokenCounts counts;

  void clear();
};

struct ErrorReply {
  uint16_t status = 0;
  std::string_view code;     // empty: null
  std::string_view param;    // empty: null
  std::string_view message;  // empty: what the dialect says by default
  // The delay to name, where the dialect names it in the body; -1: what it says by default.
  int64_t retry_ms = -1;
};

struct Route {
  http::Method method;
  std::string_view path;
  bool has_tail;    // one more segment follows the path
  bool wants_json;  // the body must be valid JSON
  void (*answer)(const Call& call, Answer& answer);
  std::string_view header = {};  // the route is only for requests that have it
};

struct Dialect {
  std::string_view name;
  std::span<const Route> routes;
  // Lines of every head, each with CR LF.
  std::string_view head_lines;
  // The same, of limits that are far; and in their place, of one that is used up. nullptr: the
  // dialect tells of delays in the body alone.
  std::string_view limit_lines;
  LimitWriter write_limit;
  bool limit_in_retry_after;       // the time until then stands in retry-after as well
  std::string_view json_type;      // the line of content-type
  std::string_view stream_type;    // the same of an event stream
  std::string_view id_name;        // of the header with the request's id; empty: it has none
  uint32_t success_retry_after_s;  // sent with a 200; 0: not
  // Is there a key? Otherwise the refusal is written.
  bool (*admit)(const Call& call, Answer& answer);
  void (*write_error)(const ErrorReply& error, Answer& answer);
  // The answer of an account whose money is used up.
  void (*write_quota_error)(Answer& answer);
  // Appends the event that tells of an error in a stream that had begun, framing included.
  void (*write_stream_error)(const Generation& generation, std::string& out);
};

std::span<const Dialect* const> dialects();
// Of what belongs to none.
const Dialect& default_dialect();

// Where a request goes. Without a route the path is unknown, or has no such method.
struct Destination {
  const Dialect* dialect = nullptr;
  const Route* route = nullptr;
  std::string_view tail;
  std::string_view path_model;
  bool path_known = false;
};

// "Authorization: Bearer" with something behind it.
bool has_bearer_key(const http::RequestHead& head);

Destination find_route(const http::RequestHead& head);

}  // namespace hyperion::simulator
