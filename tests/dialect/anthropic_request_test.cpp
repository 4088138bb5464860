#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/anthropic.h"
#include "dialect/harness.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Decoding;

namespace {

Decoding decode(const std::string& members) {
  return Decoding(anthropic::language(), "{\"model\":\"m\"," + members + "}");
}

Decoding with(const std::string& members) {
  return decode(R"("max_tokens":9,"messages":[{"role":"user","content":"hi"}],)" + members);
}

Decoding messages(const std::string& list) {
  return decode("\"max_tokens\":9,\"messages\":[" + list + "]");
}

Decoding user_block(const std::string& block) {
  return messages(R"({"role":"user","content":[)" + block + "]}");
}

const Message& message_at(const Decoding& decoded, size_t index) {
  const Message* message = decoded.request.messages.first;
  for (; message != nullptr && index > 0; --index) message = message->next;
  REQUIRE(message != nullptr);
  return *message;
}

const Part& part_at(const Message& message, size_t index = 0) {
  const Part* part = message.parts.first;
  for (; part != nullptr && index > 0; --index) part = part->next;
  REQUIRE(part != nullptr);
  return *part;
}

const std::string a_call =
    R"({"role":"assistant","content":[{"type":"text","text":"see"},)"
    R"({"type":"tool_use","id":"toolu_1","name":"f","input":{"n": 1e400}}]})";
const std::string a_result =
    R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":"42"}]})";
const std::string a_user = R"({"role":"user","content":"hi"})";

}  // namespace

TEST_CASE("the top level of a Messages request is read field by field") {
  const Decoding decoded = with(
      R"("system":"be \"brief\"","temperature":0.70,"top_p":1e-1,"top_k":40,"stream":true,)"
      R"("stop_sequences":["END\n","x"],"metadata":{"user_id":"u\"1","other":1},)"
      R"("service_tier":"standard_only","cache_control":{"type":"ephemeral"},)"
      R"("output_config":{"effort":"xhigh","format":{"type":"json_schema","schema":{"a": 1}}},)"
      R"("container":"c","inference_geo":null,"betas":["b"])");
  REQUIRE(decoded.accepted);
  const Request& request = decoded.request;
  CHECK(request.output_tokens_max == 9);
  CHECK(request.temperature.bytes == "0.70");
  CHECK(request.top_p.bytes == "1e-1");
  CHECK(request.top_k.bytes == "40");
  CHECK(request.stream);
  CHECK(request.include_usage);
  REQUIRE(request.stop.count == 2);
  CHECK(request.stop.first->raw.bytes == "END\\n");
  CHECK(request.user.bytes == "u\\\"1");
  CHECK_FALSE(request.metadata.given());
  CHECK(request.service_tier == "default");
  CHECK(request.cache_automatic);
  CHECK(request.effort_given);
  CHECK(request.effort == catalog::Effort::xhigh);
  CHECK(request.format == Format::json_schema);
  CHECK(request.schema.bytes == R"({"a": 1})");
  REQUIRE(request.unknown.count == 2);
  CHECK(request.unknown.first->plain == "container");
  CHECK(request.unknown.last->plain == "betas");
  REQUIRE(request.messages.count == 2);
  CHECK(message_at(decoded, 0).role == Role::system);
  CHECK(part_at(message_at(decoded, 0)).text.bytes == "be \\\"brief\\\"");
  CHECK(message_at(decoded, 1).role == Role::user);
}

TEST_CASE("system is a string or blocks, and stands first wherever it was written") {
  const Decoding decoded = with(
      R"("system":[{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},)"
      R"({"type":"text","text":"b"}])");
  REQUIRE(decoded.accepted);
  const Message& system = message_at(decoded, 0);
  CHECK(system.role == Role::system);
  REQUIRE(system.parts.count == 2);
  CHECK(part_at(system, 0).cache == CacheMark::one_hour);
  CHECK(part_at(system, 1).cache == CacheMark::none);
  CHECK(with(R"("system":null)").request.messages.count == 1);
}

