#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"
#include "support/shared_data.h"

using namespace hyperion;
using dialect::Finish;
using dialect::Maker;
using dialect::Usage;
namespace openai_chat = dialect::openai_chat;
using test::Answer;
using test::ChoiceAnswer;
using test::Json;

namespace {

struct Recording {
  std::string name;
  std::string body;
  bool stream = false;
};

constexpr const char* providers[] = {"openai", "azure",      "groq",       "mistral", "deepseek",
                                     "ollama", "openrouter", "perplexity", "xai"};

void add_file(const std::filesystem::path& path, std::vector<Recording>& recordings) {
  const std::string name = path.filename().string();
  const std::string text = test::read_file(path);
  if (name.ends_with(".chunks.txt")) {
    Recording recording{name, "", true};
    for (size_t at = 0; at < text.size();) {
      const size_t end = std::min(text.find('\n', at), text.size());
      if (end > at) recording.body += "data: " + text.substr(at, end - at) + "\n\n";
      at = end + 1;
    }
    recording.body += "data: [DONE]\n\n";
    recordings.push_back(std::move(recording));
    return;
  }
  const Json file = test::json_of(text);
  if (file.find("exchanges") == nullptr) {
    if (file.find("choices") != nullptr) recordings.push_back({name, text, false});
    return;
  }
  for (const Json& exchange : file["exchanges"].elements) {
    const Json& response = exchange["response"];
    if (response["status"].integer() != 200) continue;
    const std::string& body = response["body"].text;
    recordings.push_back({name, body, body.find("data: ") != std::string::npos});
  }
}

// All recorded answers of 200 of Chat Completions; empty: the case is skipped.
std::vector<Recording> recordings() {
  std::vector<Recording> found;
  const auto directory = test::shared_data("recorded");
  if (!directory) return found;
  std::vector<std::filesystem::path> paths;
  for (const char* provider : providers) {
    const auto folder = *directory / provider / "chat.completions";
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const auto& path : paths) add_file(path, found);
  CHECK(found.size() >= 35);
  return found;
}

// What an answer says, by the trees of its JSON: found in another way than by the code under test.
struct Told {
  std::map<int64_t, ChoiceAnswer> choices;
  std::map<int64_t, std::string> reasons;
  const Json* usage = nullptr;
  std::vector<Json> trees;
};

void tell_calls(const Json& list, ChoiceAnswer& choice) {
  for (const Json& call : list.elements) {
    const Json& function = call["function"];
    const std::string& id = call["id"].text;
    if (choice.calls.empty() || (!id.empty() && id != choice.calls.back().id)) {
      choice.calls.push_back({id, function["name"].text, "", "", Maker::unknown, false});
    }
    choice.calls.back().arguments += function["arguments"].text;
  }
}

Told told_by(const Recording& recording) {
  Told told;
  if (recording.stream) {
    for (const std::string& data : test::data_of(recording.body)) {
      if (data != "[DONE]") told.trees.push_back(test::json_of(data));
    }
  } else {
    told.trees.push_back(test::json_of(recording.body));
  }
  for (const Json& tree : told.trees) {
    for (const Json& each : tree["choices"].elements) {
      const int64_t index = each["index"].integer();
      const Json& said = each[recording.stream ? "delta" : "message"];
      ChoiceAnswer& choice = told.choices[index];
      choice.text += said["content"].text;
      choice.refusal += said["refusal"].text;
      choice.thinking += said["reasoning_content"].text + said["reasoning"].text;
      tell_calls(said["tool_calls"], choice);
      if (!each["finish_reason"].text.empty()) told.reasons[index] = each["finish_reason"].text;
    }
    if (tree["usage"].is(Json::Kind::object)) told.usage = &tree["usage"];
  }
  return told;
}

std::string word_of(Finish finish) {
  switch (finish) {
    case Finish::length: return "length";
    case Finish::tool_calls: return "tool_calls";
    case Finish::content_filter: return "content_filter";
    default: return "stop";
  }
}

void check_usage(const Json& told, const Usage& usage) {
  const int64_t prompt = told["prompt_tokens"].integer();
  const int64_t completion = told["completion_tokens"].integer();
  const int64_t reasoning = told["completion_tokens_details"]["reasoning_tokens"].integer();
  const bool beside = reasoning > 0 && told["total_tokens"].integer() > prompt + completion;
  CHECK(usage.prompt_tokens == prompt);
  CHECK(usage.completion_tokens == completion + (beside ? reasoning : 0));
  if (const Json* details = told.find("prompt_tokens_details"); details != nullptr) {
    CHECK(usage.cached_tokens == (*details)["cached_tokens"].integer());
  }
}

void compare(const Told& told, const Answer& answer) {
  CHECK(answer.ended);
  REQUIRE(answer.choices.size() == told.choices.size());
  for (const auto& [index, expected] : told.choices) {
    const ChoiceAnswer& choice = answer.choices[static_cast<size_t>(index)];
    CHECK(choice.text == expected.text);
    CHECK(choice.refusal == expected.refusal);
    CHECK(choice.thinking == expected.thinking);
    REQUIRE(choice.calls.size() == expected.calls.size());
    for (size_t i = 0; i < choice.calls.size(); ++i) {
      CHECK(choice.calls[i].id == expected.calls[i].id);
      CHECK(choice.calls[i].name == expected.calls[i].name);
      const std::string& arguments = expected.calls[i].arguments;
      CHECK(test::json_of(choice.calls[i].arguments) ==
            test::json_of(arguments.empty() ? "{}" : arguments));
    }
    const auto reason = told.reasons.find(index);
    const std::string given = reason != told.reasons.end() ? reason->second
                              : expected.calls.empty()     ? "stop"
                                                           : "tool_calls";
    CHECK(word_of(choice.finish) == given);
    CHECK(choice.finishes == 1);
  }
  if (told.usage != nullptr) check_usage(*told.usage, answer.usage);
  CHECK(answer.usage.known() == (told.usage != nullptr));
}

}  // namespace

