#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/anthropic.h"
#include "dialect/harness.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;
using Tree = test::Json;

namespace {

struct Recording {
  std::string name;
  std::string answer;
  bool stream = false;
  std::string request;  // empty: the answer only
};

bool is_chunk_file(const std::string& name) { return name.ends_with(".chunks.txt"); }

// The lines of a chunk file as the events they were.
std::string stream_of_chunks(const std::string& text) {
  std::string bytes;
  for (const Tree& line : test::read_json_lines(text)) CHECK(line.is(Tree::Kind::object));
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) bytes += "data: " + text.substr(at, end - at) + "\n\n";
    at = end + 1;
  }
  return bytes;
}

std::vector<Recording> recordings_in(const std::filesystem::path& folder) {
  std::vector<Recording> recordings;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry);
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const std::string name = file.filename().string();
    const std::string text = test::read_file(file);
    if (is_chunk_file(name)) {
      recordings.push_back({name, stream_of_chunks(text), true, {}});
    } else if (name.ends_with(".txt")) {
      // These files lack the empty line behind their last event.
      recordings.push_back({name, text + "\n\n", true, {}});
    } else {
      const Tree tree = test::json_of(text);
      if (tree.find("exchanges") == nullptr) {
        recordings.push_back({name, text, false, {}});
        continue;
      }
      for (const Tree& exchange : tree["exchanges"].elements) {
        const std::string& body = exchange["response"]["body"].text;
        if (exchange["response"]["status"].integer() != 200) continue;
        recordings.push_back(
            {name, body, !body.starts_with("{"), exchange["request"]["body"].text});
      }
    }
  }
  return recordings;
}

// What an answer says, by the trees of its JSON: found in another way than by the code under test.
struct Said {
  std::string text, thinking, stop_reason;
  std::vector<std::string> ids, names, inputs;
  bool stopped = false;
  Tree usage;  // merged

  void merge(const Tree& more, bool at_start) {
    for (const auto& [key, value] : more.members) {
      if (value.is(Tree::Kind::null) || (at_start && key == "output_tokens")) continue;
      std::erase_if(usage.members, [&](const auto& member) { return member.key == key; });
      usage.members.push_back({key, value});
    }
  }
  int64_t tokens(std::string_view key) const { return usage[key].integer(); }
};

Said said_in_stream(const std::string& bytes) {
  Said said;
  std::string type;
  for (const std::string& data : test::data_of(bytes)) {
    const Tree event = test::json_of(data);
    const std::string& kind = event["type"].text;
    if (kind == "message_start") said.merge(event["message"]["usage"], true);
    if (kind == "message_delta") {
      said.merge(event["usage"], false);
      said.stop_reason = event["delta"]["stop_reason"].text;
    }
    if (kind == "message_stop") said.stopped = true;
    if (kind == "content_block_start") {
      const Tree& block = event["content_block"];
      type = block["type"].text;
      if (type == "text") said.text += block["text"].text;
      if (type == "tool_use") {
        said.ids.push_back(block["id"].text);
        said.names.push_back(block["name"].text);
        said.inputs.emplace_back();
      }
    }
    if (kind == "content_block_delta" && type == "text") said.text += event["delta"]["text"].text;
    if (kind == "content_block_delta" && type == "thinking")
      said.thinking += event["delta"]["thinking"].text;
    if (kind == "content_block_delta" && type == "tool_use")
      said.inputs.back() += event["delta"]["partial_json"].text;
  }
  return said;
}

Said said_in_answer(const std::string& body) {
  Said said;
  const Tree tree = test::json_of(body);
  for (const Tree& block : tree["content"].elements) {
    if (block["type"].text == "text") said.text += block["text"].text;
    if (block["type"].text == "thinking") said.thinking += block["thinking"].text;
    if (block["type"].text != "tool_use") continue;
    said.ids.push_back(block["id"].text);
    said.names.push_back(block["name"].text);
    // The bytes of the input, cut out of the body.
    const size_t id = body.find(block["id"].text);
    const size_t input = body.find("\"input\":", id) + 8;
    size_t end = input;
    while (!test::read_json(body.substr(input, end - input))) ++end;
    said.inputs.push_back(body.substr(input, end - input));
  }
  said.merge(tree["usage"], false);
  said.stop_reason = tree["stop_reason"].text;
  said.stopped = true;
  return said;
}

