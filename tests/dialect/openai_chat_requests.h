// Chat requests for tests: read from a few members, looked into, refused by name.
//
// What surrounds the members a test is about (model, one user message) is added here. Refusals are
// checked for what every one of them owes: status, code, the field by place, what was expected.
#pragma once

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "dialect/harness.h"
#include "dialect/openai_chat.h"

namespace hyperion::test {

using dialect::Message;
using dialect::Part;

inline Decoding decode(const std::string& members) {
  return Decoding(dialect::openai_chat::language(), "{\"model\":\"m\"," + members + "}");
}

// A request of one user message beside other members.
inline Decoding with(const std::string& members) {
  return decode(R"("messages":[{"role":"user","content":"hi"}],)" + members);
}

inline Decoding messages(const std::string& list) { return decode("\"messages\":[" + list + "]"); }

inline const Message& message_at(const Decoding& decoded, size_t index) {
  const Message* message = decoded.request.messages.first;
  for (; message != nullptr && index > 0; --index) message = message->next;
  REQUIRE(message != nullptr);
  return *message;
}

inline const Part& part_at(const Message& message, size_t index = 0) {
  const Part* part = message.parts.first;
  for (; part != nullptr && index > 0; --index) part = part->next;
  REQUIRE(part != nullptr);
  return *part;
}

// The first part of a user message whose content is [part].
inline Decoding user_part(const std::string& part) {
  return messages(R"({"role":"user","content":[)" + part + "]}");
}

inline constexpr const char* a_call =
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function",)"
    R"("function":{"name":"f","arguments":"{\"a\": 1}"}}]})";

struct Refusal {
  std::string members;
  const char* param;
};

inline void check_refused(const std::vector<Refusal>& refusals) {
  for (const Refusal& item : refusals) {
    CAPTURE(item.members);
    const Decoding decoded = decode(item.members);
    CHECK(!decoded.accepted);
    CHECK(decoded.problem.status == 400);
    CHECK(std::string(decoded.problem.code) == "invalid_request");
    CHECK(decoded.param() == item.param);
    CHECK(decoded.message().find("expected ") != std::string::npos);
    CHECK(decoded.message().find(item.param) != std::string::npos);
  }
}

}  // namespace hyperion::test
