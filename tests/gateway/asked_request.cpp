#include "gateway/asked_request.h"

namespace hyperion::test {
namespace {

using catalog::Effort;
using dialect::Wire;

// Of all kinds and difficulties, so that every tier is asked for.
constexpr std::string_view texts[] = {
    "Hi!",
    "What is the capital of France?",
    "Translate to German: the cat sleeps on the mat.",
    "Name three fruits.",
    "Write a short birthday greeting for a colleague.",
    "Summarise: the meeting was moved from Monday to Wednesday because of the holiday.",
    "What is the weather in Paris today?",
    "Fix the typo: teh quick brown fox.",
    "Explain what a mutex is in two sentences.",
    "Write a Python function that reverses a list in place.",
    "What is 17 * 24?",
    "A train leaves at 9:40 and takes 3 h 35 min. When does it arrive?",
    "Compare the causes of the first and the second world war in a table.",
    "Prove that there are infinitely many primes congruent to 3 modulo 4, with every step.",
    "Let f be continuous on [0,1] with f(0)=f(1). Show that f(x)=f(x+1/n) has a solution.",
    "Implement a lock-free queue in C++20 with hazard pointers and argue its memory ordering.",
    "Five people of five nations live in five houses; who keeps the fish? Derive it.",
    "Which statute governs the liability of carriers under the Hague-Visby rules, and why?",
    "Que signifie cette phrase et comment la traduire en anglais ?",
    "この文を英語に訳してください。",
    "Refactor:\\n```python\\ndef f(x):\\n  return [y for y in x if y]\\n```\\nand add tests.",
    "Extract all dates as JSON from: born 3 May 1971, married 1999-09-01.",
    "qwxz bnmk plrt vvvv zzkk jjqq",
    "Plan a two-week trip through Japan with a budget, trains and alternatives for rain.",
};

constexpr std::string_view function = R"("f","description":"looks it up",)";
constexpr std::string_view json_schema =
    R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"]})";
constexpr std::string_view picture = "iVBORw0KGgo=";

struct Members {
  std::string text = "{";
  void add(std::string_view name, std::string_view json) {
    if (text.size() > 1) text += ',';
    ((((text += '"') += name) += "\":") += json);
  }
  std::string end() { return text + "}"; }
};

struct List {
  std::string text = "[";
  void add(std::string_view json) {
    if (text.size() > 1) text += ',';
    text += json;
  }
  bool empty() const { return text.size() == 1; }
  std::string end() { return text + "]"; }
};

std::string quoted(std::string_view raw) { return "\"" + std::string(raw) + "\""; }

std::string filler(int64_t tokens) {
  std::string result;
  for (int64_t i = 0; i < tokens; ++i) result += " hello";
  return result;
}

std::string turn(std::string_view role, std::string_view content) {
  return R"({"role":")" + std::string(role) + R"(","content":)" + std::string(content) + "}";
}

std::string_view effort_of(const AskedRequest& asked) { return catalog::name_of(asked.effort); }

std::string chat_body(const AskedRequest& asked, Random& random) {
  Members body;
  List messages, content;
  if (random.chance(1, 3)) messages.add(turn("system", R"("Be brief.")"));
  if (asked.filler_tokens > 0) messages.add(turn("user", quoted(filler(asked.filler_tokens))));
  if (asked.filler_tokens > 0) messages.add(turn("assistant", R"("I see.")"));
  if (asked.past_call) {
    messages.add(R"({"role":"user","content":"look it up"})");
    messages.add(R"({"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function",)"
                 R"("function":{"name":"f","arguments":"{}"}}]})");
    messages.add(R"({"role":"tool","tool_call_id":"c1","content":"found"})");
  }
  if (asked.image)
    content.add(R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" +
                std::string(picture) + R"("}})");
  if (asked.sound)
    content.add(R"({"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}})");
  if (asked.file)
    content.add(R"({"file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"},)"
                R"("type":"file"})");
  if (content.empty() && random.chance(1, 2)) {
    messages.add(turn("user", quoted(asked.text)));
  } else {
    content.add(R"({"type":"text","text":)" + quoted(asked.text) + "}");
    messages.add(turn("user", content.end()));
  }
  if (asked.prefill) messages.add(turn("assistant", R"("The answer is")"));
  const bool options_first = random.chance(1, 2);
  if (!options_first) body.add("messages", messages.end());
  body.add("model", quoted(asked.model));
  List tools;
  if (asked.tools)
    tools.add(R"({"type":"function","function":{"name":)" + std::string(function) +
              R"("parameters":)" + std::string(json_schema) + "}}");
  if (asked.server_tool) {
    if (random.chance(1, 2)) {
      body.add("web_search_options", "{}");
    } else {
      tools.add(R"({"type":"custom","custom":{"name":"shell"}})");
    }
  }
  if (!tools.empty()) body.add("tools", tools.end());
  if (asked.forced_call)
    body.add("tool_choice", random.chance(1, 2) ? R"("required")"
                                                : R"({"type":"function","function":{"name":"f"}})");
  if (asked.schema)
    body.add("response_format", R"({"type":"json_schema","json_schema":{"name":"s","schema":)" +
                                    std::string(json_schema) + "}}");
  if (asked.any_json) body.add("response_format", R"({"type":"json_object"})");
  if (asked.effort_given) body.add("reasoning_effort", quoted(effort_of(asked)));
  if (asked.temperature) body.add(random.chance(1, 2) ? "temperature" : "top_p", "0.4");
  if (asked.output_tokens_max > 0)
    body.add(random.chance(1, 2) ? "max_tokens" : "max_completion_tokens",
             std::to_string(asked.output_tokens_max));
  if (asked.choices > 1) body.add("n", std::to_string(asked.choices));
  if (asked.log_probabilities) body.add("logprobs", "true");
  if (asked.answer_in_sound) {
    body.add("modalities", R"(["text","audio"])");
    body.add("audio", R"({"voice":"alloy","format":"mp3"})");
  }
  if (options_first) body.add("messages", messages.end());
  return body.end();
}

