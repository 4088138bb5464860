#include <string>

#include "dialect/openai_responses.h"
#include "dialect/openai_responses_bench.h"

using namespace hyperion;
using namespace hyperion::dialect;
using test::Bench;

namespace {

const Language& responses() { return openai_responses::language(); }

struct Refusal {
  const char* body;
  const char* code;
  const char* param;
};

void check_refused(const Refusal& item) {
  CAPTURE(item.body);
  Bench bench;
  CHECK(!bench.decode(responses(), item.body));
  CHECK(bench.problem.status == 400);
  CHECK(std::string(bench.problem.code == nullptr ? "" : bench.problem.code) == item.code);
  CHECK(std::string(bench.problem.param) == item.param);
  CHECK(std::string(bench.problem.message).find(item.param) != std::string::npos);
}

// The body with these members beside `model` and `input`.
std::string with(std::string_view members) {
  return R"({"model":"m","input":"hi",)" + std::string(members) + "}";
}

const Part* part_at(const Message* message, size_t index) {
  const Part* part = message->parts.first;
  while (index-- > 0 && part != nullptr) part = part->next;
  REQUIRE(part != nullptr);
  return part;
}

const Message* message_at(const Request& request, size_t index) {
  const Message* message = request.messages.first;
  while (index-- > 0 && message != nullptr) message = message->next;
  REQUIRE(message != nullptr);
  return message;
}

}  // namespace

TEST_CASE("a text as input is one message of the user, instructions stand before it") {
  Bench bench;
  REQUIRE(bench.decode(
      responses(), R"({"input":"say \"hi\"","model":"m","instructions":"be \u00e4 bit short"})"));
  REQUIRE(bench.request.messages.count == 2);
  const Message* system = message_at(bench.request, 0);
  CHECK(system->role == Role::system);
  CHECK(part_at(system, 0)->text.bytes == "be \\u00e4 bit short");
  CHECK(message_at(bench.request, 1)->role == Role::user);
  CHECK(part_at(message_at(bench.request, 1), 0)->text.bytes == "say \\\"hi\\\"");
}

TEST_CASE("roles are read whatever the order of members, with or without a type") {
  Bench bench;
  REQUIRE(bench.decode(responses(), R"({"input":[
    {"content":"a","role":"developer"},
    {"content":[{"text":"b","type":"input_text"}],"role":"user","type":"message"},
    {"type":"message","id":"msg_1","status":"completed","role":"assistant",
     "content":[{"type":"output_text","text":"c","annotations":[]},
     {"type":"refusal","refusal":"d"}]},
    {"role":"system","content":"e"}]})"));
  const Role roles[] = {Role::system, Role::user, Role::assistant, Role::system};
  REQUIRE(bench.request.messages.count == 4);
  for (size_t i = 0; i < 4; ++i) {
    CHECK(message_at(bench.request, i)->role == roles[i]);
    CHECK(message_at(bench.request, i)->index == i);
  }
  CHECK(part_at(message_at(bench.request, 2), 1)->kind == PartKind::refusal);
}

TEST_CASE("images, files and sound are taken apart into data, URL or id") {
  Bench bench;
  REQUIRE(bench.decode(responses(), R"({"input":[{"role":"user","content":[
    {"type":"input_image","image_url":"data:image/PNG;charset=x;base64,iVBO","detail":"low"},
    {"type":"input_image","image_url":"https:\/\/example.com\/a.png"},
    {"type":"input_image","file_id":"file-1"},
    {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"},
    {"type":"input_file","file_data":"JVBERi0x"},
    {"type":"input_file","file_url":"https://example.com/a.pdf"},
    {"type":"input_file","file_id":"file-2"},
    {"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},
    {"type":"input_image","image_url":"data:application/pdf;base64,JVBE"}]}]})"));
  const Message* message = message_at(bench.request, 0);
  CHECK(part_at(message, 0)->media_type == "image/png");
  CHECK(part_at(message, 0)->data.bytes == "iVBO");
  CHECK(part_at(message, 0)->detail == "low");
  CHECK(part_at(message, 1)->url.bytes == "https:\\/\\/example.com\\/a.png");
  CHECK(part_at(message, 2)->file_id == "file-1");
  CHECK(part_at(message, 3)->file_name.bytes == "a.pdf");
  CHECK(part_at(message, 3)->media_type == "application/pdf");
  CHECK(part_at(message, 4)->media_type == "application/pdf");
  CHECK(part_at(message, 5)->url.bytes == "https://example.com/a.pdf");
  CHECK(part_at(message, 6)->file_id == "file-2");
  CHECK(part_at(message, 7)->kind == PartKind::audio);
  CHECK(part_at(message, 7)->media_type == "audio/wav");
  CHECK(part_at(message, 8)->kind == PartKind::file);
}

