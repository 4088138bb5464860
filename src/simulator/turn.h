// What a simulated model says in its turn, before a dialect puts it into its own form.
//
// A dialect reads its request into a TurnRequest; `plan_turn` decides: thinking, then text or calls
// of tools, cut where the request's limit ends. All of it follows from the request alone. Texts are
// plain UTF-8 without control bytes and know where their tokens end: a stream sends token by token.
// A word is a token; of JSON (arguments, structured answers) eight bytes are. Never fails.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/faults.h"
#include "simulator/json_tree.h"

namespace hyperion::simulator {

using config::FaultKind;
using config::FaultPlan;

// A text and the ends of its tokens.
struct Said {
  std::string text;
  std::vector<uint32_t> ends;

  uint32_t tokens() const { return static_cast<uint32_t>(ends.size()); }
  std::string_view token(uint32_t index) const;
  void end_token() { ends.push_back(static_cast<uint32_t>(text.size())); }
  // Keeps the first `tokens`.
  void cut(uint32_t tokens);
};

struct SaidCall {
  std::string name;  // raw, fit for a JSON string
  Said arguments;    // an object of JSON, unless it was cut
  bool whole = true;
};

struct OfferedTool {
  std::string_view name;
  JsonValue parameters;
};

struct TurnRequest {
  std::string_view model;  // the name that the answer says
  uint64_t seed = 0;
  uint32_t answer_tokens = 0;
  uint32_t limit_tokens = UINT32_MAX;  // thinking included
  bool thinking = false;
  bool wants_json = false;
  JsonValue schema;  // of the answer, where one is asked for
  std::vector<OfferedTool> tools;
  std::string_view tool_forced;   // the only one that may be called
  bool must_call = false;         // some tool
  bool one_call = false;          // at most one at once
  std::vector<std::string> seen;  // what was attached: "image/png of 68 bytes"
  std::vector<std::string_view> stops;
};

struct Turn {
  Said thinking;
  Said text;
  std::vector<SaidCall> calls;
  bool refused = false;
  bool length_reached = false;
  std::string_view stopped_by;  // of the request's stops

  // Those of a refusal, too: none.
  uint32_t tokens() const;
  uint32_t call_tokens() const;
};

Turn plan_turn(const TurnRequest& request, const FaultPlan& plan);

// Appends `text` as the inside of a JSON string: quotes and backslashes are escaped.
void append_escaped(std::string& out, std::string_view text);

// "image/png of 68 bytes", of an attachment in base64; empty: it is no base64 in one line.
std::string describe_attachment(std::string_view media_type, std::string_view base64);

bool is_base64(std::string_view text);

}  // namespace hyperion::simulator