TEST_CASE("system messages stand in their places") {
  const Decoding decoded =
      messages(a_user + R"(,{"role":"system","content":"now in French"},)" + a_user);
  REQUIRE(decoded.accepted);
  CHECK(message_at(decoded, 1).role == Role::system);
  CHECK(message_at(decoded, 1).index == 1);
}

TEST_CASE("the thinking that is asked for is read in each of its forms") {
  struct Case {
    const char* thinking;
    int64_t budget;
    Flag shown;
  };
  const Case cases[] = {
      {R"({"type":"enabled","budget_tokens":2048})", 2048, Flag::yes},
      {R"({"budget_tokens":1024,"type":"enabled","display":"omitted"})", 1024, Flag::no},
      {R"({"type":"adaptive"})", -2, Flag::no},
      {R"({"type":"adaptive","display":"summarized"})", -2, Flag::yes},
      {R"({"type":"disabled"})", 0, Flag::no},
      {R"({"type":"between_tools"})", 0, Flag::no},
      {"null", -1, Flag::no},
  };
  for (const Case& item : cases) {
    CAPTURE(item.thinking);
    const Decoding decoded = with(std::string("\"thinking\":") + item.thinking);
    REQUIRE(decoded.accepted);
    CHECK(decoded.request.thinking_budget_tokens == item.budget);
    CHECK(decoded.request.thinking_shown == item.shown);
    CHECK_FALSE(decoded.request.effort_given);
  }
}

TEST_CASE("tools are functions, but what Anthropic itself defines is kept whole") {
  const Decoding decoded = with(
      R"("tools":[{"name":"f","description":"d\n","input_schema":{"type":"object" },"strict":true,)"
      R"("cache_control":{"type":"ephemeral"}},{"type":"custom","name":"g","input_schema":{}},)"
      R"({"type":"web_search_20250305","name":"web_search","max_uses":3}],)"
      R"("tool_choice":{"type":"tool","name":"g","disable_parallel_tool_use":true})");
  REQUIRE(decoded.accepted);
  REQUIRE(decoded.request.tools.count == 3);
  const Tool& f = *decoded.request.tools.first;
  CHECK(f.kind == Tool::Kind::function);
  CHECK(f.name == "f");
  CHECK(f.description.bytes == "d\\n");
  CHECK(f.schema.bytes == R"({"type":"object" })");
  CHECK(f.strict == Flag::yes);
  CHECK(f.cache == CacheMark::short_lived);
  CHECK(f.next->name == "g");
  CHECK(f.next->schema.bytes == "{}");
  const Tool& search = *decoded.request.tools.last;
  CHECK(search.kind == Tool::Kind::server);
  CHECK(search.definition.bytes ==
        R"({"type":"web_search_20250305","name":"web_search","max_uses":3})");
  CHECK(decoded.request.tool_choice == ToolChoice::named);
  CHECK(decoded.request.tool_choice_name == "g");
  CHECK(decoded.request.parallel_tool_calls == Flag::no);
}

TEST_CASE("each kind of tool choice is read") {
  const std::string tools = R"("tools":[{"name":"f","input_schema":{}}],"tool_choice":)";
  CHECK(with(tools + R"({"type":"auto"})").request.tool_choice == ToolChoice::automatic);
  CHECK(with(tools + R"({"type":"any"})").request.tool_choice == ToolChoice::required);
  CHECK(with(tools + R"({"type":"none"})").request.tool_choice == ToolChoice::none);
  const Decoding both = with(tools + R"({"type":"auto","disable_parallel_tool_use":false})");
  CHECK(both.request.parallel_tool_calls == Flag::yes);
}