TEST_CASE("reasoning, words and calls in a row are one turn of the assistant") {
  Bench bench;
  REQUIRE(bench.decode(responses(), R"({"input":[
    {"role":"user","content":"q"},
    {"type":"reasoning","id":"rs_1","encrypted_content":"gAAA",
     "summary":[{"type":"summary_text","text":"one"},{"type":"summary_text","text":"two"}]},
    {"type":"message","role":"assistant","content":"let me see"},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{\"a\":1e400}"},
    {"type":"function_call","call_id":"c2","name":"g","arguments":""},
    {"type":"function_call_output","call_id":"c2","output":"ok"},
    {"type":"function_call_output","call_id":"c1","output":[{"type":"input_text","text":"x"},
     {"type":"input_image","image_url":"data:image/png;base64,iVBO"}]},
    {"role":"assistant","content":"done"},
    {"role":"assistant","content":"really"}]})"));
  REQUIRE(bench.request.messages.count == 6);
  const Message* turn = message_at(bench.request, 1);
  CHECK(turn->role == Role::assistant);
  REQUIRE(turn->parts.count == 5);
  CHECK(part_at(turn, 0)->kind == PartKind::thinking);
  CHECK(!part_at(turn, 0)->signature.given());
  CHECK(part_at(turn, 1)->text.bytes == "two");
  CHECK(part_at(turn, 1)->signature.bytes == "gAAA");
  CHECK(part_at(turn, 1)->signature_of == Maker::openai);
  CHECK(part_at(turn, 3)->arguments.bytes == R"({\"a\":1e400})");
  CHECK(part_at(turn, 3)->arguments_escaped);
  CHECK(part_at(turn, 4)->arguments.bytes == "{}");
  CHECK(!part_at(turn, 4)->arguments_escaped);
  CHECK(message_at(bench.request, 2)->role == Role::tool);
  CHECK(part_at(message_at(bench.request, 2), 0)->id == "c2");
  CHECK(part_at(message_at(bench.request, 3), 0)->content.count == 2);
  CHECK(message_at(bench.request, 4)->parts.count == 1);
}

TEST_CASE("signatures of other makers come back in encrypted_content") {
  Bench bench;
  REQUIRE(bench.decode(responses(), R"({"input":[{"role":"user","content":"q"},
    {"type":"reasoning","encrypted_content":"hyperion.anthropic.Sig+/=",
     "summary":[{"type":"summary_text","text":"hm"}]},
    {"type":"reasoning","summary":[],"encrypted_content":"hyperion.anthropic.redacted.Opaque"},
    {"type":"reasoning","summary":[],"encrypted_content":"hyperion.gemini.call.Thought"},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
    {"type":"function_call","call_id":"c2","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":""},
    {"type":"function_call_output","call_id":"c2","output":""},
    {"type":"reasoning","summary":[]}]})"));
  const Message* turn = message_at(bench.request, 1);
  REQUIRE(turn->parts.count == 4);
  CHECK(part_at(turn, 0)->text.bytes == "hm");
  CHECK(part_at(turn, 0)->signature.bytes == "Sig+/=");
  CHECK(part_at(turn, 0)->signature_of == Maker::anthropic);
  CHECK(part_at(turn, 1)->kind == PartKind::redacted_thinking);
  CHECK(part_at(turn, 1)->text.bytes == "Opaque");
  CHECK(part_at(turn, 1)->signature_of == Maker::anthropic);
  CHECK(part_at(turn, 2)->signature.bytes == "Thought");
  CHECK(part_at(turn, 2)->signature_of == Maker::gemini);
  CHECK(!part_at(turn, 3)->signature.given());
  CHECK_MESSAGE(bench.request.messages.count == 4, "reasoning that holds nothing adds no turn");
}

