#include "simulator/turn.h"

#include <algorithm>

#include "simulator/answer_text.h"
#include "simulator/sample.h"

namespace hyperion::simulator {
namespace {

constexpr uint32_t json_token_bytes = 8;
constexpr uint32_t thinking_tokens = 12;
constexpr uint32_t calls_max = 64;
// A turn is worked out before it is sent, unlike the answers of chat completions.
constexpr uint32_t answer_tokens_max = 32 * 1024;

bool continues_character(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

// Tokens of eight bytes, never within a character.
void split_json(Said& said) {
  size_t at = 0;
  while (at < said.text.size()) {
    at = std::min(at + json_token_bytes, said.text.size());
    while (at < said.text.size() && continues_character(said.text[at])) ++at;
    said.ends.push_back(static_cast<uint32_t>(at));
  }
}

void say_words(std::string_view model, uint64_t seed, uint32_t count, Said& said) {
  for (uint32_t i = 0; i < count; ++i) {
    append_token(said.text, model, seed, i);
    said.end_token();
  }
}

void say_seen(const TurnRequest& request, Said& said) {
  for (const std::string& what : request.seen) {
    said.text += " It saw ";
    said.text += what;
    said.text += '.';
    said.end_token();
  }
}

void add_call(const OfferedTool& tool, Turn& turn) {
  SaidCall& call = turn.calls.emplace_back();
  call.name = tool.name;
  append_arguments(tool.parameters, call.arguments.text);
  split_json(call.arguments);
}

// By force of the request, or because the fault `calls` asks for so many.
void say_calls(const TurnRequest& request, const FaultPlan& plan, Turn& turn) {
  std::vector<const OfferedTool*> callable;
  for (const OfferedTool& tool : request.tools) {
    if (request.tool_forced.empty() || tool.name == request.tool_forced) callable.push_back(&tool);
  }
  uint32_t count = request.must_call || !request.tool_forced.empty() ? 1 : 0;
  if (plan.is(FaultKind::calls)) count = std::min(plan.argument_or(2), calls_max);
  if (request.one_call) count = std::min(count, 1u);
  if (callable.empty()) return;
  for (uint32_t i = 0; i < count; ++i) add_call(*callable[i % callable.size()], turn);
}

void stop_early(const TurnRequest& request, Turn& turn) {
  size_t earliest = std::string::npos;
  for (std::string_view stop : request.stops) {
    const size_t at = stop.empty() ? std::string::npos : turn.text.text.find(stop);
    if (at >= earliest) continue;
    earliest = at;
    turn.stopped_by = stop;
  }
  if (earliest == std::string::npos) return;
  std::vector<uint32_t>& ends = turn.text.ends;
  ends.erase(std::lower_bound(ends.begin(), ends.end(), earliest), ends.end());
  turn.text.text.resize(earliest);
  if (earliest != 0) turn.text.end_token();
}

void apply_limit(uint32_t limit, Turn& turn) {
  if (turn.tokens() <= limit) return;
  turn.length_reached = true;
  turn.stopped_by = {};
  turn.thinking.cut(limit);
  limit -= turn.thinking.tokens();
  turn.text.cut(limit);
  limit -= turn.text.tokens();
  for (SaidCall& call : turn.calls) {
    const uint32_t tokens = call.arguments.tokens();
    call.whole = tokens <= limit;
    call.arguments.cut(limit);
    limit -= call.arguments.tokens();
  }
  // What was not begun is not shown.
  std::erase_if(turn.calls,
                [](const SaidCall& call) { return !call.whole && call.arguments.text.empty(); });
}

}  // namespace

std::string_view Said::token(uint32_t index) const {
  const uint32_t begin = index == 0 ? 0 : ends[index - 1];
  return std::string_view(text).substr(begin, ends[index] - begin);
}

void Said::cut(uint32_t tokens_kept) {
  if (tokens_kept >= tokens()) return;
  ends.resize(tokens_kept);
  text.resize(ends.empty() ? 0 : ends.back());
}

uint32_t Turn::call_tokens() const {
  uint32_t sum = 0;
  for (const SaidCall& call : calls) sum += call.arguments.tokens();
  return sum;
}

uint32_t Turn::tokens() const { return thinking.tokens() + text.tokens() + call_tokens(); }

Turn plan_turn(const TurnRequest& request, const FaultPlan& plan) {
  Turn turn;
  if (plan.is(FaultKind::refusal) || plan.is(FaultKind::blocked)) {
    turn.refused = true;
    return turn;
  }
  if (request.thinking) {
    say_words(request.model, mix(request.seed, 7), thinking_tokens, turn.thinking);
  }
  say_calls(request, plan, turn);
  if (turn.calls.empty()) {
    if (request.schema.is_object()) {
      append_sample(request.schema, request.schema, turn.text.text);
      split_json(turn.text);
    } else if (request.wants_json) {
      turn.text.text = "{\"answer\":\"simulated\"}";
      split_json(turn.text);
    } else {
      say_words(request.model, request.seed, std::min(request.answer_tokens, answer_tokens_max),
                turn.text);
      say_seen(request, turn.text);
    }
    stop_early(request, turn);
  }
  apply_limit(request.limit_tokens, turn);
  return turn;
}

void append_escaped(std::string& out, std::string_view text) {
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
}

bool is_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return false;
  size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  text.remove_suffix(padding);
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/';
  });
}

std::string describe_attachment(std::string_view media_type, std::string_view base64) {
  if (!is_base64(base64)) return {};
  const size_t padding = base64.ends_with("==") ? 2 : base64.ends_with("=") ? 1 : 0;
  return std::string(media_type) + " of " + std::to_string(base64.size() / 4 * 3 - padding) +
         " bytes";
}

}  // namespace hyperion::simulator
