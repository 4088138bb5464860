// Recorded traffic of Gemini and Vertex AI against an oracle that parses it whole.

#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/gemini.h"
#include "dialect/harness.h"
#include "json/array_splitter.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;

namespace {

struct Recording {
  std::string name;
  std::vector<std::string> chunks;  // of a stream; of a plain answer one
  std::string body;                 // as it was sent
  enum class Form { plain, sse, array } form = Form::plain;
  std::string request;
};

std::vector<Recording> recordings() {
  std::vector<Recording> all;
  const auto directory = test::shared_data("recorded");
  if (!directory) return all;
  for (const char* folder : {"gemini/generateContent", "vertex/generateContent"}) {
    for (const auto& file : std::filesystem::directory_iterator(*directory / folder)) {
      const std::string text = test::read_file(file.path());
      Recording recording;
      recording.name = file.path().filename();
      if (file.path().extension() == ".txt") {
        for (size_t at = 0; at < text.size();) {
          const size_t end = std::min(text.find('\n', at), text.size());
          if (end > at) recording.chunks.push_back(text.substr(at, end - at));
          at = end + 1;
        }
        for (const std::string& chunk : recording.chunks) {
          recording.body += "data: " + chunk + "\r\n\r\n";
        }
        recording.form = Recording::Form::sse;
        all.push_back(recording);
        continue;
      }
      const test::Json json = test::json_of(text);
      if (json.find("candidates") != nullptr) {
        recording.chunks = {text};
        recording.body = text;
        all.push_back(recording);
      }
      for (const test::Json& exchange : json["exchanges"].elements) {
        if (exchange["response"]["status"].text != "200") continue;
        Recording one;
        one.name = recording.name;
        one.request = exchange["request"]["body"].text;
        one.body = exchange["response"]["body"].text;
        if (one.body.starts_with("data:")) {
          one.form = Recording::Form::sse;
          one.chunks = test::data_of(one.body);
        } else if (one.body.starts_with("[")) {
          one.form = Recording::Form::array;
          json::ArraySplitter splitter;
          for (std::string_view rest = one.body; !rest.empty();) {
            const size_t length = splitter.find_piece_end(rest);
            REQUIRE(length > 0);
            if (splitter.element_begin() < length) {
              one.chunks.emplace_back(
                  rest.substr(splitter.element_begin(), length - splitter.element_begin()));
            }
            rest.remove_prefix(length);
          }
        } else {
          one.chunks = {one.body};
        }
        all.push_back(one);
      }
    }
  }
  CHECK(all.size() >= 30);
  return all;
}

// What an answer says, by the trees of its chunks.
struct Told {
  std::string text, thinking, id, model;
  std::vector<std::pair<std::string, test::Json>> calls;
  std::string reason;
  int64_t prompt = -1, completion = -1, reasoning = -1;
};

Told told_by(const std::vector<std::string>& chunks) {
  Told told;
  for (const std::string& text : chunks) {
    const test::Json chunk = test::json_of(text);
    if (told.id.empty()) told.id = chunk["responseId"].text;
    if (told.model.empty()) told.model = chunk["modelVersion"].text;
    for (const test::Json& candidate : chunk["candidates"].elements) {
      if (candidate.find("finishReason") != nullptr) told.reason = candidate["finishReason"].text;
      for (const test::Json& part : candidate["content"]["parts"].elements) {
        if (part.find("functionCall") != nullptr) {
          told.calls.emplace_back(part["functionCall"]["name"].text, part["functionCall"]["args"]);
        }
        (part["thought"].boolean ? told.thinking : told.text) += part["text"].text;
      }
    }
    const test::Json& usage = chunk["usageMetadata"];
    if (usage.find("promptTokenCount") != nullptr) {
      told.prompt = usage["promptTokenCount"].integer();
      told.reasoning = usage["thoughtsTokenCount"].integer();
      told.completion = usage["candidatesTokenCount"].integer() + told.reasoning;
    }
  }
  return told;
}

void compare(const Answer& answer, const Told& told) {
  CHECK(answer.ended);
  CHECK(answer.id == told.id);
  CHECK(answer.model == told.model);
  CHECK(answer.choice().text == told.text);
  CHECK(answer.choice().thinking == told.thinking);
  REQUIRE(answer.choice().calls.size() == told.calls.size());
  for (size_t i = 0; i < told.calls.size(); ++i) {
    CHECK(answer.choice().calls[i].name == told.calls[i].first);
    CHECK(test::read_json(answer.choice().calls[i].arguments) == told.calls[i].second);
  }
  CHECK(told.reason == "STOP");
  CHECK(answer.choice().finish == (told.calls.empty() ? Finish::stop : Finish::tool_calls));
  CHECK(answer.usage.prompt_tokens == told.prompt);
  CHECK(answer.usage.completion_tokens == told.completion);
  CHECK(answer.usage.reasoning_tokens == told.reasoning);
}

std::string sse_of(const std::vector<std::string>& chunks, size_t count) {
  std::string all;
  for (size_t i = 0; i < count; ++i) {
    // A pretty-printed element takes several lines.
    std::string line = chunks[i];
    std::erase(line, '\n');
    all += "data: " + line + "\r\n\r\n";
  }
  return all;
}

// Each member of what was sent is there again; of those that are new only an id.
void compare_parts(const test::Json& sent, const test::Json& again) {
  CHECK(sent.members.size() == again.members.size());
  for (const auto& [name, value] : sent.members) {
    const test::Json& now = again[name];
    if (!value.is(test::Json::Kind::object)) {
      CHECK(now == value);
      continue;
    }
    for (const auto& [inner, inside] : value.members) CHECK(now[inner] == inside);
    for (const auto& [inner, inside] : now.members) {
      CHECK((inner == "id" || value.find(inner) != nullptr));
    }
  }
}

// Takes events without judging their order: for answers that were damaged.
struct Ignore final : EventReceiver {
  int ends = 0, errors = 0;
  void on_event(const Event& event) override {
    ends += event.kind == EventKind::end ? 1 : 0;
    errors += event.kind == EventKind::error ? 1 : 0;
  }
};

}  // namespace

