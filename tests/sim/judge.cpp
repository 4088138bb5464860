#include "sim/judge.h"

#include <cstdio>
#include <string_view>

#include "sim/violation.h"
#include "sim/words.h"

namespace hyperion::sim {
namespace {

using dialect::Wire;

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool ends_event(const Way& way, std::string_view text) {
  if (way.array) return text.ends_with('}') || text.ends_with(']') || text.ends_with("\r\n");
  return text.ends_with("\n\n") || text.ends_with("\r\n\r\n");
}

// How an error event begins, and how it ends.
struct ErrorForm {
  std::string_view begin;
  std::string_view end;
};

ErrorForm error_form(const Way& way) {
  if (way.array) return {",\r\n{\"error\":{", "}\r\n]"};
  switch (way.client) {
    case Wire::openai_chat: return {"data: {\"error\":{", "}\n\n"};
    case Wire::gemini: return {"data: {\"error\":{", "}\r\n\r\n"};
    default: return {"event: error\ndata: {\"type\":\"error\",", "}\n\n"};
  }
}

// Parts a stream that broke off: the answer's beginning, and the gateway's error event, which may
// be missing.
void part_at_error(const Way& way, std::string_view got, std::string_view& body,
                   std::string_view& error) {
  body = got;
  error = {};
  size_t at = got.find("upstream_stream_cut");
  if (at == std::string_view::npos && way.translated()) at = got.find(overload_message);
  if (at == std::string_view::npos) return;
  const size_t begin = got.substr(0, at).rfind(error_form(way).begin);
  body = got.substr(0, begin == std::string_view::npos ? 0 : begin);
  error = got.substr(body.size());
}

void judge_error_event(const Way& way, std::string_view error, bool first, Behaviour behaviour) {
  ErrorForm form = error_form(way);
  if (way.array && first) form.begin = "[{\"error\":{";
  if (!error.starts_with(form.begin) || !error.ends_with(form.end))
    note_violation("a stream's error is not of its dialect: %.200s", std::string(error).c_str());
  if (contains(error, overload_message) && behaviour != Behaviour::error_event)
    note_violation("an error that no provider sent");
}

// Of a stream that did not end cleanly.
void judge_cut(const Asked& asked, const Got& got, std::string_view body, std::string_view error,
               const Served& served) {
  const bool said = asked.way.translated() && served.behaviour == Behaviour::error_event;
  if (!body.empty() && !ends_event(asked.way, body))
    note_violation("half an event reached a client");
  if (error.empty()) {
    // A reader that is too slow is left alone; everyone else learns that this is not the end.
    if (!got.body.empty() && !got.reads_slowly)
      note_violation("a stream broke off without an error (%s): %.300s", name_of(served.behaviour),
                     std::string(got.body).c_str());
  } else {
    judge_error_event(asked.way, error, body.empty(), served.behaviour);
  }
  bool has_token = contains(body, ":\"b") || contains(body, "look_up") || contains(body, "stop") ||
                   contains(body, "STOP") || contains(body, "end_turn");
  // A translation may hold back what begins with a token.
  const bool told = asked.way.translated() ? !body.empty() : !got.body.empty();
  if (told && !has_token && !said) {
    note_violation("an answer was begun before its first token (%s): %.300s",
                   name_of(served.behaviour), std::string(got.body).c_str());
  }
}

// Is this what became of what that provider sent?
bool fits(const Asked& asked, const Got& got, const Served& served) {
  const Way& way = asked.way;
  if (way.translated() && (served.status != 200 || served.behaviour == Behaviour::error_event) &&
      got.whole && got.status >= 400) {
    const bool same = served.status == 200 ? got.status >= 500 : got.status == served.status;
    return same && contains(got.body, overload_message);
  }
  if (served.status != got.status) return false;
  std::string_view body = got.body;
  std::string_view error;
  if (way.stream) part_at_error(way, got.body, body, error);
  std::string_view expected = served.answer_body;
  std::string_view seen = body;
  bool ended = served.finished;
  Translation translation;
  std::string timeless;
  if (way.translated()) {
    translation = translated_answer(way, asked.own, got.request_id, served.answer_body,
                                    served.finished && got.whole);
    timeless = without_times(std::string(body));
    expected = translation.text;
    seen = timeless;
    ended = translation.ended;
  }
  if (!expected.starts_with(seen)) return false;
  if (got.whole) {
    if (!error.empty()) note_violation("a cut answer ended cleanly");
    return ended && seen.size() == expected.size();
  }
  if (way.stream) {
    judge_cut(asked, got, body, error, served);
  } else if (way.translated() && !got.reads_slowly) {
    note_violation("a translated answer was begun before it was complete");
  }
  return true;
}

// What the providers got for this request.
void judge_tries(const Asked& asked, const std::vector<Served>& tries) {
  for (const Served& served : tries) {
    if (served.request_body != asked.expected)
      note_violation("the provider got other bytes than it had to: %.300s instead of %.300s",
                     served.request_body.c_str(), asked.expected.c_str());
    if (served.wire != asked.way.provider || served.stream != asked.way.stream)
      note_violation("the provider was asked in another way");
  }
  if (tries.size() > 2) note_violation("a request was tried %zu times", tries.size());
  for (size_t i = 0; i + 1 < tries.size(); ++i) {
    if (tries[i].answer_seen)
      note_violation("a request was tried again although its answer had begun");
  }
}

// Nothing excuses that the client does not get it.
bool must_arrive(const Asked& asked, const Got& got, const Served& served) {
  const bool said = asked.way.translated() && served.behaviour == Behaviour::error_event;
  return !got.starved && is_good(served.behaviour) && !(said && asked.way.stream);
}

}  // namespace

void judge(const Asked& asked, const Got& got, const Book& book) {
  if (asked.must_fail) {
    if (got.status < 400) note_violation("client %s got %u", got.by, got.status);
    if (book.count(asked.number) != 0)
      note_violation("a request that was refused reached a provider");
    return;
  }
  auto found = book.find(asked.number);
  if (found == book.end()) {
    const bool over_limit = got.status == 429 && contains(got.body, "concurrent_requests_max");
    if (got.status < 500 && !over_limit)
      note_violation("an answer %u to a request no provider got: %.200s", got.status,
                     std::string(got.body).c_str());
    return;
  }
  const std::vector<Served>& tries = found->second;
  judge_tries(asked, tries);
  const Served& last = tries.back();
  if (last.behind_surplus) return;
  if (!got.whole && must_arrive(asked, got, last))
    note_violation("a good answer (%s) was cut", name_of(last.behaviour));
  for (const Served& served : tries) {
    if (fits(asked, got, served)) return;
  }
  // A provider may close a kept connection while the next request is on its way: that one is tried
  // again, once.
  const bool ours = contains(got.body, "all_upstreams_failed") ||
                    contains(got.body, "upstream_timeout") || contains(got.body, "overloaded");
  if (got.status >= 500 && ours && !(last.finished && must_arrive(asked, got, last))) return;
  if (got.status == 504) return;
  for (const Served& served : tries) {
    std::printf("  tried: %s, %zu bytes sent, %s\n", name_of(served.behaviour),
                served.answer_body.size(), served.finished ? "finished" : "unfinished");
  }
  note_violation(
      "client %s (%s, %s) got %u, %zu bytes, %s, which no provider sent (%s, %zu bytes, "
      "%s): %.80s",
      got.by, asked.number.c_str(), name_of(asked.way).c_str(), got.status, got.body.size(),
      got.whole ? "whole" : "cut", name_of(last.behaviour), last.answer_body.size(),
      last.finished ? "finished" : "unfinished", std::string(got.body).c_str());
}

}  // namespace hyperion::sim