TEST_CASE("calls and results keep their ids, arguments and order") {
  const Decoding decoded = messages(
      a_user + "," + a_call +
      R"(,{"role":"user","content":[{"type":"text","text":"and?"},{"type":"tool_result",)"
      R"("tool_use_id":"toolu_1","is_error":true,"content":[{"type":"text","text":"no"},)"
      R"({"type":"image","source":{"type":"base64","media_type":"image/PNG","data":"QUI="}}],)"
      R"("cache_control":{"type":"ephemeral"}}]})");
  REQUIRE(decoded.accepted);
  REQUIRE(decoded.request.messages.count == 4);
  const Part& call = part_at(message_at(decoded, 1), 1);
  CHECK(call.kind == PartKind::tool_call);
  CHECK(call.id == "toolu_1");
  CHECK(call.name == "f");
  CHECK(call.arguments.bytes == R"({"n": 1e400})");
  CHECK_FALSE(call.arguments_escaped);
  // The results come first, whatever the client's order.
  const Message& results = message_at(decoded, 2);
  CHECK(results.role == Role::tool);
  CHECK(results.index == 2);
  const Part& result = part_at(results);
  CHECK(result.kind == PartKind::tool_result);
  CHECK(result.index == 1);
  CHECK(result.is_error);
  CHECK(result.cache == CacheMark::short_lived);
  REQUIRE(result.content.count == 2);
  CHECK(result.content.first->text.bytes == "no");
  CHECK(result.content.last->kind == PartKind::image);
  CHECK(result.content.last->media_type == "image/png");
  CHECK(message_at(decoded, 3).role == Role::user);
  CHECK(part_at(message_at(decoded, 3)).text.bytes == "and?");
}

TEST_CASE("a turn of results alone makes no empty message of the user") {
  const Decoding decoded = messages(a_user + "," + a_call + "," + a_result);
  REQUIRE(decoded.accepted);
  CHECK(decoded.request.messages.count == 3);
  CHECK(decoded.request.messages.last->role == Role::tool);
}