TEST_CASE("gemini recorded: streams say the same at every cut of their bytes") {
  for (const Recording& recording : recordings()) {
    CAPTURE(recording.name);
    const Told told = told_by(recording.chunks);
    if (recording.form != Recording::Form::sse) {
      compare(test::read_plain(gemini::language(), recording.body), told);
      if (recording.form == Recording::Form::plain) continue;
    }
    const std::string bytes = recording.form == Recording::Form::sse
                                  ? recording.body
                                  : sse_of(recording.chunks, recording.chunks.size());
    for (size_t step : {0u, 1u, 2u, 3u, 5u, 17u, 64u, 311u}) {
      compare(test::read_stream(gemini::language(), bytes, step), told);
    }
  }
}

TEST_CASE("gemini recorded: a stream that breaks off never ends well") {
  for (const Recording& recording : recordings()) {
    if (recording.form == Recording::Form::plain) continue;
    CAPTURE(recording.name);
    const size_t whole = recording.chunks.size();
    bool finished = false;
    for (size_t count = 0; count < whole; ++count) {
      const Answer answer = test::read_stream(gemini::language(), sse_of(recording.chunks, count));
      CHECK(answer.ended == finished);
      finished |= recording.chunks[count].find("\"finishReason\"") != std::string::npos;
    }
    CHECK(finished);
    // Within an event: what was not ended is not read.
    const std::string bytes = sse_of(recording.chunks, whole);
    const size_t last = sse_of(recording.chunks, whole - 1).size();
    for (size_t size = last; size + 4 < bytes.size(); size += 13) {
      CHECK(test::read_stream(gemini::language(), bytes.substr(0, size)).failed);
    }
    if (recording.form == Recording::Form::array) {
      CHECK(
          test::read_plain(gemini::language(), recording.body.substr(0, recording.body.size() - 1))
              .failed);
    }
  }
}

TEST_CASE("gemini recorded: damaged answers are survived, with one end or one error") {
  std::mt19937 random(3);
  const std::vector<Recording> all = recordings();
  if (all.empty()) return;
  for (int round = 0; round < 4000; ++round) {
    const Recording& recording = all[random() % all.size()];
    std::string body = recording.body;
    for (uint32_t flips = 1 + random() % 8; flips > 0; --flips) {
      const size_t at = random() % body.size();
      switch (random() % 3) {
        case 0: body[at] = static_cast<char>(random()); break;
        case 1: body.erase(at, 1 + random() % 20); break;
        default: body.insert(at, std::string(1, "\"\\{}[],:\n"[random() % 9]));
      }
      if (body.empty()) body = "x";
    }
    Ignore seen;
    if (recording.form == Recording::Form::sse) {
      test::read_stream_into(gemini::language(), body, random() % 2 == 0 ? 0 : 50, seen);
    } else {
      test::read_plain_into(gemini::language(), body, seen);
    }
    CHECK(seen.ends + seen.errors == 1);
    Usage usage;
    gemini::observe_answer(body, usage);
    gemini::observe_event(http::parse_event(body), round % 2 == 0, usage);
  }
}

TEST_CASE("gemini recorded: answers written for Google's clients say the same again") {
  for (const Recording& recording : recordings()) {
    CAPTURE(recording.name);
    const Told told = told_by(recording.chunks);
    for (int form = 0; form < 3; ++form) {
      AnswerContext context = test::context_of(form > 0);
      context.json_array = form == 2;
      test::Encoder encoder(gemini::language(), context);
      if (recording.form == Recording::Form::sse) {
        test::read_stream_into(gemini::language(), recording.body, 0, encoder.receiver());
      } else {
        test::read_plain_into(gemini::language(), recording.body, encoder.receiver());
      }
      compare(form == 1 ? test::read_stream(gemini::language(), encoder.text())
                        : test::read_plain(gemini::language(), encoder.text()),
              told);
    }
  }
}

