// Lines of the request log, and labels, as `hyperion replay` and `hyperion feedback` read them.
//
// A line is one JSON object: the log's own (gateway/record.h), or a label written by hand:
//   {"request_id": "req_…", "score": 0.8}      or "good": true, or "bad": true
//   {"body": {…}, "model": "claude-haiku-4-5", "score": 1, "key": "search"}
// What is no such line is passed over and counted: a log may hold other lines and may end in the
// middle of one. Pure; the callers read the files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "routing/logged_decision.h"

namespace hyperion::server {

struct LogLine {
  std::string id;
  std::string key;
  std::string route;  // path of the route
  std::string requested;
  std::string provider;        // that answered
  int64_t fallback_index = 0;  // in the chain; 0 is the one chosen
  bool decided = false;
  bool unreadable = false;  // holds a decision, as another version writes it
  routing::LoggedDecision decision;
  int64_t prompt_tokens = -1;
  int64_t cached_tokens = -1;
  int64_t completion_tokens = -1;
  // A label: of a request in the log, by the gateway's feedback route or written by hand, or of a
  // body that stands here itself, answered by `model`.
  std::string label_id;
  std::string label_body;
  std::string label_model;  // of a line of the log: its name at the provider
  double label_score = -1;  // 0 to 1
  bool labels() const {
    return label_score >= 0 && label_score <= 1 && (!label_id.empty() || !label_body.empty());
  }
};

// False: not a line of the log.
bool read_log_line(std::string_view text, LogLine& line);

}  // namespace hyperion::server
