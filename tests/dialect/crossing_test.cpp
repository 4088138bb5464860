// What a translation must keep, whichever two dialects it is between: random conversations and
// random answers are written by one dialect, read by it, and must say the same.
#include <map>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "base/random.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Answer;
using test::Decoding;
using test::Encoding;

namespace {

constexpr Wire wires[] = {Wire::openai_chat, Wire::openai_responses, Wire::anthropic, Wire::gemini};

// Text with everything that JSON escapes, and characters of all lengths.
std::string text_of(Random& random) {
  constexpr const char* words[] = {
      "hello",          "w\\u00f6rld", "\\\"quoted\\\"", "line\\nbreak", "\\\\", "日本語",
      "\\ud83d\\ude00", "a\\/b",       "{\\\"}",         "tab\\t",       "x"};
  std::string text = words[random.below(std::size(words))];
  for (uint64_t i = random.below(6); i > 0; --i)
    text += std::string(" ") + words[random.below(std::size(words))];
  return text;
}

std::string quoted(const std::string& inside) { return "\"" + inside + "\""; }

std::string arguments_of(Random& random) {
  constexpr const char* values[] = {"1",  "1e400", "9007199254740993", "\"x\\\"y\"", "[1,{}]",
                                    "{}", "null",  "\"\\u00e9\"",      "-0.50"};
  std::string json = "{";
  for (uint64_t i = random.below(4); i > 0; --i) {
    if (json.size() > 1) json += ',';
    json += "\"k" + std::to_string(i) + "\":" + values[random.below(std::size(values))];
  }
  return json + "}";
}

// `json` as the inside of a JSON string.
std::string escaped(const std::string& json) {
  std::string inside;
  for (char c : json) {
    if (c == '"' || c == '\\') inside += '\\';
    inside += c;
  }
  return inside;
}

std::string user_message(Random& random) {
  if (random.chance(2, 3)) return R"({"role":"user","content":)" + quoted(text_of(random)) + "}";
  return R"({"role":"user","content":[{"type":"text","text":)" + quoted(text_of(random)) +
         R"(},{"type":"image_url","image_url":{"url":"data:image/png;base64,iVBORw0K"}}]})";
}

// An assistant's turn with calls, and the results of all of them.
std::string turn_of_calls(Random& random, unsigned& call_number) {
  const uint64_t count = 1 + random.below(3);
  std::string calls;
  std::string results;
  for (uint64_t i = 0; i < count; ++i) {
    const std::string id = "call_" + std::to_string(++call_number);
    if (i > 0) calls += ',';
    calls += R"({"id":")" + id + R"(","type":"function","function":{"name":"f)" +
             std::to_string(random.below(2)) + R"(","arguments":")" +
             escaped(arguments_of(random)) + "\"}}";
    results += R"(,{"role":"tool","tool_call_id":")" + id + R"(","content":)" +
               quoted(text_of(random)) + "}";
  }
  const std::string content = random.chance(1, 2) ? "null" : quoted(text_of(random));
  return R"({"role":"assistant","content":)" + content + R"(,"tool_calls":[)" + calls + "]}" +
         results;
}

// A request of Chat Completions with what every dialect can say.
std::string conversation(Random& random) {
  std::string messages;
  if (random.chance(1, 2))
    messages = R"({"role":"system","content":)" + quoted(text_of(random)) + "},";
  unsigned calls = 0;
  for (uint64_t turn = 1 + random.below(4); turn > 0; --turn) {
    messages += user_message(random) + ",";
    if (turn == 1) break;
    messages += random.chance(1, 2)
                    ? turn_of_calls(random, calls) + R"(,{"role":"assistant","content":)" +
                          quoted(text_of(random)) + "},"
                    : R"({"role":"assistant","content":)" + quoted(text_of(random)) + "},";
  }
  messages.pop_back();
  std::string request = R"({"model":"m","max_completion_tokens":777,"messages":[)" + messages + "]";
  request += R"(,"tools":[{"type":"function","function":{"name":"f0","description":)" +
             quoted(text_of(random)) +
             R"(,"parameters":{"type":"object","properties":{"k1":{"type":"number"}}}}},)"
             R"({"type":"function","function":{"name":"f1"}}])";
  constexpr const char* choices[] = {
      "", R"(,"tool_choice":"none")", R"(,"tool_choice":"auto")", R"(,"tool_choice":"required")",
      R"(,"tool_choice":{"type":"function","function":{"name":"f1"}})"};
  request += choices[random.below(std::size(choices))];
  return request + "}";
}

