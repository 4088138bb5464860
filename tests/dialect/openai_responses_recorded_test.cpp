// Recorded answers of OpenAI's Responses, and of xAI's, against an oracle that reads each recording
// whole, with a JSON reader of its own.

#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "dialect/harness.h"
#include "dialect/openai_responses.h"
#include "support/shared_data.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;
using test::read_plain;
using test::read_stream;

namespace {

const Language& responses() { return openai_responses::language(); }

struct Recording {
  std::string name;
  std::string body;
  bool stream = false;
  test::Json request;
  test::Json response;  // the whole, of a stream from its last event
  // What is encrypted differs each time it is sent: of a stream, as the items' ends have it.
  std::vector<std::string> signatures;
};

void add_signature(const test::Json& item, Recording& recording) {
  if (const test::Json* encrypted = item.find("encrypted_content")) {
    recording.signatures.push_back(encrypted->text);
  }
}

void read_signatures(Recording& recording) {
  if (!recording.stream) {
    for (const test::Json& item : recording.response["output"].elements) {
      add_signature(item, recording);
    }
    return;
  }
  for (const std::string& data : test::data_of(recording.body)) {
    const test::Json event = test::json_of(data);
    if (event["type"].text == "response.output_item.done") add_signature(event["item"], recording);
  }
}

std::vector<Recording> recordings_of(const char* folder) {
  std::vector<Recording> all;
  const auto directory = test::shared_data(folder);
  if (!directory) return all;
  for (const auto& entry : std::filesystem::directory_iterator(*directory)) {
    if (entry.path().extension() != ".json") continue;
    const test::Json file = test::json_of(test::read_file(entry.path()));
    for (const test::Json& exchange : file["exchanges"].elements) {
      if (exchange["response"]["status"].text != "200") continue;
      Recording recording;
      recording.name = entry.path().filename().string();
      recording.body = exchange["response"]["body"].text;
      recording.request = test::json_of(exchange["request"]["body"].text);
      recording.stream = recording.body.starts_with("event:");
      recording.response = recording.stream
                               ? test::json_of(test::data_of(recording.body).back())["response"]
                               : test::json_of(recording.body);
      read_signatures(recording);
      all.push_back(std::move(recording));
    }
  }
  return all;
}

std::vector<Recording> recordings() {
  std::vector<Recording> all = recordings_of("recorded/openai/responses");
  for (Recording& more : recordings_of("recorded/xai/responses")) all.push_back(std::move(more));
  return all;
}

// What the last event, or the plain body, says.
void check_against_oracle(const Answer& answer, const Recording& recording) {
  const test::Json& response = recording.response;
  CHECK(answer.ended);
  CHECK(answer.id == response["id"].text);
  CHECK(answer.model == response["model"].text);
  CHECK(answer.created_s == response["created_at"].integer());
  std::string text;
  std::string thinking;
  size_t calls = 0;
  for (const test::Json& item : response["output"].elements) {
    for (const test::Json& part : item["content"].elements) {
      if (part["type"].text == "output_text") text += part["text"].text;
    }
    for (const test::Json& part : item["summary"].elements) thinking += part["text"].text;
    if (item["type"].text != "function_call") continue;
    REQUIRE(calls < answer.choice().calls.size());
    const test::ToolCall& call = answer.choice().calls[calls++];
    CHECK(call.id == item["call_id"].text);
    CHECK(call.name == item["name"].text);
    CHECK(test::json_of(call.arguments) == test::json_of(item["arguments"].text));
  }
  CHECK(answer.choice().text == text);
  CHECK(answer.choice().thinking == thinking);
  CHECK(answer.choice().calls.size() == calls);
  CHECK(answer.choice().finish == (calls > 0 ? Finish::tool_calls : Finish::stop));
  REQUIRE(answer.choice().blocks.size() == recording.signatures.size());
  for (size_t i = 0; i < recording.signatures.size(); ++i) {
    const bool same = answer.choice().blocks[i].signature == recording.signatures[i];
    CHECK(same);
  }
  const test::Json& usage = response["usage"];
  CHECK(answer.usage.prompt_tokens == usage["input_tokens"].integer());
  CHECK(answer.usage.completion_tokens == usage["output_tokens"].integer());
  CHECK(answer.usage.cached_tokens == usage["input_tokens_details"]["cached_tokens"].integer());
  CHECK(answer.usage.reasoning_tokens ==
        usage["output_tokens_details"]["reasoning_tokens"].integer());
}

// Only the order of events and the absence of crashes count.
struct Counter final : EventReceiver {
  void on_event(const Event& event) override {
    CHECK_MESSAGE(!over, "an event after the end");
    over = event.kind == EventKind::end || event.kind == EventKind::error;
    ended = event.kind == EventKind::end;
  }
  bool over = false;
  bool ended = false;
};

}  // namespace