TEST_CASE("images and documents are read from each kind of source") {
  struct Case {
    const char* block;
    PartKind kind;
  };
  const Case cases[] = {
      {R"({"type":"image","source":{"type":"base64","media_type":"image/jpeg","data":"QUI="}})",
       PartKind::image},
      {R"({"type":"image","source":{"type":"url","url":"https://x/y.png"}})", PartKind::image},
      {R"({"type":"image","source":{"type":"file","file_id":"file_1"}})", PartKind::image},
      {R"({"type":"document","title":"t","source":{"type":"base64",)"
       R"("media_type":"application/pdf","data":"JVBE"}})",
       PartKind::file},
      {R"({"type":"document","source":{"type":"url","url":"https://x/y.pdf"}})", PartKind::file},
      {R"({"source":{"data":"plain\n","media_type":"text/plain","type":"text"},)"
       R"("type":"document"})",
       PartKind::file},
  };
  std::vector<Decoding> all;
  for (const Case& item : cases) {
    CAPTURE(item.block);
    all.push_back(user_block(item.block));
    REQUIRE(all.back().accepted);
    CHECK(part_at(message_at(all.back(), 0)).kind == item.kind);
  }
  CHECK(part_at(message_at(all[0], 0)).data.bytes == "QUI=");
  CHECK(part_at(message_at(all[1], 0)).url.bytes == "https://x/y.png");
  CHECK(part_at(message_at(all[2], 0)).file_id == "file_1");
  CHECK(part_at(message_at(all[3], 0)).file_name.bytes == "t");
  CHECK(part_at(message_at(all[3], 0)).media_type == "application/pdf");
  CHECK(part_at(message_at(all[5], 0)).text.bytes == "plain\\n");
}

TEST_CASE("search results and documents of blocks become the texts that the model would read") {
  const Decoding decoded = user_block(
      R"({"type":"search_result","title":"T","source":"https://s","content":[)"
      R"({"type":"text","text":"found"}],"cache_control":{"type":"ephemeral"}},)"
      R"({"type":"document","title":"D","context":"C","source":{"type":"content","content":[)"
      R"({"type":"text","text":"one"},{"type":"text","text":"two"}]}})");
  REQUIRE(decoded.accepted);
  std::string texts;
  for (const Part* part = message_at(decoded, 0).parts.first; part != nullptr; part = part->next) {
    CHECK(part->kind == PartKind::text);
    texts += std::string(part->text.bytes) + "|";
  }
  CHECK(texts == "T|https://s|found|D|C|one|two|");
  CHECK(part_at(message_at(decoded, 0), 2).cache == CacheMark::short_lived);
}

TEST_CASE("thinking keeps its signature, and its maker's name is taken off again") {
  const Decoding decoded = messages(
      a_user +
      R"(,{"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig=="},)"
      R"({"type":"redacted_thinking","data":"opaque"},)"
      R"({"type":"thinking","thinking":"g","signature":"hyperion.gemini.xyz"},)"
      R"({"type":"redacted_thinking","data":"hyperion.openai.enc"},)"
      R"({"type":"text","text":"so"}]})");
  REQUIRE(decoded.accepted);
  const Message& turn = message_at(decoded, 1);
  REQUIRE(turn.parts.count == 5);
  CHECK(part_at(turn, 0).kind == PartKind::thinking);
  CHECK(part_at(turn, 0).text.bytes == "hm");
  CHECK(part_at(turn, 0).signature.bytes == "sig==");
  CHECK(part_at(turn, 0).signature_of == Maker::anthropic);
  CHECK(part_at(turn, 1).kind == PartKind::redacted_thinking);
  CHECK(part_at(turn, 1).text.bytes == "opaque");
  CHECK(part_at(turn, 1).signature_of == Maker::anthropic);
  CHECK(part_at(turn, 2).signature.bytes == "xyz");
  CHECK(part_at(turn, 2).signature_of == Maker::gemini);
  CHECK(part_at(turn, 3).text.bytes == "enc");
  CHECK(part_at(turn, 3).signature_of == Maker::openai);
}

TEST_CASE("a signature of Gemini's in front of a call belongs to the call") {
  const Decoding decoded = messages(
      a_user +
      R"(,{"role":"assistant","content":[{"type":"redacted_thinking",)"
      R"("data":"hyperion.gemini.sig1"},{"type":"tool_use","id":"a","name":"f","input":{}},)"
      R"({"type":"tool_use","id":"b","name":"f"}]},{"role":"user","content":[)"
      R"({"type":"tool_result","tool_use_id":"b"},{"type":"tool_result","tool_use_id":"a"}]})");
  REQUIRE(decoded.accepted);
  const Message& turn = message_at(decoded, 1);
  REQUIRE(turn.parts.count == 2);
  CHECK(part_at(turn, 0).signature.bytes == "sig1");
  CHECK(part_at(turn, 0).signature_of == Maker::gemini);
  CHECK_FALSE(part_at(turn, 1).signature.given());
  CHECK(part_at(turn, 1).arguments.bytes == "{}");
}

TEST_CASE("what the provider's own tools left in the conversation is passed over") {
  const Decoding decoded = messages(
      a_user +
      R"(,{"role":"assistant","content":[{"type":"server_tool_use","id":"s","name":"web_search",)"
      R"("input":{}},{"type":"web_search_tool_result","tool_use_id":"s","content":[]},)"
      R"({"type":"compaction","content":"x"},{"type":"text","text":"found"}]},)" +
      a_user);
  REQUIRE(decoded.accepted);
  REQUIRE(message_at(decoded, 1).parts.count == 1);
  CHECK(part_at(message_at(decoded, 1)).text.bytes == "found");
}

TEST_CASE("Hyperion's own fields are passed over, extra_body is read as the top") {
  const Decoding decoded =
      with(R"("hyperion":{"max_cost":1},"smart_routing":true,"fallbacks":["x"],"models":["y"],)"
           R"("extra_body":{"temperature":0.5,"odd":1})");
  REQUIRE(decoded.accepted);
  CHECK(decoded.request.temperature.bytes == "0.5");
  REQUIRE(decoded.request.unknown.count == 1);
  CHECK(decoded.request.unknown.first->plain == "odd");
}

TEST_CASE("only a count of tokens can do without max_tokens") {
  const std::string body = R"({"model":"m","messages":[{"role":"user","content":"hi"}]})";
  const Decoding refused(anthropic::language(), body);
  CHECK_FALSE(refused.accepted);
  CHECK(refused.param() == "max_tokens");
  test::Memory memory;
  Request request;
  RequestProblem problem;
  CHECK(anthropic::decode_count_request(body, {memory.arena, memory.scratch}, request, problem));
  CHECK(request.output_tokens_max == -1);
}

namespace {

struct Refusal {
  std::string members;
  const char* param;
};

const std::string head = R"("max_tokens":9,)";
std::string turns(const std::string& list) { return head + "\"messages\":[" + list + "]"; }
std::string blocks(const std::string& list) {
  return turns(R"({"role":"user","content":[)" + list + "]}");
}
std::string top(const std::string& members) { return turns(a_user) + "," + members; }

void check_refused(const std::vector<Refusal>& refusals) {
  for (const Refusal& item : refusals) {
    CAPTURE(item.members);
    const Decoding decoded = decode(item.members);
    CHECK_FALSE(decoded.accepted);
    CHECK(decoded.problem.status == 400);
    CHECK(decoded.param() == item.param);
    CHECK(decoded.message().find(item.param) != std::string::npos);
    CHECK(decoded.message().size() > std::string(item.param).size() + 10);
  }
}

}  // namespace

TEST_CASE("what is wrong with a message is refused, with the client's name for the place") {
  check_refused({
      {head + R"("stream":false)", "messages"},
      {turns(""), "messages"},
      {head + R"("messages":"hi")", "messages"},
      {turns("7"), "messages[0]"},
      {turns(R"({"role":"user"})"), "messages[0].content"},
      {turns(R"({"role":"tool","content":"x"})"), "messages[0].role"},
      {turns(R"({"role":7,"content":"x"})"), "messages[0].role"},
      {turns(R"({"role":"user","content":7})"), "messages[0].content"},
      {turns(R"({"role":"user","content":[]})"), "messages[0].content"},
      {blocks("\"text\""), "messages[0].content[0]"},
      {blocks("{}"), "messages[0].content[0].type"},
      {blocks(R"({"type":"sound"})"), "messages[0].content[0].type"},
      {blocks(R"({"type":"tool_use","id":"a","name":"b","input":{}})"),
       "messages[0].content[0].type"},
      {blocks(R"({"type":"text"})"), "messages[0].content[0].text"},
      {blocks(R"({"type":"text","text":{}})"), "messages[0].content[0].text"},
      {blocks(R"({"type":"text","text":"a","cache_control":{"ttl":"2h"}})"),
       "messages[0].content[0].cache_control.ttl"},
      {blocks(R"({"type":"image"})"), "messages[0].content[0].source"},
      {blocks(R"({"type":"image","source":{"type":"base64","media_type":"image/png",)"
              R"("data":"QU\nI="}})"),
       "messages[0].content[0].source.data"},
      {blocks(R"({"type":"image","source":{"type":"base64","data":"QUI="}})"),
       "messages[0].content[0].source.media_type"},
      {blocks(R"({"type":"image","source":{"type":"text","data":"a"}})"),
       "messages[0].content[0].source.type"},
      {blocks(R"({"type":"image","source":{"type":"url","url":"data:image/png;base64,QQ=="}})"),
       "messages[0].content[0].source.url"},
      {blocks(R"({"type":"tool_result","tool_use_id":"x"})"), "messages[0].content[0].tool_use_id"},
      {turns(a_user + "," + a_call + "," + a_result + "," + a_result),
       "messages[3].content[0].tool_use_id"},
      {turns(a_user + "," + a_call + "," + a_user), "messages[1]"},
      {turns(a_user + "," + a_call + "," + a_user + "," + a_call), "messages[1]"},
      {turns(a_user + R"(,{"role":"assistant","content":[{"type":"tool_use","id":"a",)"
                      R"("name":"f","input":"{}"}]})"),
       "messages[1].content[0].input"},
      {turns(a_user + R"(,{"role":"assistant","content":[{"type":"tool_use","name":"f"}]})"),
       "messages[1].content[0].id"},
      {turns(a_user + R"(,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f"},)"
                      R"({"type":"tool_use","id":"a","name":"f"}]})"),
       "messages[1].content[1].id"},
      {turns(a_user + R"(,{"role":"system","content":[{"type":"image"}]})"),
       "messages[1].content[0].type"},
  });
}