std::string normal(const test::Json& json) {
  std::string text =
      std::to_string(static_cast<int>(json.kind)) + json.text + (json.boolean ? "t" : "");
  for (const test::Json& element : json.elements) text += "[" + normal(element);
  for (const auto& [key, value] : json.members) text += "{" + key + ":" + normal(value);
  return text;
}

// What a request says, in an order and a form that no dialect changes. Ids are numbered, since some
// dialects give new ones; texts that follow one another in a role are one.
class Meaning {
 public:
  explicit Meaning(const Request& request) {
    for (const Message* message = request.messages.first; message != nullptr;
         message = message->next) {
      for (const Part* part = message->parts.first; part != nullptr; part = part->next)
        add(*message, *part);
    }
    for (const Tool* tool = request.tools.first; tool != nullptr; tool = tool->next) {
      says_.push_back("tool " + std::string(tool->name) + " " +
                      test::unescaped(tool->description.bytes));
      const test::Json schema =
          tool->schema.given() ? test::json_of(tool->schema.bytes) : test::Json();
      says_.push_back(normal(schema["properties"]["k1"]));
    }
    const ToolChoice choice = request.tool_choice;
    says_.push_back("choice " +
                    std::to_string(static_cast<int>(
                        choice == ToolChoice::unset ? ToolChoice::automatic : choice)) +
                    std::string(request.tool_choice_name));
    says_.push_back("limit " + std::to_string(request.output_tokens_max));
  }
  bool operator==(const Meaning& other) const { return says_ == other.says_; }
  std::string text() const {
    std::string all;
    for (const std::string& line : says_) all += line + "\n";
    return all;
  }

 private:
  std::string number_of(std::string_view id) {
    return std::to_string(numbers_.try_emplace(std::string(id), numbers_.size()).first->second);
  }
  void add(const Message& message, const Part& part) {
    switch (part.kind) {
      case PartKind::text:
        says_.push_back(std::to_string(static_cast<int>(message.role)) + " text " +
                        test::unescaped(part.text.bytes));
        return;
      case PartKind::image:
        says_.push_back("image " + std::string(part.media_type) + std::string(part.data.bytes));
        return;
      case PartKind::tool_call: {
        std::string arguments(part.arguments.bytes);
        if (part.arguments_escaped) arguments = test::unescaped(arguments);
        says_.push_back("call " + number_of(part.id) + " " + std::string(part.name) + " " +
                        arguments);
        return;
      }
      case PartKind::tool_result:
        says_.push_back("result " + number_of(part.id) + " " + of(part));
        return;
      default: says_.push_back("something else");
    }
  }
  static std::string of(const Part& result) {
    if (result.json.given()) return test::json_of(result.json.bytes)["result"].text;
    std::string text;
    for (const Part* part = result.content.first; part != nullptr; part = part->next)
      text += test::unescaped(part->text.bytes);
    return text;
  }

  std::vector<std::string> says_;
  std::map<std::string, size_t> numbers_;
};

catalog::Model able_model() {
  catalog::Model model;
  model.output_tokens_max = 100'000;
  model.max_completion_tokens_only = true;
  return model;
}

}  // namespace

TEST_CASE("a conversation says the same after it was written and read in any dialect") {
  const catalog::Model model = able_model();
  catalog::Provider provider;
  for (uint64_t seed = 1; seed <= 500; ++seed) {
    CAPTURE(seed);
    Random random(seed);
    const Decoding asked(language_of(Wire::openai_chat), conversation(random));
    REQUIRE_MESSAGE(asked.accepted, asked.message());
    const Meaning meant(asked.request);
    for (Wire wire : wires) {
      CAPTURE(std::string(name_of(wire)));
      const Encoding sent = test::encode(language_of(wire), asked.request, provider, &model);
      REQUIRE_MESSAGE(sent.accepted, std::string(sent.problem.message));
      const Decoding read(language_of(wire), sent.body);
      REQUIRE_MESSAGE(read.accepted, read.message());
      const Meaning understood(read.request);
      CHECK_MESSAGE(understood == meant, "said:\n", meant.text(), "understood:\n",
                    understood.text());
    }
  }
}

