#include "gateway/record.h"

#include <cstring>

#include "http/head_writer.h"
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

// A line is mostly fixed text: literals with their comma and colon, whose sizes the compiler knows;
// only names from outside are escaped.
class Line {
 public:
  Line(char* out, size_t capacity) : begin_(out), at_(out), end_(out + capacity) {}

  template <size_t size>
  [[gnu::always_inline]] void literal(const char (&text)[size]) {
    if (size - 1 > room()) return overflow();
    std::memcpy(at_, text, size - 1);
    at_ += size - 1;
  }
  // Text of our own, which needs no escapes.
  void plain(std::string_view text) {
    if (text.size() > room()) return overflow();
    if (!text.empty()) std::memcpy(at_, text.data(), text.size());
    at_ += text.size();
  }
  template <size_t size>
  void number(const char (&label)[size], uint64_t value) {
    literal(label);
    if (room() < 20) return overflow();
    at_ += http::write_decimal(at_, value);
  }
  // As a quoted JSON string.
  template <size_t label_size>
  void text(const char (&label)[label_size], std::string_view value) {
    literal(label);
    size_t size = json::write_string(at_, room(), value);
    if (size == 0) return overflow();
    at_ += size;
  }
  template <size_t size>
  void span(const char (&label)[size], Instant from, Instant until) {
    if (from && until) number(label, elapsed_ns(from, until) / ns_per_us);
  }
  template <size_t size>
  void tokens(const char (&label)[size], int64_t count) {
    if (count >= 0) number(label, static_cast<uint64_t>(count));
  }
  size_t size() const { return overflow_ ? 0 : static_cast<size_t>(at_ - begin_); }

 private:
  size_t room() const { return static_cast<size_t>(end_ - at_); }
  void overflow() {
    overflow_ = true;
    end_ = at_;
  }

  char* begin_;
  char* at_;
  char* end_;
  bool overflow_ = false;
};

// RFC 3339 in UTC with microseconds: "2026-11-25T08:00:00.000000Z".
void write_time(Line& line, uint64_t wall_ns) {
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
  line.plain({text, sizeof(text)});
}

}  // namespace

uint64_t Record::overhead_ns(Instant until) const {
  uint64_t whole = elapsed_ns(begin, until);
  // Without a byte of an answer the whole time since the request was sent is the provider's.
  uint64_t waited = sent ? elapsed_ns(sent, upstream_last ? upstream_last : until) : 0;
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
  Line line(out, capacity);
  char end_code[3];
  write_end_code(record.side, record.phase, end_code);
  line.literal("{\"time\":\"");
  write_time(line, wall_ns);
  line.literal("\",\"id\":\"");
  line.plain({record.request_id, request_id_size});
  line.literal("\",\"end\":\"");
  line.plain({end_code, 2});
  line.literal("\",\"outcome\":\"");
  line.plain(name_of(record.outcome));
  line.literal("\"");
  if (record.error != ErrorCode::none) line.text(",\"error\":", hyperion::name_of(record.error));
  if (record.error_kind != dialect::ErrorKind::none)
    line.text(",\"error_kind\":", dialect::name_of(record.error_kind));
  line.number(",\"status\":", record.status);
  line.literal(",\"method\":\"");
  line.plain(record.method);
  line.literal("\",\"route\":\"");
  line.plain(record.route);
  line.literal("\"");
  if (!record.key_id.empty()) line.text(",\"key\":", record.key_id);
  if (!record.requested_model.empty()) {
    line.text(",\"requested_model\":", record.requested_model.substr(0, name_logged_max_bytes));
  }
  if (!record.model.empty())
    line.text(",\"model\":", record.model.substr(0, name_logged_max_bytes));
  if (!record.provider.empty()) line.text(",\"provider\":", record.provider);
  line.plain(record.stream ? ",\"stream\":true" : ",\"stream\":false");
  if (record.translated) line.literal(",\"translated\":true");
  line.number(",\"attempts\":", record.attempts);
  line.number(",\"request_bytes\":", record.request_bytes);
  line.number(",\"response_bytes\":", record.response_bytes);
  line.tokens(",\"prompt_tokens\":", record.usage.prompt_tokens);
  line.tokens(",\"completion_tokens\":", record.usage.completion_tokens);
  line.tokens(",\"cached_tokens\":", record.usage.cached_tokens);
  line.tokens(",\"cache_write_tokens\":", record.usage.cache_write_tokens);
  line.tokens(",\"reasoning_tokens\":", record.usage.reasoning_tokens);
  if (record.fallback_index != 0) {
    line.number(",\"fallback_index\":", record.fallback_index);
    line.text(",\"fallback_reason\":", record.fallback_reason);
  }
  if (!record.tried.empty()) line.text(",\"tried\":", record.tried);
  if (!record.skipped.empty()) line.text(",\"skipped\":", record.skipped);
  if (!record.gave_up.empty()) line.text(",\"gave_up\":", record.gave_up);
  if (record.possibly_billed != 0) line.number(",\"possibly_billed\":", record.possibly_billed);
  if (record.hedged) line.literal(",\"hedged\":true");
  if (!record.feedback_id.empty()) {
    line.text(",\"feedback\":{\"request_id\":", record.feedback_id);
    line.number(",\"score_permille\":", static_cast<uint64_t>(record.feedback_score));
    line.literal("}");
  }
  if (!record.decision.empty()) {
    line.literal(",\"decision\":");
    line.plain(record.decision);
  }
  line.span(",\"head_us\":", record.begin, record.head_done);
  line.span(",\"body_us\":", record.head_done, record.body_done);
  line.span(",\"connect_us\":", record.body_done, record.connected);
  line.span(",\"upstream_head_us\":", record.sent, record.upstream_head);
  line.span(",\"first_token_us\":", record.begin, record.first_token);
  line.span(",\"total_us\":", record.begin, record.end);
  line.number(",\"overhead_us\":", record.overhead_ns(record.end) / ns_per_us);
  line.literal("}");
  return line.size();
}

}  // namespace hyperion::gateway