TEST_CASE("recorded answers say the same however their bytes are cut") {
  const auto all = recordings();
  if (all.empty()) return;
  for (const Recording& recording : all) {
    CAPTURE(recording.name);
    const Told told = told_by(recording);
    if (!recording.stream) {
      compare(told, test::read_plain(openai_chat::language(), recording.body));
      continue;
    }
    for (size_t step : {0, 1, 7, 100, 1460}) {
      CAPTURE(step);
      compare(told, test::read_stream(openai_chat::language(), recording.body, step));
    }
    // With the other line end, cut inside of it.
    std::string body;
    for (char c : recording.body) {
      if (c == '\n') body += '\r';
      body += c;
    }
    compare(told, test::read_stream(openai_chat::language(), body, 1));
  }
}

TEST_CASE("a recorded stream that is cut anywhere never ends properly") {
  const auto all = recordings();
  if (all.empty()) return;
  size_t cuts = 0;
  for (const Recording& recording : all) {
    CAPTURE(recording.name);
    const std::string& body = recording.body;
    const size_t done = body.rfind("data: [DONE]");
    if (!recording.stream || done == std::string::npos) continue;
    for (size_t at = 0; at <= done; at = body.find("\n\n", at) + 2) {
      for (size_t size : {at, at + (body.find("\n\n", at) - at) / 2}) {
        const Answer answer =
            test::read_stream(openai_chat::language(), std::string_view(body).substr(0, size));
        CHECK(answer.failed);
        CHECK(!answer.ended);
        ++cuts;
      }
    }
  }
  CHECK(cuts > 500);
}

TEST_CASE("a recorded plain answer that is cut anywhere is an error") {
  const auto all = recordings();
  if (all.empty()) return;
  for (const Recording& recording : all) {
    if (recording.stream) continue;
    CAPTURE(recording.name);
    std::string_view body = recording.body;
    while (!body.empty() && body.back() != '}') body.remove_suffix(1);
    for (size_t size = 0; size < body.size(); size += 1 + size / 16) {
      CHECK(test::read_plain(openai_chat::language(), body.substr(0, size)).failed);
    }
  }
}

TEST_CASE("damaged recordings never crash, and what comes out of them is JSON") {
  const auto all = recordings();
  if (all.empty()) return;
  std::mt19937 random(20261125);
  constexpr int rounds = 3000;
  for (int round = 0; round < rounds; ++round) {
    const Recording& recording = all[random() % all.size()];
    std::string body = recording.body.substr(0, 6000);
    const size_t flips = 1 + random() % 4;
    for (size_t i = 0; i < flips && !body.empty(); ++i) {
      const size_t at = random() % body.size();
      switch (random() % 3) {
        case 0: body[at] = static_cast<char>(random()); break;
        case 1: body.erase(at, 1 + random() % 20); break;
        default: body.insert(at, body.substr(random() % body.size(), random() % 40)); break;
      }
    }
    CAPTURE(round);
    for (bool stream : {false, true}) {
      test::Encoder encoder(openai_chat::language(), test::context_of(stream));
      if (recording.stream) {
        test::read_stream_into(openai_chat::language(), body, 0, encoder.receiver());
      } else {
        test::read_plain_into(openai_chat::language(), body, encoder.receiver());
      }
      CHECK(!encoder.failed());
      if (!stream) {
        if (!encoder.text().empty()) test::json_of(encoder.text());
        continue;
      }
      for (const std::string& data : test::data_of(encoder.text())) {
        if (data != "[DONE]") test::json_of(data);
      }
    }
  }
}