Finish finish_of(const std::string& reason) {
  if (reason == "tool_use") return Finish::tool_calls;
  if (reason == "max_tokens") return Finish::length;
  if (reason == "stop_sequence") return Finish::stop_sequence;
  if (reason == "refusal") return Finish::refusal;
  return Finish::stop;
}

void check_same(const Answer& answer, const Said& said) {
  CHECK(answer.ended == said.stopped);
  const test::ChoiceAnswer& choice = answer.choice();
  CHECK(choice.text == said.text);
  CHECK(choice.thinking == said.thinking);
  CHECK(choice.finish == finish_of(said.stop_reason));
  REQUIRE(choice.calls.size() == said.ids.size());
  for (size_t i = 0; i < said.ids.size(); ++i) {
    CHECK(choice.calls[i].id == said.ids[i]);
    CHECK(choice.calls[i].name == said.names[i]);
    const std::string wanted = said.inputs[i].empty() ? "{}" : said.inputs[i];
    const auto tree = test::read_json(wanted);
    if (tree) {
      CHECK(test::json_of(choice.calls[i].arguments) == *tree);
    } else {
      CHECK(choice.calls[i].arguments == wanted);
    }
  }
  CHECK(answer.usage.prompt_tokens == said.tokens("input_tokens") +
                                          said.tokens("cache_read_input_tokens") +
                                          said.tokens("cache_creation_input_tokens"));
  CHECK(answer.usage.completion_tokens == said.tokens("output_tokens"));
}

// Decodes, and encodes again for a client of the same dialect.
std::string again(const Recording& recording, std::string_view bytes, size_t step) {
  test::Encoder encoder(anthropic::language(), test::context_of(recording.stream));
  if (recording.stream) {
    test::read_stream_into(anthropic::language(), bytes, step, encoder.receiver());
  } else {
    test::read_plain_into(anthropic::language(), bytes, encoder.receiver());
  }
  CHECK_FALSE(encoder.failed());
  return encoder.text();
}

}  // namespace

TEST_CASE("recorded answers of Anthropic's are read alike at every cut of their bytes") {
  const auto folder = test::shared_data("recorded/anthropic/messages");
  if (!folder) return;
  const auto recordings = recordings_in(*folder);
  CHECK(recordings.size() > 40);
  size_t streams = 0;
  size_t calls = 0;
  for (const Recording& recording : recordings) {
    CAPTURE(recording.name);
    if (!recording.stream) {
      const Said said = said_in_answer(recording.answer);
      check_same(test::read_plain(anthropic::language(), recording.answer), said);
      continue;
    }
    ++streams;
    const Said said = said_in_stream(recording.answer);
    calls += said.ids.size();
    for (size_t step : {0, 1, 2, 3, 7, 64, 1000}) {
      CAPTURE(step);
      check_same(test::read_stream(anthropic::language(), recording.answer, step), said);
    }
  }
  CHECK(streams > 30);
  CHECK(calls > 10);
}

TEST_CASE("recorded answers mean the same when they are written again") {
  const auto folder = test::shared_data("recorded/anthropic/messages");
  if (!folder) return;
  for (const Recording& recording : recordings_in(*folder)) {
    CAPTURE(recording.name);
    const std::string written = again(recording, recording.answer, 0);
    if (recording.stream) {
      check_same(test::read_stream(anthropic::language(), written),
                 said_in_stream(recording.answer));
    } else {
      check_same(test::read_plain(anthropic::language(), written),
                 said_in_answer(recording.answer));
    }
  }
}

TEST_CASE("passthrough sees in every recording what a translation reads") {
  const auto folder = test::shared_data("recorded/anthropic/messages");
  if (!folder) return;
  for (const Recording& recording : recordings_in(*folder)) {
    CAPTURE(recording.name);
    Usage usage;
    Answer answer;
    if (!recording.stream) {
      anthropic::observe_answer(recording.answer, usage);
      answer = test::read_plain(anthropic::language(), recording.answer);
    } else {
      bool committed = false;
      bool finished = false;
      std::string_view left = recording.answer;
      http::SseSplitter splitter;
      while (const size_t length = splitter.find_event_end(left)) {
        const Observation seen =
            anthropic::observe_event(http::parse_event(left.substr(0, length)), committed, usage);
        CHECK_FALSE(seen.malformed);
        CHECK_FALSE(seen.error);
        committed |= seen.semantic;
        finished |= seen.finished;
        left.remove_prefix(length);
      }
      CHECK(committed);
      CHECK(finished);
      answer = test::read_stream(anthropic::language(), recording.answer);
    }
    CHECK(usage.prompt_tokens == answer.usage.prompt_tokens);
    CHECK(usage.cached_tokens == answer.usage.cached_tokens);
    CHECK(usage.cache_write_1h_tokens == answer.usage.cache_write_1h_tokens);
    CHECK(usage.completion_tokens == answer.usage.completion_tokens);
    CHECK(usage.reasoning_tokens == answer.usage.reasoning_tokens);
  }
}

