#include "routing/token_estimate.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "routing/token_counts.h"
#include "support/shared_data.h"

namespace hyperion::routing {
namespace {

TEST_CASE("both spellings of a text have as many tokens") {
  CHECK(estimate_text_tokens("a/b \"c\" \n") == estimate_text_tokens(R"(a\/b \u0022c\" \n)"));
  CHECK(estimate_text_tokens("") == 0);
  CHECK(estimate_text_tokens("The quick brown fox jumps over the lazy dog.") >= 8);
  CHECK(estimate_text_tokens("The quick brown fox jumps over the lazy dog.") <= 12);
}

TEST_CASE("long texts are estimated from three places as the whole would be") {
  std::string text;
  while (text.size() < 6000) text += "Nothing in this sentence is worth more than a few tokens. ";
  const uint32_t once = estimate_text_tokens(text);
  std::string long_text;
  for (int i = 0; i < 100; ++i) long_text += text;
  const uint32_t many = estimate_text_tokens(long_text);
  CHECK(many > once * 98);
  CHECK(many < once * 102);
}

TEST_CASE("any bytes have an estimate, and it is never above the bound") {
  for (char c : {'a', ' ', '{', '9', '\\', '\xe4', '\x80', '\xff'}) {
    const std::string text(1'000'000, c);
    Conversation conversation;
    conversation.last.texts[0] = text;
    conversation.last.text_count = 1;
    conversation.last.shape.user_bytes = text.size();
    const TokenEstimate estimate = estimate_tokens(conversation);
    CHECK(estimate.expected <= estimate.most);
    CHECK(estimate.most >= text.size());
  }
}

TEST_CASE("signs are counted alike on every processor") {
  std::mt19937 random(3);
  for (size_t size = 0; size < 300; ++size) {
    std::string text;
    for (size_t i = 0; i < size; ++i) text += static_cast<char>(random());
    text.append(token_padding, ' ');
    const std::string_view counted = std::string_view(text).substr(0, size);
    CHECK(count_token_signs(counted) == count_token_signs_plainly(counted));
  }
}

TEST_CASE("whatever stands around the last turn counts") {
  Conversation conversation;
  conversation.last.texts[0] = "hello";
  conversation.last.text_count = 1;
  conversation.last.shape.user_bytes = 5;
  const uint32_t alone = estimate_tokens(conversation).expected;
  conversation.last.shape.system_bytes = 4200;
  const uint32_t with_system = estimate_tokens(conversation).expected;
  CHECK(with_system == alone + 1000);
  conversation.wants.tools = 1;
  conversation.wants.tools_bytes = 450;
  CHECK(estimate_tokens(conversation).expected == with_system + 108);
}

// The line of counts.jsonl: {"id": ..., "text": ..., "o200k": n, ...}, ASCII with escapes.
std::string_view member(std::string_view line, std::string_view before, char end) {
  const size_t at = line.find(before);
  if (at == std::string_view::npos) return {};
  const size_t begin = at + before.size();
  size_t stop = begin;
  while (stop < line.size() && line[stop] != end) stop += line[stop] == '\\' ? 2 : 1;
  return line.substr(begin, stop - begin);
}

TEST_CASE("estimates are near what OpenAI's tokenizer makes of the suite") {
  const auto folder = test::shared_data("suites/tokens-o200k");
  if (!folder) return;
  // Kind of text, and the least and the largest ratio of estimate to truth.
  const struct {
    const char* prefix;
    double least;
    double most;
  } bounds[] = {
      {"l_de", 0.75, 1.2}, {"l_fr", 0.85, 1.3}, {"l_es", 0.85, 1.3},  {"l_tr", 0.8, 1.2},
      {"l_vi", 0.8, 1.2},  {"l_el", 0.8, 1.2},  {"l_ru", 0.8, 1.25},  {"l_ar", 0.9, 1.4},
      {"l_he", 0.75, 1.1}, {"l_hi", 0.9, 1.45}, {"l_th", 0.75, 1.1},  {"l_ko", 0.85, 1.15},
      {"l_ja", 0.8, 1.2},  {"l_zh", 0.8, 1.2},  {"x_base64", 0.8, 1}, {"x_hex", 1, 1.4},
  };
  std::ifstream file(*folder / "counts.jsonl");
  size_t checked = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string_view id = member(line, "\"id\": \"", '"');
    const auto bound = std::find_if(std::begin(bounds), std::end(bounds),
                                    [&](const auto& row) { return id.starts_with(row.prefix); });
    if (bound == std::end(bounds)) continue;
    const double truth = std::stod(std::string(member(line, "\"o200k\": ", ',')));
    if (truth < 20) continue;
    const double ratio = estimate_text_tokens(member(line, "\"text\": \"", '"')) / truth;
    INFO(id, " ", ratio);
    CHECK(ratio >= bound->least);
    CHECK(ratio <= bound->most);
    ++checked;
  }
  CHECK(checked > 100);
}

}  // namespace
}  // namespace hyperion::routing