TEST_CASE("tools are read flat: functions, free-text tools, tools of the provider") {
  Bench bench;
  REQUIRE(bench.decode(responses(), with(R"("tool_choice":{"type":"function","name":"f"},"tools":[
    {"type":"function","name":"f","description":"d","parameters":{"b":1,"a":[1.0]},"strict":true},
    {"type":"function","name":"g"},
    {"type":"custom","name":"patch","format":{"type":"text"}},
    {"type":"web_search","search_context_size":"low"}],"parallel_tool_calls":false)")));
  REQUIRE(bench.request.tools.count == 4);
  const Tool* tool = bench.request.tools.first;
  CHECK(tool->schema.bytes == R"({"b":1,"a":[1.0]})");
  CHECK(tool->strict == Flag::yes);
  tool = tool->next;
  CHECK(!tool->schema.given());
  CHECK(tool->strict == Flag::unset);
  tool = tool->next;
  CHECK(tool->kind == Tool::Kind::custom);
  CHECK(tool->name == "patch");
  tool = tool->next;
  CHECK(tool->kind == Tool::Kind::server);
  CHECK(tool->definition.bytes == R"({"type":"web_search","search_context_size":"low"})");
  CHECK(bench.request.tool_choice == ToolChoice::named);
  CHECK(bench.request.tool_choice_name == "f");
  CHECK(bench.request.parallel_tool_calls == Flag::no);
}

TEST_CASE("allowed_tools narrow the choice") {
  Bench bench;
  REQUIRE(bench.decode(responses(), with(R"("tools":[{"type":"function","name":"f"},
    {"type":"function","name":"g"}],"tool_choice":{"type":"allowed_tools","mode":"required",
    "tools":[{"type":"function","name":"g"}]})")));
  CHECK(bench.request.tool_choice == ToolChoice::required);
  REQUIRE(bench.request.allowed_tools.count == 1);
  CHECK(bench.request.allowed_tools.first->plain == "g");
}

TEST_CASE("every setting of the top level has its place, null is not given") {
  Bench bench;
  REQUIRE(bench.decode(responses(), with(R"("max_output_tokens":100,"temperature":0.50,"top_p":1,
    "reasoning":{"effort":"high","summary":"auto"},"user":"u","metadata":{"k":"v"},"store":true,
    "service_tier":"flex","stream":true,"top_logprobs":3,"truncation":"disabled",
    "previous_response_id":null,"background":false,"conversation":null,"tools":null,
    "stream_options":{"include_obfuscation":false},"include":["reasoning.encrypted_content"],
    "text":{"verbosity":"low","format":{"type":"json_schema","name":"n","schema":{"z":1,"a":2},
    "strict":false,"description":"d"}})")));
  const Request& request = bench.request;
  CHECK(request.output_tokens_max == 100);
  CHECK(request.temperature.bytes == "0.50");
  CHECK(request.top_p.bytes == "1");
  CHECK(request.effort_given);
  CHECK(request.effort == catalog::Effort::high);
  CHECK(request.thinking_shown == Flag::yes);
  CHECK(request.user.bytes == "u");
  CHECK(request.metadata.bytes == R"({"k":"v"})");
  CHECK(request.store == Flag::yes);
  CHECK(request.service_tier == "flex");
  CHECK(request.stream);
  CHECK_MESSAGE(request.include_usage, "the usage is part of every answer in this dialect");
  CHECK(request.top_logprobs == 3);
  CHECK(request.logprobs);
  CHECK(request.verbosity == "low");
  CHECK(request.format == Format::json_schema);
  CHECK(request.schema_name == "n");
  CHECK(request.schema.bytes == R"({"z":1,"a":2})");
  CHECK(request.schema_strict == Flag::no);
  CHECK(request.unknown.empty());
}

TEST_CASE("fields without a counterpart are named, the gateway's own are not") {
  Bench bench;
  REQUIRE(bench.decode(responses(), with(R"("truncation":"auto","prompt_cache_key":"k","foo":1,
    "smart_routing":true,"hyperion":{"tags":{}},"fallbacks":[],"max_tool_calls":null,
    "extra_body":{"temperature":1.5,"bar":2})")));
  std::string names;
  for (const Word* word = bench.request.unknown.first; word != nullptr; word = word->next) {
    names += std::string(word->plain) + " ";
  }
  CHECK(names == "prompt_cache_key foo bar truncation ");
  CHECK(bench.request.temperature.bytes == "1.5");
}

TEST_CASE("what needs a memory at our side is refused by name") {
  const Refusal cases[] = {
      {R"({"input":"a","previous_response_id":"resp_1"})", "unsupported_parameter",
       "previous_response_id"},
      {R"({"input":"a","conversation":"conv_1"})", "unsupported_parameter", "conversation"},
      {R"({"input":"a","background":true})", "unsupported_parameter", "background"},
      {R"({"prompt":{"id":"pmpt_1"}})", "unsupported_parameter", "prompt"},
      {R"({"input":[{"type":"item_reference","id":"msg_1"}]})", "unsupported_parameter",
       "input[0].type"},
      {R"({"input":[{"id":"msg_1"}]})", "unsupported_parameter", "input[0].type"},
      {R"({"input":[{"type":"compaction","encrypted_content":"x"}]})", "unsupported_parameter",
       "input[0].type"},
      {R"({"input":[{"type":"custom_tool_call","call_id":"c","name":"n","input":"x"}]})",
       "unsupported_parameter", "input[0].type"},
      {R"({"input":"a","tools":[{"type":"mcp"}],"tool_choice":{"type":"mcp"}})",
       "unsupported_parameter", "tool_choice"},
  };
  for (const Refusal& item : cases) check_refused(item);
}

TEST_CASE("what is wrong is refused and named") {
  const Refusal cases[] = {
      {R"({"model":"m"})", "invalid_request", "input"},
      {R"({"input":null})", "invalid_request", "input"},
      {R"({"input":""})", "invalid_request", "input"},
      {R"({"input":[]})", "invalid_request", "input"},
      {R"({"input":"a","input":"b"})", "invalid_request", "input"},
      {R"({"input":[{"type":"web_search_call","id":"w"}]})", "invalid_request", "input"},
      {R"({"input":7})", "invalid_request", "input"},
      {R"({"input":["a"]})", "invalid_request", "input[0]"},
      {R"({"input":[{}]})", "invalid_request", "input[0].type"},
      {R"({"input":[{"type":"nonsense"}]})", "invalid_request", "input[0].type"},
      {R"({"input":[{"role":"tool","content":"a"}]})", "invalid_request", "input[0].role"},
      {R"({"input":[{"role":"user"}]})", "invalid_request", "input[0].content"},
      {R"({"input":[{"role":"user","content":[]}]})", "invalid_request", "input[0].content"},
      {R"({"input":[{"role":"user","content":[{"type":"text","text":"a"}]}]})", "invalid_request",
       "input[0].content[0].type"},
      {R"({"input":[{"role":"user","content":[{"type":"input_text","text":1}]}]})",
       "invalid_request", "input[0].content[0].text"},
      {R"({"input":[{"role":"assistant","content":[{"type":"input_image","image_url":"u"}]}]})",
       "invalid_request", "input[0].content[0].type"},
      {R"({"input":[{"role":"user","content":[{"type":"refusal","refusal":"u"}]}]})",
       "invalid_request", "input[0].content[0].type"},
      {R"({"input":[{"role":"user","content":[{"type":"input_image"}]}]})", "invalid_request",
       "input[0].content[0].image_url"},
      {R"({"input":[{"role":"user","content":[{"type":"input_image",
         "image_url":"data:image/png;base64,iV\nBO"}]}]})",
       "invalid_request", "input[0].content[0].image_url"},
      {R"({"input":[{"role":"user","content":[{"type":"input_file","file_data":"%%"}]}]})",
       "invalid_request", "input[0].content[0].file_data"},
      // Nothing says what it is.
      {R"({"input":[{"role":"user","content":[{"type":"input_file","file_data":"QUJD"}]}]})",
       "invalid_request", "input[0].content[0].file_data"},
      {R"({"input":[{"role":"user","content":[{"type":"input_file"}]}]})", "invalid_request",
       "input[0].content[0]"},
      {R"({"input":[{"role":"user","content":[{"type":"input_audio","input_audio":
         {"data":"UklG","format":"ogg"}}]}]})",
       "invalid_request", "input[0].content[0].input_audio.format"},
  };
  for (const Refusal& item : cases) check_refused(item);
}