namespace {

// A random answer, given to an encoder, and what it says.
struct Said {
  std::string text;
  std::vector<std::pair<std::string, std::string>> calls;  // names and arguments
  Finish finish = Finish::stop;
};

void say_call(Random& random, test::Encoder& encoder, Said& said) {
  const auto number = static_cast<uint32_t>(said.calls.size());
  const std::string json = arguments_of(random);
  const std::string name = "f" + std::to_string(number);
  const std::string id = "call_" + std::to_string(number);
  Event event;
  event.kind = EventKind::tool_start;
  event.tool = number;
  event.id = id;
  event.name = name;
  encoder(event);
  // In fragments that end anywhere, but not within an escape.
  std::string inside;
  for (size_t at = 0; at < json.size();) {
    const size_t size = std::min<size_t>(1 + random.below(5), json.size() - at);
    inside = escaped(json.substr(at, size));
    event = Event();
    event.kind = EventKind::tool_arguments;
    event.tool = number;
    event.text = inside;
    encoder(event);
    at += size;
  }
  event = Event();
  event.kind = EventKind::tool_end;
  event.tool = number;
  encoder(event);
  said.calls.emplace_back(name, json);
}

Said say(Random& random, test::Encoder& encoder, const Usage& usage) {
  Said said;
  Event start;
  start.kind = EventKind::start;
  start.id = "id_1";
  start.model = "m";
  encoder(start);
  for (uint64_t i = random.below(4); i > 0; --i) {
    const std::string piece = text_of(random);
    encoder(EventKind::text, piece);
    said.text += test::unescaped(piece);
  }
  for (uint64_t i = random.below(3); i > 0; --i) say_call(random, encoder, said);
  constexpr Finish finishes[] = {Finish::stop, Finish::length, Finish::content_filter};
  said.finish =
      said.calls.empty() ? finishes[random.below(std::size(finishes))] : Finish::tool_calls;
  encoder.finish(said.finish);
  Event counted;
  counted.kind = EventKind::usage;
  counted.usage = &usage;
  encoder(counted);
  encoder(EventKind::end);
  return said;
}

// Some dialects have one word for two ends.
Finish as_told_by(Wire wire, Finish finish) {
  const bool filter = finish == Finish::content_filter || finish == Finish::refusal;
  return filter && wire == Wire::anthropic ? Finish::refusal : finish;
}

}  // namespace

TEST_CASE("an answer says the same after it was written and read in any dialect") {
  Usage usage;
  usage.prompt_tokens = 120;
  usage.cached_tokens = 20;
  usage.completion_tokens = 34;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    for (Wire wire : wires) {
      for (bool stream : {false, true}) {
        CAPTURE(seed);
        CAPTURE(std::string(name_of(wire)));
        CAPTURE(stream);
        Random random(seed);
        AnswerContext context = test::context_of(stream);
        context.include_usage = true;
        test::Encoder encoder(language_of(wire), context);
        const Said said = say(random, encoder, usage);
        const Answer heard = stream ? test::read_stream(language_of(wire), encoder.text(), 7)
                                    : test::read_plain(language_of(wire), encoder.text());
        REQUIRE_FALSE(heard.failed);
        CHECK(heard.choice().text == said.text);
        CHECK(as_told_by(wire, heard.choice().finish) == as_told_by(wire, said.finish));
        REQUIRE(heard.choice().calls.size() == said.calls.size());
        for (size_t i = 0; i < said.calls.size(); ++i) {
          CHECK(heard.choice().calls[i].name == said.calls[i].first);
          CHECK(heard.choice().calls[i].arguments == said.calls[i].second);
        }
        CHECK(heard.usage.prompt_tokens == 120);
        CHECK(heard.usage.cached_tokens == 20);
        CHECK(heard.usage.completion_tokens == 34);
      }
    }
  }
}

TEST_CASE("a tool choice that names a tool which is left out is left to the model") {
  const Decoding decoded(
      language_of(Wire::anthropic),
      R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":"a"}],"tools":[)"
      R"({"type":"web_search_20250305","name":"search"},{"name":"f","input_schema":{}}],)"
      R"("tool_choice":{"type":"tool","name":"search"}})");
  REQUIRE_MESSAGE(decoded.accepted, decoded.message());
  TranslationSettings settings;
  settings.unsupported = Unsupported::drop;
  for (Wire wire : wires) {
    CAPTURE(name_of(wire));
    const Encoding sent =
        test::encode(language_of(wire), decoded.request, {}, nullptr, "m", settings);
    REQUIRE(sent.accepted);
    CHECK(sent.adjusted.find("tool_choice") != std::string::npos);
    CHECK(sent.body.find("search") == std::string::npos);
  }
}
