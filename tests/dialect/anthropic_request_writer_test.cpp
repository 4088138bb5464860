#include <string>

#include <doctest/doctest.h>

#include "dialect/anthropic_writing.h"

using namespace hyperion;
using namespace hyperion::test::anthropic_writing;
using test::Decoding;
using test::Encoding;
using test::json_of;

TEST_CASE("max_tokens is always sent: the client's, else the model's most, else 4096") {
  const catalog::Model model = budget_model();
  CHECK(with("\"n\":1")["max_tokens"].integer() == 4096);
  CHECK(with("\"n\":1", &model)["max_tokens"].integer() == 64'000);
  CHECK(with("\"max_tokens\":7", &model)["max_tokens"].integer() == 7);
  const Written clamped = with("\"max_tokens\":70000", &model);
  CHECK(clamped["max_tokens"].integer() == 64'000);
  CHECK(clamped.adjusted == "max_tokens");
  CHECK(clamped["model"].text == "claude-x");
}

TEST_CASE("leading system messages are joined in order and keep their cache marks") {
  const Written written = turns(R"({"role":"system","content":[{"type":"text","text":"a",)"
                                R"("cache_control":{"type":"ephemeral","ttl":"1h"}}]},)"
                                R"({"role":"developer","content":"b\n"},)" +
                                user);
  CHECK(written["system"] ==
        json_of(R"([{"type":"text","text":"a","cache_control":{"type":"ephemeral","ttl":"1h"}},)"
                R"({"type":"text","text":"b\n"}])"));
  CHECK(written["messages"] ==
        json_of(R"([{"role":"user","content":[{"type":"text","text":"hi"}]}])"));
}

TEST_CASE("a later system message stays in its place, by the model's own way to say it") {
  const std::string list = user + R"(,{"role":"assistant","content":"yes"},)" + user +
                           R"(,{"role":"system","content":"in French"})";
  const catalog::Model native = adaptive_model();
  CHECK(turns(list, &native)["messages"].elements[3] ==
        json_of(R"({"role":"system","content":[{"type":"text","text":"in French"}]})"));
  const catalog::Model folding = budget_model();
  const Written folded = turns(list, &folding);
  CHECK(folded["system"].is(Tree::Kind::null));
  REQUIRE(folded["messages"].elements.size() == 3);
  CHECK(folded["messages"].elements[2] ==
        json_of(R"({"role":"user","content":[{"type":"text","text":"hi"},)"
                R"({"type":"text","text":"in French"}]})"));
}

TEST_CASE("system messages alone are what the user says") {
  const catalog::Model native = adaptive_model();
  const Written written = turns(R"({"role":"system","content":"greet me"})", &native);
  CHECK(written["messages"] ==
        json_of(R"([{"role":"user","content":[{"type":"text","text":"greet me"}]}])"));
  CHECK(written["system"].is(Tree::Kind::null));
}

TEST_CASE("a conversation that the assistant begins gets a turn of the user in front") {
  const Written written = turns(R"({"role":"assistant","content":"Hello, I am X"},)" + user);
  REQUIRE(written["messages"].elements.size() == 3);
  CHECK(written["messages"].elements[0]["role"].text == "user");
  CHECK(written.adjusted == "messages");
}

TEST_CASE("neighbours of one role become one turn") {
  const Written written = turns(user + "," + user +
                                R"(,{"role":"assistant","content":"a"},)"
                                R"({"role":"assistant","content":"b"},)" +
                                user);
  REQUIRE(written["messages"].elements.size() == 3);
  CHECK(written["messages"].elements[0]["content"].elements.size() == 2);
  CHECK(written["messages"].elements[1]["content"].elements.size() == 2);
}

TEST_CASE("all results of one turn's calls stand in the next turn, before any text") {
  const Written written = turns(user + "," + calls + "," + result_1 + "," + result_2 + "," + user);
  REQUIRE(written["messages"].elements.size() == 3);
  const Tree& call_turn = written["messages"].elements[1];
  REQUIRE(call_turn["content"].elements.size() == 2);
  CHECK(call_turn["content"].elements[0] ==
        json_of(R"({"type":"tool_use","id":"call_1","name":"f","input":{"n": 1e400}})"));
  // Numbers keep their spelling, and an empty text of arguments is an empty object.
  CHECK(written.body.find(R"({"n": 1e400})") != std::string::npos);
  CHECK(call_turn["content"].elements[1]["input"] == json_of("{}"));
  const Tree& results = written["messages"].elements[2]["content"];
  REQUIRE(results.elements.size() == 3);
  CHECK(results.elements[0] ==
        json_of(R"({"type":"tool_result","tool_use_id":"call_1","content":"one"})"));
  CHECK(results.elements[1]["type"].text == "tool_result");
  CHECK(results.elements[2]["type"].text == "text");
}

TEST_CASE(
    "foreign ids become Anthropic's letters, alike in call and result, different ones apart") {
  const Written written = turns(user + "," + calls + "," + result_1 + "," + result_2);
  const std::string id = written["messages"].elements[1]["content"].elements[1]["id"].text;
  CHECK(id != "call.2");
  CHECK(id.starts_with("call_2"));
  CHECK(id.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
        std::string::npos);
  CHECK(written["messages"].elements[2]["content"].elements[1]["tool_use_id"].text == id);
  const Written other = turns(
      user + R"(,{"role":"assistant","content":null,"tool_calls":[{"id":"a.b","type":"function",)"
             R"("function":{"name":"f","arguments":"{}"}},{"id":"a:b","type":"function",)"
             R"("function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"a.b",)"
             R"("content":"x"},{"role":"tool","tool_call_id":"a:b","content":"y"})");
  const Tree& two = other["messages"].elements[1]["content"];
  CHECK(two.elements[0]["id"].text != two.elements[1]["id"].text);
}

TEST_CASE("a result must follow the turn that made its call") {
  test::Memory memory;
  Request request;
  auto* message = make<Message>(memory.arena);
  message->role = Role::tool;
  auto* part = make<Part>(memory.arena);
  part->kind = PartKind::tool_result;
  part->id = "nobody";
  message->parts.append(part);
  request.messages.append(message);
  const Encoding encoding =
      test::encode(anthropic::language(), request, catalog::Provider(), nullptr);
  CHECK_FALSE(encoding.accepted);
  CHECK(std::string(encoding.problem.code) == "invalid_request");
  CHECK(std::string(encoding.problem.param) == "messages[0]");
}

TEST_CASE("empty and blank texts are dropped, and so are turns that would be empty") {
  const Written written =
      turns(user + R"(,{"role":"assistant","content":""},{"role":"user","content":[)"
                   R"({"type":"text","text":" \n\t"},{"type":"text","text":"x"},)"
                   R"({"type":"text","text":"\u0020\u000a"}]})");
  REQUIRE(written["messages"].elements.size() == 2);
  CHECK(written["messages"].elements[1] ==
        json_of(R"({"role":"user","content":[{"type":"text","text":"x"}]})"));
}

TEST_CASE("a conversation of empty texts still is one turn of the user") {
  const Written written = turns(R"({"role":"user","content":""})");
  REQUIRE(written["messages"].elements.size() == 1);
  CHECK(written["messages"].elements[0]["content"].elements.size() == 1);
}

TEST_CASE("an answer begun for the model is sent where the model goes on with it, else refused") {
  const std::string list = user + R"(,{"role":"assistant","content":"The answer is \n "})";
  const catalog::Model prefilling = budget_model();
  const Written sent = turns(list, &prefilling);
  REQUIRE(sent["messages"].elements.size() == 2);
  // It must not end with a blank.
  CHECK(sent["messages"].elements[1]["content"].elements[0]["text"].text == "The answer is");
  const catalog::Model refusing = adaptive_model();
  const Written refused = turns(list, &refusing);
  CHECK_FALSE(refused.accepted);
  CHECK(std::string(refused.problem.code) == "unsupported_parameter");
  const Written stripped = write("\"messages\":[" + list + "]", &refusing, Unsupported::drop);
  REQUIRE(stripped.accepted);
  CHECK(stripped["messages"].elements.size() == 1);
  CHECK(stripped.dropped == "messages");
}

TEST_CASE("of too many cache marks the first are left out") {
  std::string parts;
  for (int i = 0; i < 6; ++i) {
    parts += (i == 0 ? "" : ",") + std::string(R"({"type":"text","text":"t)") + std::to_string(i) +
             R"(","cache_control":{"type":"ephemeral"}})";
  }
  const Written written = turns(R"({"role":"user","content":[)" + parts + "]}");
  int marks = 0;
  const auto& blocks = written["messages"].elements[0]["content"].elements;
  REQUIRE(blocks.size() == 6);
  for (const Tree& block : blocks) marks += block.find("cache_control") != nullptr;
  CHECK(marks == 4);
  CHECK(blocks[0].find("cache_control") == nullptr);
  CHECK(blocks[5].find("cache_control") != nullptr);
  CHECK(written.dropped == "cache_control");
}