TEST_CASE("recorded answers say what their whole says, however their bytes are cut") {
  size_t streams = 0;
  size_t plain = 0;
  for (const Recording& recording : recordings()) {
    CAPTURE(recording.name);
    if (!recording.stream) {
      check_against_oracle(read_plain(responses(), recording.body), recording);
      ++plain;
      continue;
    }
    ++streams;
    for (size_t step : {0, 1, 7, 1000}) {
      check_against_oracle(read_stream(responses(), recording.body, step), recording);
    }
    std::string with_returns;
    for (char c : recording.body)
      with_returns += c == '\n' ? std::string("\r\n") : std::string(1, c);
    for (size_t step : {0, 1, 13}) {
      check_against_oracle(read_stream(responses(), with_returns, step), recording);
    }
  }
  if (streams + plain == 0) return;
  CHECK(streams >= 8);
  CHECK(plain >= 10);
}

TEST_CASE("a recorded stream that is cut at any event is an error, never a clean end") {
  for (const Recording& recording : recordings()) {
    if (!recording.stream) continue;
    CAPTURE(recording.name);
    std::string_view rest = recording.body;
    http::SseSplitter splitter;
    size_t end = 0;
    while (const size_t size = splitter.find_event_end(rest)) {
      CHECK(read_stream(responses(), std::string_view(recording.body).substr(0, end)).failed);
      end += size;
      rest.remove_prefix(size);
    }
    CHECK(read_stream(responses(), std::string_view(recording.body).substr(0, end)).ended);
  }
}

TEST_CASE("a recorded plain answer that is cut anywhere is an error") {
  for (const Recording& recording : recordings()) {
    if (recording.stream) continue;
    CAPTURE(recording.name);
    const size_t whole = recording.body.find_last_of('}') + 1;
    for (size_t size = 0; size < whole; size += 1 + whole / 200) {
      CHECK(read_plain(responses(), std::string_view(recording.body).substr(0, size)).failed);
    }
  }
}

TEST_CASE("damaged recordings never crash and end once") {
  std::mt19937 random(20261125);
  for (const Recording& recording : recordings()) {
    for (int round = 0; round < 150; ++round) {
      std::string body = recording.body;
      const size_t flips = 1 + random() % 8;
      for (size_t i = 0; i < flips; ++i) {
        const size_t at = random() % body.size();
        switch (random() % 3) {
          case 0: body[at] = static_cast<char>(random()); break;
          case 1: body.erase(at, 1 + random() % 40); break;
          default: body.insert(at, body.substr(random() % body.size(), random() % 40)); break;
        }
        if (body.empty()) body = "x";
      }
      Counter counter;
      if (recording.stream) {
        test::read_stream_into(responses(), body, 0, counter);
      } else {
        test::read_plain_into(responses(), body, counter);
      }
      CHECK(counter.over);
    }
  }
}

TEST_CASE("the recorded error stream is an error by its code") {
  const auto file =
      test::shared_data("recorded/openai/responses/vercel__openai-error.1.chunks.txt");
  if (!file) return;
  std::string stream;
  std::string line;
  for (char c : test::read_file(*file)) {
    if (c != '\n') {
      line += c;
      continue;
    }
    stream += "data: " + line + "\n\n";
    line.clear();
  }
  if (!line.empty()) stream += "data: " + line + "\n\n";
  const Answer answer = read_stream(responses(), stream);
  CHECK(answer.failed);
  CHECK(answer.error == ErrorKind::money);
  CHECK(answer.error_message.starts_with("You exceeded your current quota"));
}

TEST_CASE("recorded requests are taken, and written again with the same meaning") {
  size_t count = 0;
  for (const char* folder : {"recorded/openai/responses", "recorded/xai/responses"}) {
    const auto directory = test::shared_data(folder);
    if (!directory) return;
    for (const auto& entry : std::filesystem::directory_iterator(*directory)) {
      if (entry.path().extension() != ".json") continue;
      CAPTURE(entry.path().filename().string());
      const test::Json file = test::json_of(test::read_file(entry.path()));
      for (const test::Json& exchange : file["exchanges"].elements) {
        const std::string body = exchange["request"]["body"].text;
        const test::Decoding decoded(responses(), body);
        CHECK_MESSAGE(decoded.accepted, decoded.message());
        if (!decoded.accepted) continue;
        ++count;
        CHECK(decoded.request.unknown.empty());
        catalog::Provider provider;
        const test::Encoding once = test::encode(responses(), decoded.request, provider, nullptr);
        REQUIRE(once.accepted);
        const test::Decoding again(responses(), once.body);
        REQUIRE_MESSAGE(again.accepted, again.message());
        CHECK(test::encode(responses(), again.request, provider, nullptr).body == once.body);
        // Calls, results and signed reasoning stand as they stood.
        const test::Json sent = once.json();
        const test::Json read = test::json_of(body);
        std::vector<test::Json> before, after;
        for (const test::Json& item : read["input"].elements) {
          if (item.find("type") && item["type"].text != "message") before.push_back(item);
        }
        for (const test::Json& item : sent["input"].elements) {
          if (item["type"].text != "message") after.push_back(item);
        }
        REQUIRE(before.size() == after.size());
        for (size_t i = 0; i < before.size(); ++i) {
          for (const auto& [key, value] : before[i].members) {
            if (key != "id") CHECK(after[i][key] == value);
          }
        }
      }
    }
  }
  CHECK(count >= 15);
}