TEST_CASE("calls, their outputs and settings that are wrong are refused and named") {
  const Refusal cases[] = {
      {R"({"input":[{"type":"function_call_output","call_id":"c","output":"a"}]})",
       "invalid_request", "input[0].call_id"},
      {R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]})",
       "invalid_request", "input[0].call_id"},
      {R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},
         {"type":"function_call_output","call_id":"c","output":"a"},
         {"type":"function_call_output","call_id":"c","output":"a"}]})",
       "invalid_request", "input[2].call_id"},
      {R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"[1]"}]})",
       "invalid_request", "input[0].arguments"},
      {R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":"}]})",
       "invalid_request", "input[0].arguments"},
      {R"({"input":[{"type":"function_call","call_id":"c","name":"f","arguments":{}}]})",
       "invalid_request", "input[0].arguments"},
      {R"({"input":[{"type":"function_call","name":"f","arguments":"{}"}]})", "invalid_request",
       "input[0].call_id"},
      {R"({"input":[{"type":"reasoning","summary":"a"}]})", "invalid_request", "input[0].summary"},
      {R"({"input":"a","max_output_tokens":0})", "invalid_request", "max_output_tokens"},
      {R"({"input":"a","max_output_tokens":1.5})", "invalid_request", "max_output_tokens"},
      {R"({"input":"a","temperature":"1"})", "invalid_request", "temperature"},
      {R"({"input":"a","stream":"yes"})", "invalid_request", "stream"},
      {R"({"input":"a","reasoning":{"effort":"huge"}})", "invalid_request", "reasoning.effort"},
      {R"({"input":"a","text":{"format":{"type":"xml"}}})", "invalid_request", "text.format.type"},
      {R"({"input":"a","text":{"format":{"type":"json_schema","name":"n"}}})", "invalid_request",
       "text.format.schema"},
      {R"({"input":"a","tools":{}})", "invalid_request", "tools"},
      {R"({"input":"a","tools":[{"type":"function","function":{"name":"f"}}]})", "invalid_request",
       "tools[0].function"},
      {R"({"input":"a","tools":[{"type":"function"}]})", "invalid_request", "tools[0].name"},
      {R"({"input":"a","tool_choice":"required"})", "invalid_request", "tool_choice"},
      {R"({"input":"a","tool_choice":"any"})", "invalid_request", "tool_choice"},
      {R"({"input":"a","tool_choice":{"type":"function","name":"f"}})", "invalid_request",
       "tool_choice.name"},
      {R"({"input":"a","include":"x"})", "invalid_request", "include"},
      {R"({"input":"a","metadata":[]})", "invalid_request", "metadata"},
  };
  for (const Refusal& item : cases) check_refused(item);
}

TEST_CASE("traces of tools that the provider ran are left out and named") {
  Bench bench;
  REQUIRE(bench.decode(responses(), R"({"input":[{"role":"user","content":"a"},
    {"type":"web_search_call","id":"ws_1","status":"completed"},
    {"type":"mcp_list_tools","id":"m"},{"role":"assistant","content":"b"}]})"));
  CHECK(bench.request.messages.count == 2);
  CHECK(bench.request.unknown.first->plain == "input.server_tools");
}