std::string responses_body(const AskedRequest& asked, Random& random) {
  Members body;
  List input, content;
  if (asked.filler_tokens > 0) input.add(turn("user", quoted(filler(asked.filler_tokens))));
  if (asked.past_call || asked.image_in_result) {
    input.add(R"({"type":"function_call","call_id":"c1","name":"f","arguments":"{}"})");
    input.add(asked.image_in_result
                  ? R"({"type":"function_call_output","call_id":"c1","output":[{"type":)"
                    R"("input_image","image_url":"data:image/png;base64,iVBORw0KGgo="}]})"
                  : R"({"type":"function_call_output","call_id":"c1","output":"found"})");
  }
  if (asked.image)
    content.add(R"({"type":"input_image","image_url":"data:image/png;base64,iVBORw0KGgo="})");
  if (asked.file)
    content.add(R"({"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;)"
                R"(base64,JVBE"})");
  if (content.empty() && input.empty() && random.chance(1, 2)) {
    body.add("input", quoted(asked.text));
  } else {
    content.add(R"({"type":"input_text","text":)" + quoted(asked.text) + "}");
    input.add(turn("user", content.end()));
    body.add("input", input.end());
  }
  if (random.chance(1, 3)) body.add("instructions", R"("Be brief.")");
  body.add("model", quoted(asked.model));
  List tools;
  if (asked.tools)
    tools.add(R"({"type":"function","name":)" + std::string(function) + R"("parameters":)" +
              std::string(json_schema) + "}");
  if (asked.server_tool)
    tools.add(random.chance(1, 2)
                  ? R"({"type":"web_search"})"
                  : R"({"type":"mcp","server_label":"x","server_url":"https://x"})");
  if (!tools.empty()) body.add("tools", tools.end());
  if (asked.forced_call)
    body.add("tool_choice",
             random.chance(1, 2) ? R"("required")" : R"({"type":"function","name":"f"})");
  if (asked.schema)
    body.add("text", R"({"format":{"type":"json_schema","name":"s","schema":)" +
                         std::string(json_schema) + "}}");
  if (asked.any_json) body.add("text", R"({"format":{"type":"json_object"}})");
  if (asked.effort_given)
    body.add("reasoning", R"({"summary":"auto","effort":)" + quoted(effort_of(asked)) + "}");
  if (asked.temperature) body.add(random.chance(1, 2) ? "temperature" : "top_p", "0.4");
  if (asked.output_tokens_max > 0)
    body.add("max_output_tokens", std::to_string(asked.output_tokens_max));
  if (asked.log_probabilities) body.add("top_logprobs", "3");
  return body.end();
}

