#include "gateway/record.h"

#include <algorithm>

#include "json/writer.h"

namespace hyperion::gateway {
namespace {

// A model name as the client sent it may be as long as the body; the log keeps its beginning.
constexpr size_t name_logged_max_bytes = 128;

const char* name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered: return "answered";
    case Outcome::refused: return "refused";
    case Outcome::failed: return "failed";
    case Outcome::abandoned: return "abandoned";
  }
  return "failed";
}

void span(json::Writer& writer, std::string_view name, Instant from, Instant until) {
  if (!from || !until) return;
  writer.key(name);
  writer.value(elapsed_ns(from, until) / ns_per_us);
}

void tokens(json::Writer& writer, std::string_view name, int64_t count) {
  if (count >= 0) writer.member(name, count);
}

// RFC 3339 in UTC with microseconds: "2026-11-25T08:00:00.000000Z".
void write_time(json::Writer& writer, uint64_t wall_ns) {
  uint64_t seconds = wall_ns / ns_per_s;
  uint64_t days = seconds / 86'400;
  // Civil date from days (Howard Hinnant's algorithm, public domain).
  uint64_t z = days + 719'468;
  uint64_t era = z / 146'097;
  uint64_t doe = z % 146'097;
  uint64_t yoe = (doe - doe / 1460 + doe / 36'524 - doe / 146'096) / 365;
  uint64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  uint64_t mp = (5 * doy + 2) / 153;
  uint64_t day = doy - (153 * mp + 2) / 5 + 1;
  uint64_t month = mp < 10 ? mp + 3 : mp - 9;
  uint64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  char text[27];
  auto digits = [&](size_t at, size_t count, uint64_t value) {
    for (size_t i = count; i-- > 0; value /= 10) text[at + i] = static_cast<char>('0' + value % 10);
  };
  digits(0, 4, year);
  digits(5, 2, month);
  digits(8, 2, day);
  digits(11, 2, seconds % 86'400 / 3600);
  digits(14, 2, seconds % 3600 / 60);
  digits(17, 2, seconds % 60);
  digits(20, 6, wall_ns % ns_per_s / ns_per_us);
  text[4] = text[7] = '-';
  text[10] = 'T';
  text[13] = text[16] = ':';
  text[19] = '.';
  text[26] = 'Z';
  writer.member("time", std::string_view(text, sizeof(text)));
}

}  // namespace

uint64_t Record::overhead_ns(Instant until) const {
  uint64_t whole = elapsed_ns(begin, until);
  uint64_t waited = sent && upstream_last ? elapsed_ns(sent, upstream_last) : 0;
  return whole > waited ? whole - waited : 0;
}

void write_end_code(Side side, Phase phase, char out[3]) {
  constexpr char sides[] = {'-', 'C', 'U', 'G'};
  constexpr char phases[] = {'-', 'H', 'B', 'D', 'C', 'S', 'A', 'T', 'R', '-'};
  out[0] = sides[static_cast<size_t>(side)];
  out[1] = phases[static_cast<size_t>(phase)];
  out[2] = '\0';
}

size_t write_line(const Record& record, uint64_t wall_ns, char* out, size_t capacity) {
  json::Writer writer(out, capacity);
  char end_code[3];
  write_end_code(record.side, record.phase, end_code);
  writer.begin_object();
  write_time(writer, wall_ns);
  writer.member("id", std::string_view(record.request_id, request_id_size));
  writer.member("end", static_cast<const char*>(end_code));
  writer.member("outcome", name_of(record.outcome));
  if (record.error != ErrorCode::none) writer.member("error", hyperion::name_of(record.error));
  writer.member("status", static_cast<unsigned>(record.status));
  writer.member("method", record.method);
  writer.member("route", record.route);
  if (!record.key_id.empty()) writer.member("key", record.key_id);
  if (!record.requested_model.empty()) {
    writer.member("requested_model", record.requested_model.substr(0, name_logged_max_bytes));
  }
  if (!record.model.empty()) writer.member("model", record.model.substr(0, name_logged_max_bytes));
  if (!record.provider.empty()) writer.member("provider", record.provider);
  writer.member("stream", record.stream);
  writer.member("attempts", record.attempts);
  writer.member("request_bytes", record.request_bytes);
  writer.member("response_bytes", record.response_bytes);
  tokens(writer, "prompt_tokens", record.usage.prompt_tokens);
  tokens(writer, "completion_tokens", record.usage.completion_tokens);
  tokens(writer, "cached_tokens", record.usage.cached_tokens);
  tokens(writer, "reasoning_tokens", record.usage.reasoning_tokens);
  span(writer, "head_us", record.begin, record.head_done);
  span(writer, "body_us", record.head_done, record.body_done);
  span(writer, "connect_us", record.body_done, record.connected);
  span(writer, "upstream_head_us", record.sent, record.upstream_head);
  span(writer, "first_token_us", record.begin, record.first_token);
  span(writer, "total_us", record.begin, record.end);
  writer.member("overhead_us", record.overhead_ns(record.end) / ns_per_us);
  writer.end_object();
  return writer.complete() ? writer.text().size() : 0;
}

}  // namespace hyperion::gateway