TEST_CASE("what is wrong with a setting is refused, with the client's name for the place") {
  check_refused({
      {top(R"("max_tokens":0)"), "max_tokens"},
      {top(R"("max_tokens":"9")"), "max_tokens"},
      {top(R"("max_tokens":1.5)"), "max_tokens"},
      {top(R"("system":7)"), "system"},
      {top(R"("system":"a","system":"b")"), "system"},
      {top(R"("system":[{"type":"image"}])"), "system[0].type"},
      {top(R"("temperature":"hot")"), "temperature"},
      {top(R"("stop_sequences":"END")"), "stop_sequences"},
      {top(R"("stop_sequences":[7])"), "stop_sequences[0]"},
      {top(R"("stream":"yes")"), "stream"},
      {top(R"("metadata":[])"), "metadata"},
      {top(R"("metadata":{"user_id":7})"), "metadata.user_id"},
      {top(R"("tools":{})"), "tools"},
      {top(R"("tools":[{"input_schema":{}}])"), "tools[0].name"},
      {top(R"("tools":[{"name":"f"}])"), "tools[0].input_schema"},
      {top(R"("tools":[{"name":"f","input_schema":"{}"}])"), "tools[0].input_schema"},
      {top(R"("tool_choice":"auto")"), "tool_choice"},
      {top(R"("tool_choice":{"type":"required"})"), "tool_choice.type"},
      {top(R"("tool_choice":{"type":"any"})"), "tool_choice"},
      {top(R"("tools":[{"name":"f","input_schema":{}}],"tool_choice":{"type":"tool","name":"g"})"),
       "tool_choice.name"},
      {top(R"("thinking":{"type":"enabled"})"), "thinking.budget_tokens"},
      {top(R"("thinking":{"type":"enabled","budget_tokens":1000})"), "thinking.budget_tokens"},
      {top(R"("thinking":{"type":"hard"})"), "thinking.type"},
      {top(R"("output_config":{"effort":"minimal"})"), "output_config.effort"},
      {top(R"("output_config":{"format":{"type":"json_object"}})"), "output_config.format.type"},
      {top(R"("output_config":{"format":{"type":"json_schema"}})"), "output_config.format.schema"},
  });
}

TEST_CASE("a turn of more calls than can be matched is refused by its limit") {
  std::string calls;
  for (int i = 0; i < 513; ++i) {
    calls += (i == 0 ? "" : ",") + std::string(R"({"type":"tool_use","id":"c)") +
             std::to_string(i) + R"(","name":"f"})";
  }
  const Decoding decoded = messages(a_user + R"(,{"role":"assistant","content":[)" + calls + "]}");
  CHECK_FALSE(decoded.accepted);
  CHECK(decoded.param() == "messages[1].content[512]");
  CHECK(decoded.message().find("512") != std::string::npos);
}

TEST_CASE("results of consecutive turns of the user answer one turn of calls") {
  const Decoding decoded = messages(
      a_user + R"(,{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f"}]},)"
               R"({"role":"assistant","content":[{"type":"tool_use","id":"b","name":"f"}]},)"
               R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"b"}]},)"
               R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"a"}]},)"
               R"({"role":"assistant","content":"done"})");
  CHECK(decoded.accepted);
}
