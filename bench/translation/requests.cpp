#include "translation/requests.h"

#include <string_view>

#include "translation/translation.h"

namespace hyperion::bench {
namespace {

using std::string;
using std::string_view;

constexpr string_view instructions =
    "You are a careful assistant of a travel agency. Answer in the language of the question, keep "
    "it short, and name your sources. When a question needs facts about the weather, ask the tool "
    "for them; never guess. Prices are in the currency of the customer, rounded to whole units, "
    "and "
    "always with the date on which they were looked up.\\n\\nRules:\\n1. Never promise a "
    "booking.\\n"
    "2. Dates are written like 3 March 2026.\\n3. If a \\\"customer number\\\" is given, repeat "
    "it.";

constexpr string_view question =
    "I would like to go to San Francisco with my family in the second week of March, four people, "
    "two of them children of six and nine years. What will the weather be like, and which of the "
    "three hotels that you proposed last time lies nearest to a park? My customer number is "
    "88-1204 "
    "and we would rather not fly at night. Please compare a stay of five days with one of seven.";

constexpr string_view answer =
    "Gladly. For customer number 88-1204: in the second week of March days in San Francisco are "
    "mild, about 16 degrees, with rain on three or four days. Of the three hotels the second one "
    "is "
    "nearest to a park \xE2\x80\x93 two streets from the Panhandle \xE2\x80\x93 and has rooms for "
    "four. I will look up the forecast before I compare the two stays.";

constexpr string_view tools =
    R"([{"type":"function","function":{"name":"get_weather","description":"The forecast for a )"
    R"(city: temperature, rain and wind, by day.","parameters":{"type":"object","properties":)"
    R"({"city":{"type":"string","description":"Name of the city, in English"},"unit":{"type":)"
    R"("string","enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1,)"
    R"("maximum":14}},"required":["city","days"],"additionalProperties":false}}},)"
    R"({"type":"function","function":{"name":"find_hotels","description":"Hotels of a city that )"
    R"(have rooms free, nearest first.","parameters":{"type":"object","properties":{"city":)"
    R"({"type":"string"},"near":{"type":"string","description":"A place or an address"},)"
    R"("people":{"type":"integer"},"from":{"type":"string","description":"ISO date"},"to":)"
    R"({"type":"string","description":"ISO date"},"stars":{"type":"array","items":)"
    R"({"type":"integer"}}},"required":["city","people"]}}}])";

constexpr string_view call =
    R"({"role":"assistant","content":null,"tool_calls":[{"id":"call_9pL2xQfT4mZb","type":)"
    R"("function","function":{"name":"get_weather","arguments":)"
    R"("{\"city\":\"San Francisco\",\"unit\":\"celsius\",\"days\":7}"}}]})";

constexpr string_view result =
    R"({"role":"tool","tool_call_id":"call_9pL2xQfT4mZb","content":)"
    R"("{\"days\":[{\"date\":\"2026-03-09\",\"high\":16,\"low\":9,\"rain\":0.4},)"
    R"({\"date\":\"2026-03-10\",\"high\":17,\"low\":10,\"rain\":0.1},{\"date\":\"2026-03-11\",)"
    R"(\"high\":15,\"low\":9,\"rain\":0.7}]}"})";

string message(string_view role, string_view text) {
  return R"({"role":")" + string(role) + R"(","content":")" + string(text) + R"("})";
}

string chat_request() {
  string body = R"({"model":"bench-model","messages":[)";
  body += message("system", instructions) + ",";
  body += message("user", question) + "," + message("assistant", answer) + ",";
  body += message("user", "Yes, please do, and mind the rain.") + ",";
  body += string(call) + "," + string(result) + ",";
  body += message("assistant", answer) + "," + message("user", question) + ",";
  body += message("assistant", answer) + "," + message("user", question);
  body += R"(],"tools":)" + string(tools);
  body += R"(,"tool_choice":"auto","temperature":0.7,"max_tokens":1024,"stream":true,)";
  return body + R"("stream_options":{"include_usage":true}})";
}

}  // namespace

std::string request_of(dialect::Wire client) {
  const string chat = chat_request();
  if (client == dialect::Wire::openai_chat) return chat;
  RequestTranslation translation(dialect::Wire::openai_chat, client);
  return translation.run(chat) ? string(translation.output()) : string();
}

}  // namespace hyperion::bench
