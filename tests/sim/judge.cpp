#include "sim/judge.h"

#include <cstdio>
#include <string_view>

#include "sim/chain_judge.h"
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
  // A lone CR ends a line, too: what comes behind it may still be on its way.
  return text.ends_with("\n\n") || text.ends_with("\r\n\r\n") || text.ends_with("\r\n\r");
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

void judge_error_event(const Way& way, std::string_view error, bool first, bool said) {
  ErrorForm form = error_form(way);
  if (way.array && first) form.begin = "[{\"error\":{";
  if (!error.starts_with(form.begin) || !error.ends_with(form.end))
    note_violation("a stream's error is not of its dialect: %.200s", std::string(error).c_str());
  if (contains(error, overload_message) && !said) note_violation("an error that no provider sent");
}

// A token, a call, or the end: what an answer may begin with.
bool says_something(std::string_view answer) {
  for (const std::string_view mark :
       {":\"b", "look_up", "stop_reason\":\"", "finish_reason\":\"", "finishReason\":\""}) {
    if (contains(answer, mark)) return true;
  }
  return false;
}

// Of a stream that did not end cleanly.
void judge_cut(const Way& way, const Got& got, std::string_view body, std::string_view error,
               const Served& served) {
  const bool said = served.said_kind != dialect::ErrorKind::none;
  if (!body.empty() && !ends_event(way, body)) {
    note_violation(
        "half an event reached a client: %.300s",
        std::string(body.substr(body.size() - std::min<size_t>(body.size(), 300))).c_str());
  }
  if (error.empty()) {
    // A reader that is too slow is left alone; everyone else learns that this is not the end.
    const bool told = said && contains(got.body, overload_message);  // by the provider itself
    if (!got.body.empty() && !got.reads_slowly && !told)
      note_violation("a stream broke off without an error (%s): %.300s", name_of(served.behaviour),
                     std::string(got.body).c_str());
  } else {
    judge_error_event(way, error, body.empty(), said);
  }
  // A translation may hold back what begins with a token.
  const bool begun = way.translated() ? !body.empty() : !got.body.empty();
  if (begun && !says_something(served.answer_body) && !said) {
    note_violation("an answer was begun before its first token (%s): %.300s",
                   name_of(served.behaviour), std::string(got.body).c_str());
  }
}

// An error of the gateway's own that says what this provider's meant.
bool fits_error(const Got& got, const Served& served) {
  const dialect::ErrorTraits& traits = dialect::traits_of(served.kind());
  if (!got.whole || got.status != traits.status) return false;
  return contains(got.body, overload_message) || contains(got.body, "upstream_credentials") ||
         contains(got.body, "insufficient_quota");
}

// Is this what became of what that provider sent?
bool fits(const Asked& asked, const Got& got, const Served& served) {
  const Way way = way_of(asked, served);
  if (served.kind() != dialect::ErrorKind::none && got.status >= 400 && fits_error(got, served))
    return true;
  // Of an error of another dialect the client sees no bytes.
  if (served.status != got.status || (way.translated() && served.status != 200)) return false;
  // Of nothing nothing is begun.
  if (!got.whole && served.answer_body.empty()) return false;
  std::string_view body = got.body;
  std::string_view error;
  if (way.stream) part_at_error(way, got.body, body, error);
  std::string_view expected = served.answer_body;
  std::string_view seen = body;
  bool ended = served.finished;
  Translation translation;
  std::string timeless;
  if (way.translated()) {
    translation =
        translated_answer(way, served.deployment->upstream_model, asked.own, got.request_id,
                          served.answer_body, served.finished && got.whole);
    timeless = without_times(std::string(body));
    expected = translation.text;
    seen = timeless;
    ended = translation.ended;
  }
  if (!expected.starts_with(seen)) return false;
  // Nothing of it was let through: it is of whoever had said something.
  if (!got.whole && seen.empty() && !says_something(served.answer_body)) return false;
  if (got.whole) {
    if (!error.empty()) note_violation("a cut answer ended cleanly");
    return ended && seen.size() == expected.size();
  }
  if (way.stream) {
    judge_cut(way, got, body, error, served);
  } else if (way.translated() && !got.reads_slowly) {
    note_violation("a translated answer was begun before it was complete");
  }
  return true;
}

