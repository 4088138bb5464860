#include "dialect/notes.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion::dialect;

namespace {

TranslationSettings settings_of(Unsupported unsupported) {
  TranslationSettings settings;
  settings.unsupported = unsupported;
  return settings;
}

}  // namespace

TEST_CASE("every feature has its row, and a row its words") {
  for (size_t i = 0; i < static_cast<size_t>(Feature::count); ++i) {
    const FeatureRow& row = row_of(static_cast<Feature>(i));
    CAPTURE(i);
    CHECK(static_cast<size_t>(row.feature) == i);
    CHECK(std::string_view(row.reason).size() > 5);
    if (row.feature != Feature::unknown_field) CHECK(std::string_view(row.param).size() > 0);
  }
}

TEST_CASE("each treatment does what it says, row by row, under strict and under drop") {
  for (Unsupported mode : {Unsupported::strict, Unsupported::drop}) {
    const TranslationSettings settings = settings_of(mode);
    for (size_t i = 0; i < static_cast<size_t>(Feature::count); ++i) {
      const FeatureRow& row = row_of(static_cast<Feature>(i));
      if (row.feature == Feature::unknown_field) continue;
      CAPTURE(row.param);
      Notes notes(settings, "anthropic");
      const bool goes_on = notes.cannot(row.feature);
      const bool lenient = mode == Unsupported::drop;
      switch (row.treatment) {
        case Treatment::refuse:
          CHECK(goes_on == lenient);
          CHECK((notes.dropped() == row.param) == lenient);
          break;
        case Treatment::refuse_always: CHECK(!goes_on); break;
        case Treatment::drop:
          CHECK(goes_on);
          CHECK(notes.dropped() == row.param);
          break;
        case Treatment::adjust:
          CHECK(goes_on);
          CHECK(notes.adjusted() == row.param);
          break;
      }
      if (goes_on) {
        CHECK(!notes.problem);
        continue;
      }
      CHECK(notes.problem.status == 400);
      CHECK(std::string_view(notes.problem.code) == "unsupported_parameter");
      CHECK(std::string_view(notes.problem.param) == row.param);
      CHECK(std::string_view(notes.problem.message).find("anthropic") != std::string_view::npos);
    }
  }
}

TEST_CASE("a name is listed once, however often it is dropped") {
  const TranslationSettings settings;
  Notes notes(settings);
  notes.drop("seed");
  notes.drop("see");
  notes.drop("seed");
  notes.drop("user");
  notes.drop("see");
  CHECK(notes.dropped() == "seed, see, user");
}

TEST_CASE("a client's own names cannot break a header or grow without bound") {
  const TranslationSettings settings;
  Notes notes(settings);
  notes.drop("a\r\nset-cookie: x");
  CHECK(notes.dropped() == "a??set-cookie:?x");
  for (int i = 0; i < 1000; ++i) notes.drop("field_" + std::to_string(i));
  CHECK(notes.dropped().size() <= 400);
  CHECK(notes.dropped().ends_with(", ..."));
}

TEST_CASE("a refusal names the field in the words of the client's dialect") {
  struct Row {
    Wire client;
    const char* encoders;
    const char* clients;
  };
  const Row rows[] = {
      {Wire::openai_chat, "messages[3].content[1]", "messages[3].content[1]"},
      {Wire::anthropic, "messages[3].content[1]", "messages[3].content[1]"},
      {Wire::gemini, "messages[3].content[1]", "contents[3].parts[1]"},
      {Wire::gemini, "messages[12].content", "contents[12].parts"},
      {Wire::gemini, "messages[12]", "contents[12]"},
      {Wire::openai_responses, "messages[3].content[1]", "input[3].content[1]"},
      {Wire::openai_chat, "stop", "stop"},
      {Wire::anthropic, "stop", "stop_sequences"},
      {Wire::gemini, "stop", "generationConfig.stopSequences"},
      {Wire::gemini, "n", "generationConfig.candidateCount"},
      {Wire::openai_responses, "response_format", "text.format"},
      {Wire::gemini, "tools", "tools"},
  };
  const TranslationSettings settings;
  for (const Row& row : rows) {
    CAPTURE(row.encoders);
    Notes notes(settings, "groq");
    CHECK_FALSE(notes.cannot(Feature::file_id, row.encoders));
    name_for_client(notes.problem, row.client);
    CHECK(std::string(notes.problem.param) == row.clients);
    CHECK(std::string(notes.problem.message).starts_with("`" + std::string(row.clients) + "` is"));
  }
  RequestProblem none;
  name_for_client(none, Wire::gemini);
  CHECK_FALSE(none);
}

TEST_CASE("the name of a part fits whatever its numbers") {
  char name[part_name_max_bytes];
  CHECK(name_of_part(name, 4294967295U, 4294967295) == "messages[4294967295].content[4294967295]");
  CHECK(name_of_part(name, 2, -1) == "messages[2].content");
}