TEST_CASE("a recorded stream cut behind any of its events never ends properly") {
  const auto folder = test::shared_data("recorded/anthropic/messages");
  if (!folder) return;
  for (const Recording& recording : recordings_in(*folder)) {
    if (!recording.stream) continue;
    CAPTURE(recording.name);
    http::SseSplitter splitter;
    std::string_view left = recording.answer;
    size_t size = 0;
    bool over = false;
    while (const size_t length = splitter.find_event_end(left)) {
      const http::SseEvent event = http::parse_event(left.substr(0, length));
      over |= event.data.find("message_stop") != std::string_view::npos;
      size += length;
      left.remove_prefix(length);
      const Answer answer = test::read_stream(anthropic::language(),
                                              std::string_view(recording.answer).substr(0, size));
      CHECK(answer.ended == over);
      CHECK(answer.failed != over);
    }
    CHECK(over);
  }
}

TEST_CASE("damaged recordings break nothing, and what is written of them is JSON") {
  const auto folder = test::shared_data("recorded/anthropic/messages");
  if (!folder) return;
  uint64_t seed = 7;
  auto next = [&seed](uint64_t limit) {
    seed = seed * 6364136223846793005 + 1442695040888963407;
    return (seed >> 33) % limit;
  };
  const auto recordings = recordings_in(*folder);
  for (int round = 0; round < 3000; ++round) {
    const Recording& recording = recordings[next(recordings.size())];
    if (recording.answer.size() > 8000) continue;
    CAPTURE(recording.name);
    CAPTURE(round);
    std::string damaged = recording.answer;
    const uint64_t flips = 1 + next(4);
    for (uint64_t i = 0; i < flips; ++i) {
      char& byte = damaged[next(damaged.size())];
      byte =
          next(2) == 0 ? static_cast<char>(byte ^ (1 << next(8))) : "\"\\{}[],:\n0\xff"[next(11)];
    }
    const std::string written = again(recording, damaged, next(2) == 0 ? 0 : 1 + next(200));
    if (!recording.stream) {
      if (!written.empty()) CHECK(test::read_json(written));
      continue;
    }
    for (const std::string& data : test::data_of(written)) CHECK(test::read_json(data));
  }
}

TEST_CASE("recorded requests are read, and what is written of them reads the same") {
  const auto folder = test::shared_data("recorded/anthropic/messages");
  if (!folder) return;
  size_t count = 0;
  for (const Recording& recording : recordings_in(*folder)) {
    if (recording.request.empty()) continue;
    CAPTURE(recording.name);
    test::Decoding first(anthropic::language(), recording.request);
    CHECK_MESSAGE(first.accepted, first.message());
    bool server_tools = false;
    for (const Tool* tool = first.request.tools.first; tool != nullptr; tool = tool->next)
      server_tools |= tool->kind == Tool::Kind::server;
    catalog::Model model;
    model.thinking = first.request.thinking_budget_tokens > 0 ? catalog::Thinking::budget
                                                              : catalog::Thinking::adaptive;
    model.efforts.bits = 0x7F;
    model.prefill = true;
    const test::Encoding written =
        test::encode(anthropic::language(), first.request, catalog::Provider(), &model, "claude-x");
    CHECK(written.accepted != server_tools);
    if (!written.accepted) continue;
    ++count;
    const Tree sent = test::json_of(recording.request);
    const Tree tree = written.json();
    CHECK(tree["max_tokens"] == sent["max_tokens"]);
    CHECK(tree["messages"].elements.size() == sent["messages"].elements.size());
    CHECK(tree["tools"].elements.size() == sent["tools"].elements.size());
    CHECK(tree["thinking"]["budget_tokens"] == sent["thinking"]["budget_tokens"]);
    CHECK(tree["output_config"] == sent["output_config"]);
    test::Decoding second(anthropic::language(), written.body);
    CHECK(second.accepted);
    const test::Encoding twice = test::encode(anthropic::language(), second.request,
                                              catalog::Provider(), &model, "claude-x");
    CHECK(twice.body == written.body);
  }
  CHECK(count > 20);
}