TEST_CASE("gemini recorded: passing streams are observed to their end") {
  for (const Recording& recording : recordings()) {
    CAPTURE(recording.name);
    const Told told = told_by(recording.chunks);
    Usage usage;
    bool committed = false, finished = false;
    for (const std::string& chunk : recording.chunks) {
      http::SseEvent event;
      event.raw = event.data = chunk;
      event.has_data = true;
      const Observation seen = gemini::observe_event(event, committed, usage);
      CHECK(!seen.malformed);
      CHECK(!seen.error);
      committed |= seen.semantic;
      finished |= seen.finished;
    }
    CHECK(committed);
    CHECK(finished);
    CHECK(usage.prompt_tokens == told.prompt);
    CHECK(usage.completion_tokens == told.completion);
    Usage whole;
    if (recording.form != Recording::Form::sse) {
      gemini::observe_answer(recording.body, whole);
      CHECK(whole.completion_tokens == told.completion);
    }
  }
}

TEST_CASE("gemini recorded: requests of real clients are read, and say the same to Gemini") {
  size_t requests = 0, results = 0;
  const catalog::Model model;  // thinks neither by level nor by budget
  for (const Recording& recording : recordings()) {
    if (recording.request.empty()) continue;
    CAPTURE(recording.name);
    ++requests;
    const test::Decoding decoded(gemini::language(), recording.request);
    REQUIRE_MESSAGE(decoded.accepted, decoded.message());
    CHECK(decoded.request.unknown.empty());
    const test::Json sent = test::json_of(recording.request);
    const test::Json again =
        test::encode(gemini::language(), decoded.request, catalog::Provider(), &model).json();
    const auto& before = sent["contents"].elements;
    const auto& after = again["contents"].elements;
    REQUIRE(before.size() == after.size());
    for (size_t i = 0; i < before.size(); ++i) {
      CHECK(before[i]["role"].text == after[i]["role"].text);
      std::vector<test::Json> parts;
      for (test::Json part : before[i]["parts"].elements) {
        if (part.find("text") != nullptr && part["text"].text.empty()) continue;
        for (test::JsonMember& member : part.members) {
          if (member.key == "function_call") member.key = "functionCall";
          if (member.key == "function_response") member.key = "functionResponse";
          results += member.key == "functionResponse" ? 1 : 0;
        }
        parts.push_back(part);
      }
      REQUIRE(parts.size() == after[i]["parts"].elements.size());
      for (size_t p = 0; p < parts.size(); ++p) {
        compare_parts(parts[p], after[i]["parts"].elements[p]);
      }
    }
    CHECK(sent["safetySettings"] == again["safetySettings"]);
    CHECK(sent["tools"].elements.size() == again["tools"].elements.size());
  }
  if (requests > 0) CHECK(requests >= 25);
  if (requests > 0) CHECK(results >= 10);
}

TEST_CASE("gemini recorded: damaged requests are refused or read, and what is written is JSON") {
  std::mt19937 random(9);
  std::vector<std::string> requests;
  for (const Recording& recording : recordings()) {
    if (!recording.request.empty()) requests.push_back(recording.request);
  }
  if (requests.empty()) return;
  const catalog::Model model;
  const std::string_view values[] = {"null", "{}", "[]", "\"x\"", "-1.5", "true", "[{}]", "\"\""};
  size_t read = 0, refused = 0;
  for (int round = 0; round < 6000; ++round) {
    std::string body = requests[random() % requests.size()];
    for (uint32_t i = random() % 3; i < 3; ++i) {
      // A value in the place of another, or letters of a key.
      const size_t colon = body.find(':', random() % body.size());
      if (colon == std::string::npos) continue;
      const size_t end = body.find_first_of(",}]", colon);
      if (end == std::string::npos) continue;
      if (random() % 2 == 0) {
        body.replace(colon + 1, end - colon - 1, values[random() % 8]);
      } else if (colon > 3) {
        body[colon - 2] = "abenst"[random() % 6];
      }
    }
    if (!test::read_json(body)) continue;
    const test::Decoding decoded(gemini::language(), body);
    if (!decoded.accepted) {
      CHECK(decoded.problem.status == 400);
      CHECK(!decoded.message().empty());
      ++refused;
      continue;
    }
    ++read;
    const test::Encoding encoding =
        test::encode(gemini::language(), decoded.request, catalog::Provider(), &model);
    if (encoding.accepted) CHECK(test::read_json(encoding.body));
  }
  CHECK(read > 500);
  CHECK(refused > 500);
}