// What the providers got for this request: each its own, in its dialect.
void judge_bodies(const Asked& asked, const std::vector<Served>& tries, const Court& court) {
  for (const Served& served : tries) {
    const Way way = way_of(asked, served);
    std::string expected = asked.own;
    if (way.translated()) {
      expected = translated_request(court.config, way, *served.deployment, asked.own);
    } else if (asked.wire != Wire::gemini) {
      expected = "{\"model\":\"" + served.deployment->upstream_model + "\"" + asked.rest;
    }
    if (served.request_body != expected)
      note_violation("%s got other bytes than it had to: %.300s instead of %.300s",
                     served.deployment->id.c_str(), served.request_body.c_str(), expected.c_str());
    if (served.stream != asked.stream) note_violation("the provider was asked in another way");
  }
}

// Nothing excuses that the client does not get it.
bool must_arrive(const Asked& asked, const Served& served, const Court& court) {
  return !court.climate.starves && asked.timeout == nullptr && is_good(served.behaviour) &&
         served.kind() == dialect::ErrorKind::none;
}

void judge_untried(const Asked& asked, const Got& got) {
  const bool over_limit = got.status == 429 && contains(got.body, "concurrent_requests_max");
  const bool over_cost = got.status == 429 && contains(got.body, "budget_exceeded") &&
                         (asked.cost == Cost::tiny || asked.cost == Cost::modest);
  if (got.status < 500 && !over_limit && !over_cost)
    note_violation("an answer %u to a request no provider got: %.200s", got.status,
                   std::string(got.body).c_str());
}

// An error that only the gateway could say, of attempts that all failed.
bool is_own_error(const Got& got, const std::vector<Served>& tries) {
  for (const std::string_view code : {"all_upstreams_failed", "upstream_timeout", "overloaded"}) {
    if (got.status >= 500 && contains(got.body, code)) return true;
  }
  for (const Served& served : tries) {
    if (fits_error(got, served)) return true;
  }
  return false;
}

void judge_tried(const Asked& asked, const Got& got, const std::vector<Served>& tries,
                 const Told* told, const Court& court) {
  const Served& last = tries.back();
  const bool hedged = told == nullptr || told->hedged;
  if (last.behind_surplus) return;
  if (!got.whole && !hedged && must_arrive(asked, last, court))
    note_violation("a good answer (%s) was cut", name_of(last));
  for (const Served& served : tries) {
    if (fits(asked, got, served)) return;
  }
  const bool lost = !hedged && last.finished && must_arrive(asked, last, court);
  if (is_own_error(got, tries) && !lost) return;
  note_violation(
      "client %s (%s, %s) got %u, %zu bytes, %s, which no provider sent (%s, %zu bytes, "
      "%s): %.80s",
      got.by, asked.number.c_str(), name_of(way_of(asked, last)).c_str(), got.status,
      got.body.size(), got.whole ? "whole" : "cut", name_of(last), last.answer_body.size(),
      last.finished ? "finished" : "unfinished", std::string(got.body).c_str());
}

}  // namespace

Way way_of(const Asked& asked, const Served& served) {
  return {asked.wire, served.wire, asked.stream, asked.array};
}

void judge(const Asked& asked, const Got& got, const Court& court) {
  const auto found = court.book.tries.find(asked.number);
  const bool tried = found != court.book.tries.end();
  court.book.request_ids[asked.number] = got.request_id;
  if (asked.must_fail) {
    if (got.status < 400) note_violation("client %s got %u", got.by, got.status);
    if (tried) note_violation("a request that was refused reached a provider");
    return;
  }
  const auto record = court.book.told.find(got.request_id);
  const Told* told = record == court.book.told.end() ? nullptr : &record->second;
  const std::vector<Served> none;
  const std::vector<Served>& tries = tried ? found->second : none;
  if (tried) {
    judge_bodies(asked, tries, court);
    judge_tries(asked, got, tries, told, court);
    judge_tried(asked, got, tries, told, court);
  } else {
    judge_untried(asked, got);
  }
  if (got.status != 200) judge_failure(asked, got, tries, told, court);
}

}  // namespace hyperion::sim
