#include "routing/features.h"

#include <algorithm>
#include <bit>

#include "routing/byte_counts.h"
#include "routing/text_reading.h"

namespace hyperion::routing {
namespace {

constexpr float exact_log(uint64_t count) {
  const uint64_t value = std::min<uint64_t>(count, uint64_t{1} << 40) + 1;
  const int power = std::bit_width(value) - 1;
  const uint64_t base = uint64_t{1} << power;
  return static_cast<float>(power) + static_cast<float>(value - base) / static_cast<float>(base);
}

consteval auto make_small_logs() {
  std::array<float, 256> logs{};
  for (size_t i = 0; i < logs.size(); ++i) logs[i] = exact_log(i);
  return logs;
}
constexpr auto small_logs = make_small_logs();

float share(uint32_t part, uint32_t whole) {
  return whole == 0 ? 0.0f : static_cast<float>(part) / static_cast<float>(whole);
}

constexpr std::string_view trait_names[] = {
    "words",       "length",       "lines",          "line_length",   "sentences",
    "word_length", "long_words",   "distinct_words", "known_words",   "questions",
    "ends_asking", "bullets",      "numbered",       "options",       "headings",
    "fences",      "braces",       "brackets",       "parentheses",   "semicolons",
    "equals",      "code_lines",   "identifiers",    "digits",        "numbers",
    "operators",   "latex",        "percent_money",  "quotes",        "colons",
    "commas",      "not_ascii",    "other_script",   "asking",        "building",
    "explaining",  "calculating",  "proving",        "programming",   "conditions",
    "constraints", "transforming", "writing",        "greeting",      "steps",
    "negations",   "quantities",   "turns",          "system_length", "other_length",
    "tools",       "tool_results", "images",         "schema",
};
static_assert(std::size(trait_names) == trait_count);

void write_structure(const Prompt& prompt, const Wants& wants, const TextCounts& counts,
                     double scale, Features& features) {
  const auto logs = [&](Trait trait, uint64_t count) { features[trait] = scaled_log(count); };
  const auto whole = [&](uint32_t count) { return static_cast<uint64_t>(count * scale); };
  logs(Trait::words, whole(counts.words));
  logs(Trait::length, whole(counts.signs));
  logs(Trait::lines, whole(counts.lines));
  logs(Trait::line_length, counts.lines == 0 ? 0 : counts.signs / counts.lines);
  logs(Trait::sentences, whole(counts.sentences));
  features[Trait::word_length] = share(counts.letters, counts.words);
  features[Trait::long_words] = share(counts.long_words, counts.words);
  features[Trait::distinct_words] = share(counts.distinct, counts.words);
  features[Trait::known_words] = share(counts.known, counts.words);
  features[Trait::ends_asking] = counts.last_sign == '?' ? 1.0f : 0.0f;
  features[Trait::digits] = share(counts.digits, counts.signs);
  features[Trait::not_ascii] = share(counts.high_letters, counts.letters + counts.high_letters);
  features[Trait::other_script] = share(counts.other_script, counts.letters + counts.high_letters);
  const struct {
    Trait trait;
    uint32_t count;
  } rows[] = {
      {Trait::questions, counts.questions},
      {Trait::bullets, counts.bullets},
      {Trait::numbered, counts.numbered},
      {Trait::options, counts.options},
      {Trait::headings, counts.headings},
      {Trait::fences, counts.fences},
      {Trait::braces, counts.braces},
      {Trait::brackets, counts.brackets},
      {Trait::parentheses, counts.parentheses},
      {Trait::semicolons, counts.semicolons},
      {Trait::equals, counts.equals},
      {Trait::code_lines, counts.code_lines},
      {Trait::identifiers, counts.identifiers},
      {Trait::numbers, counts.numbers},
      {Trait::operators, counts.operators},
      {Trait::latex, counts.latex},
      {Trait::percent_money, counts.percent_money},
      {Trait::quotes, counts.quotes},
      {Trait::colons, counts.colons},
      {Trait::commas, counts.commas},
  };
  for (const auto& [trait, count] : rows) logs(trait, count);
  for (size_t i = 1; i < counts.groups.size(); ++i)
    features.structure[static_cast<size_t>(Trait::asking) + i - 1] = scaled_log(counts.groups[i]);
  const Shape& shape = prompt.shape;
  logs(Trait::turns, shape.turns);
  logs(Trait::system_length, shape.system_bytes);
  logs(Trait::other_length, shape.other_bytes);
  logs(Trait::tools, wants.tools);
  logs(Trait::tool_results, shape.tool_results);
  logs(Trait::images, shape.images);
  features[Trait::schema] = wants.json_schema || wants.json_object ? 1.0f : 0.0f;
}

}  // namespace

float scaled_log(uint64_t count) {
  return count < small_logs.size() ? small_logs[count] : exact_log(count);
}

std::string_view name_of(Trait trait) {
  return trait < Trait::count ? trait_names[static_cast<size_t>(trait)] : std::string_view();
}

void extract_features(const Prompt& prompt, const Wants& wants, std::string_view known,
                      Features& features) {
  extract_features(prompt, Window(prompt.text()), wants, known, features);
}

void extract_features(const Prompt& prompt, const Window& window, const Wants& wants,
                      std::string_view known, Features& features) {
  features.structure.fill(0);
  features.bucket_count = 0;
  features.word_count = 0;
  const TextCounts counts = read_text(window, known, features);
  // The part between is taken to be as dense as what was read.
  double scale = 1;
  const double size = static_cast<double>(window.text().size());
  if (window.left_out() && size > 0)
    scale = std::max(1.0, static_cast<double>(prompt.shape.user_bytes) / size);
  write_structure(prompt, wants, counts, scale, features);
  if (!window.left_out()) return;
  const ByteCounts middle = count_bytes(prompt.text());
  features[Trait::braces] = scaled_log(std::max<uint64_t>(counts.braces, middle.braces));
  features[Trait::fences] = scaled_log(std::max<uint64_t>(counts.fences, middle.backticks / 3));
  features[Trait::lines] =
      scaled_log(std::max<uint64_t>(counts.lines, middle.newlines + (counts.lines > 0)));
  features[Trait::semicolons] =
      scaled_log(std::max<uint64_t>(counts.semicolons, middle.semicolons));
}

}  // namespace hyperion::routing