TEST_CASE("images and documents are sent from data and from https URLs") {
  auto part = [](const std::string& members) {
    return turns(R"({"role":"user","content":[)" + members + "]}");
  };
  auto image = [&](const std::string& url) {
    return part(R"({"type":"image_url","image_url":{"url":")" + url + "\"}}");
  };
  CHECK(image("data:image/png;charset=x;base64,QUI=")["messages"].elements[0]["content"] ==
        json_of(R"([{"type":"image","source":{"type":"base64","media_type":"image/png",)"
                R"("data":"QUI="}}])"));
  CHECK(image("https://x/y.png")["messages"].elements[0]["content"] ==
        json_of(R"([{"type":"image","source":{"type":"url","url":"https://x/y.png"}}])"));
  CHECK(image("https:\\/\\/x/y.png").accepted);
  CHECK(image("data:application/pdf;base64,JVBE")["messages"].elements[0]["content"] ==
        json_of(R"([{"type":"document","source":{"type":"base64",)"
                R"("media_type":"application/pdf","data":"JVBE"}}])"));
  for (const char* url : {"http://x/y.png", "gs://x/y.png", "data:image/tiff;base64,QUI="}) {
    CAPTURE(url);
    const Written refused = image(url);
    CHECK_FALSE(refused.accepted);
    CHECK(std::string(refused.problem.param) == "messages[0].content[0]");
  }
  CHECK(part(R"({"type":"file","file":{"filename":"a.pdf",)"
             R"("file_data":"data:application/pdf;base64,JVBE"}})")["messages"]
            .elements[0]["content"] ==
        json_of(R"([{"type":"document","source":{"type":"base64","media_type":"application/pdf",)"
                R"("data":"JVBE"},"title":"a.pdf"}])"));
  // "hi\"" in base64; a text is sent as one.
  CHECK(part(R"({"type":"file","file":{"filename":"a.txt",)"
             R"("file_data":"data:text/plain;base64,aGki"}})")["messages"]
            .elements[0]["content"] ==
        json_of(R"([{"type":"document","source":{"type":"text","media_type":"text/plain",)"
                R"("data":"hi\""},"title":"a.txt"}])"));
}