std::string anthropic_body(const AskedRequest& asked, Random& random) {
  Members body;
  List messages, content;
  body.add("model", quoted(asked.model));
  body.add("max_tokens", std::to_string(asked.output_tokens_max));
  if (random.chance(1, 3)) body.add("system", R"([{"type":"text","text":"Be brief."}])");
  if (asked.filler_tokens > 0) messages.add(turn("user", quoted(filler(asked.filler_tokens))));
  if (asked.filler_tokens > 0) messages.add(turn("assistant", R"("I see.")"));
  if (asked.past_call || asked.image_in_result) {
    messages.add(R"({"role":"user","content":"look it up"})");
    messages.add(R"({"role":"assistant","content":[{"type":"tool_use","id":"c1","name":"f",)"
                 R"("input":{}}]})");
    content.add(asked.image_in_result
                    ? R"({"type":"tool_result","tool_use_id":"c1","content":[{"type":"image",)"
                      R"("source":{"type":"base64","media_type":"image/png","data":"iVBO"}}]})"
                    : R"({"type":"tool_result","tool_use_id":"c1","content":"found"})");
  }
  if (asked.image)
    content.add(R"({"source":{"type":"base64","media_type":"image/png","data":"iVBO"},)"
                R"("type":"image"})");
  if (asked.file)
    content.add(R"({"type":"document","source":{"type":"base64","media_type":"application/pdf",)"
                R"("data":"JVBE"}})");
  content.add(R"({"type":"text","text":)" + quoted(asked.text) + "}");
  messages.add(turn("user", content.end()));
  if (asked.prefill) messages.add(turn("assistant", R"("The answer is")"));
  body.add("messages", messages.end());
  List tools;
  if (asked.tools)
    tools.add(R"({"name":)" + std::string(function) + R"("input_schema":)" +
              std::string(json_schema) + "}");
  if (asked.server_tool)
    tools.add(random.chance(1, 2)
                  ? R"({"type":"web_search_20250305","name":"web_search","max_uses":3})"
                  : R"({"type":"code_execution_20250522","name":"code_execution"})");
  if (!tools.empty()) body.add("tools", tools.end());
  if (asked.forced_call)
    body.add("tool_choice",
             random.chance(1, 2) ? R"({"type":"any"})" : R"({"type":"tool","name":"f"})");
  Members output;
  if (asked.schema)
    output.add("format", R"({"type":"json_schema","schema":)" + std::string(json_schema) + "}");
  if (asked.effort_given) output.add("effort", quoted(effort_of(asked)));
  if (output.text.size() > 1) body.add("output_config", output.end());
  if (asked.thinking_budget) body.add("thinking", R"({"type":"enabled","budget_tokens":1024})");
  if (asked.temperature) body.add(random.chance(1, 2) ? "temperature" : "top_p", "0.4");
  return body.end();
}

std::string gemini_body(const AskedRequest& asked, Random& random) {
  const bool snake = random.chance(1, 3);
  const auto name = [&](std::string_view camel, std::string_view other) {
    return snake ? other : camel;
  };
  const std::string data = quoted(name("inlineData", "inline_data"));
  const std::string type = quoted(name("mimeType", "mime_type"));
  const auto blob = [&](std::string_view media) {
    return "{" + data + ":{" + type + ":" + quoted(media) + R"(,"data":"iVBO"}})";
  };
  Members body;
  List contents, parts;
  if (random.chance(1, 3))
    body.add(name("systemInstruction", "system_instruction"),
             R"({"parts":[{"text":"Be brief."}]})");
  if (asked.filler_tokens > 0)
    contents.add(R"({"role":"user","parts":[{"text":)" + quoted(filler(asked.filler_tokens)) +
                 "}]}");
  if (asked.past_call || asked.image_in_result) {
    contents.add(R"({"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]})");
    contents.add(R"({"role":"user","parts":[{"functionResponse":{"name":"f","response":{"r":1})" +
                 (asked.image_in_result ? R"(,"parts":[)" + blob("image/png") + "]" : "") + "}}]}");
  }
  if (asked.image) parts.add(blob("image/png"));
  if (asked.sound) parts.add(blob("audio/wav"));
  if (asked.file) parts.add(blob("application/pdf"));
  parts.add(R"({"text":)" + quoted(asked.text) + "}");
  contents.add(R"({"role":"user","parts":)" + parts.end() + "}");
  body.add("contents", contents.end());
  List tools;
  if (asked.tools)
    tools.add("{" + quoted(name("functionDeclarations", "function_declarations")) +
              R"(:[{"name":)" + std::string(function) + R"("parameters":)" +
              std::string(json_schema) + "}]}");
  if (asked.server_tool)
    tools.add(random.chance(1, 2) ? R"({"googleSearch":{}})" : R"({"codeExecution":{}})");
  if (!tools.empty()) body.add("tools", tools.end());
  if (asked.forced_call)
    body.add(name("toolConfig", "tool_config"),
             "{" + quoted(name("functionCallingConfig", "function_calling_config")) +
                 R"(:{"mode":"ANY"}})");
  Members config;
  if (asked.schema || asked.any_json)
    config.add(name("responseMimeType", "response_mime_type"), R"("application/json")");
  if (asked.schema)
    config.add(random.chance(1, 2) ? name("responseSchema", "response_schema")
                                   : name("responseJsonSchema", "response_json_schema"),
               json_schema);
  if (asked.temperature)
    config.add(random.chance(1, 2) ? "temperature" : name("topP", "top_p"), "0.4");
  if (asked.output_tokens_max > 0)
    config.add(name("maxOutputTokens", "max_output_tokens"),
               std::to_string(asked.output_tokens_max));
  if (asked.choices > 1)
    config.add(name("candidateCount", "candidate_count"), std::to_string(asked.choices));
  if (asked.log_probabilities) config.add(name("responseLogprobs", "response_logprobs"), "true");
  if (asked.answer_in_sound)
    config.add(name("responseModalities", "response_modalities"), R"(["AUDIO"])");
  Members thinking;
  if (asked.thinking_budget) thinking.add(name("thinkingBudget", "thinking_budget"), "1024");
  if (asked.effort_given)
    thinking.add(name("thinkingLevel", "thinking_level"), quoted(effort_of(asked)));
  if (thinking.text.size() > 1)
    config.add(name("thinkingConfig", "thinking_config"), thinking.end());
  if (config.text.size() > 1) body.add(name("generationConfig", "generation_config"), config.end());
  return body.end();
}