TEST_CASE("sound, another vendor's files and free-text tools are refused whatever the conf says") {
  const char* contents[] = {
      R"({"type":"input_audio","input_audio":{"data":"QUI=","format":"wav"}})",
      R"({"type":"file","file":{"file_id":"file-1"}})",
  };
  for (const char* content : contents) {
    CAPTURE(content);
    for (Unsupported unsupported : {Unsupported::strict, Unsupported::drop}) {
      const Written refused =
          write(R"("messages":[{"role":"user","content":[)" + std::string(content) + "]}]", nullptr,
                unsupported);
      CHECK_FALSE(refused.accepted);
      CHECK(std::string(refused.problem.code) == "unsupported_parameter");
    }
  }
  CHECK_FALSE(with(R"("tools":[{"type":"custom","custom":{"name":"c"}}])").accepted);
}

TEST_CASE("equal requests give equal bytes") {
  const std::string members = "\"messages\":[" + user + "," + calls + "," + result_1 + "," +
                              result_2 + "],\"tools\":[" + tool_f + "]";
  CHECK(write(members).body == write(members).body);
}

TEST_CASE("what was read of an Anthropic client is written with the same meaning") {
  const std::string body =
      R"({"model":"claude-x","max_tokens":9000,"tools":[{"name":"f","input_schema":)"
      R"({"type":"object"}}],"tool_choice":{"type":"auto","disable_parallel_tool_use":true},)"
      R"("system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],"messages":[)"
      R"({"role":"user","content":[{"type":"text","text":"a"},{"type":"image","source":)"
      R"({"type":"base64","media_type":"image/png","data":"QUI="}}]},)"
      R"({"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":"sig"},)"
      R"({"type":"redacted_thinking","data":"r"},{"type":"text","text":"b"},)"
      R"({"type":"tool_use","id":"t1","name":"f","input":{"x":1}}]},)"
      R"({"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok",)"
      R"("is_error":true},{"type":"text","text":"go on"}]},)"
      R"({"role":"system","content":[{"type":"text","text":"late"}]}],)"
      R"("thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"high",)"
      R"("format":{"type":"json_schema","schema":{"type":"object","additionalProperties":false}}},)"
      R"("stop_sequences":["x"],"metadata":{"user_id":"u"},"service_tier":"standard_only",)"
      R"("stream":true})";
  Decoding decoded(anthropic::language(), body);
  REQUIRE(decoded.accepted);
  const catalog::Model model = adaptive_model();
  const Encoding encoding =
      test::encode(anthropic::language(), decoded.request, catalog::Provider(), &model, "claude-x");
  REQUIRE(encoding.accepted);
  CHECK(encoding.json() == json_of(body));
  CHECK(encoding.dropped.empty());
  CHECK(encoding.adjusted.empty());
}