// Takes out what the dialect has no words for.
void keep_sayable(AskedRequest& asked) {
  const Wire wire = asked.wire;
  if (wire != Wire::openai_chat && wire != Wire::anthropic) asked.prefill = false;
  if (wire == Wire::openai_responses || wire == Wire::anthropic) {
    asked.sound = asked.answer_in_sound = false;
    asked.choices = 1;
  }
  if (wire == Wire::openai_chat) asked.image_in_result = false;
  if (wire == Wire::anthropic) asked.any_json = asked.log_probabilities = false;
  if (wire != Wire::anthropic && wire != Wire::gemini) asked.thinking_budget = false;
  if (wire == Wire::anthropic && asked.effort < Effort::low) asked.effort = Effort::low;
  if (wire == Wire::gemini && asked.effort == Effort::none) asked.effort = Effort::low;
  if (wire == Wire::gemini && asked.effort > Effort::high) asked.effort = Effort::high;
  if (wire == Wire::anthropic && asked.output_tokens_max < 0) asked.output_tokens_max = 4096;
  asked.any_json &= !asked.schema;
  asked.effort_given &= !asked.thinking_budget;
  asked.forced_call &= asked.tools;
}

}  // namespace

AskedRequest random_request(Random& random) {
  AskedRequest asked;
  asked.wire = static_cast<Wire>(random.below(dialect::wires_count));
  asked.text = texts[random.below(std::size(texts))];
  asked.tools = random.chance(1, 4);
  asked.forced_call = random.chance(1, 3);
  asked.past_call = random.chance(1, 12);
  asked.server_tool = random.chance(1, 60);
  asked.schema = random.chance(1, 8);
  asked.any_json = random.chance(1, 12);
  asked.image = random.chance(1, 8);
  asked.image_in_result = random.chance(1, 30);
  asked.sound = random.chance(1, 25);
  asked.file = random.chance(1, 15);
  asked.answer_in_sound = random.chance(1, 100);
  asked.log_probabilities = random.chance(1, 60);
  asked.temperature = random.chance(1, 5);
  asked.prefill = random.chance(1, 30);
  asked.thinking_budget = random.chance(1, 15);
  asked.effort_given = random.chance(1, 8);
  asked.effort = static_cast<Effort>(random.below(static_cast<uint64_t>(Effort::count)));
  asked.choices = random.chance(1, 40) ? 2 + static_cast<int64_t>(random.below(3)) : 1;
  constexpr int64_t limits[] = {1,     100,    4'096,  5'000,  8'192,
                                9'000, 16'385, 40'000, 70'000, 130'000};
  if (random.chance(1, 3)) asked.output_tokens_max = limits[random.below(std::size(limits))];
  if (random.chance(1, 250)) {
    constexpr int64_t sizes[] = {10'000, 40'000, 132'000, 140'000, 210'000};
    asked.filler_tokens = sizes[random.below(std::size(sizes))];
  }
  keep_sayable(asked);
  return asked;
}

std::string body_of(const AskedRequest& asked, Random& random) {
  switch (asked.wire) {
    case Wire::openai_chat: return chat_body(asked, random);
    case Wire::openai_responses: return responses_body(asked, random);
    case Wire::anthropic: return anthropic_body(asked, random);
    case Wire::gemini: return gemini_body(asked, random);
  }
  return {};
}

}  // namespace hyperion::test
