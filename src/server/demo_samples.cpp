#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

#include "json/cursor.h"
#include "json/escapes.h"
#include "server/demo.h"
#include "server/demo_client.h"

namespace hyperion::server {
namespace {

constexpr size_t text_shown_max_bytes = 400;

struct Sample {
  const char* title;
  const char* method;
  const char* target;
  const char* fault;  // of x-hyperion-fault; nullptr: none
  const char* body;
  int status;     // that should come back
  bool complete;  // whether the answer should come to its proper end
  const char* why;
};

constexpr Sample samples[] = {
    {"A plain answer", "POST", "/v1/chat/completions", nullptr,
     R"({"model": "gpt-4o", "messages": [{"role": "user", "content": "Say hello."}]})", 200, true,
     "`gpt-4o` is a moving name: the gateway sent the request to the newest release of it, and\n"
     "changed nothing else. The answer's bytes are the provider's. x-hyperion-overhead-us is the\n"
     "time that the gateway itself took, in millionths of a second."},
    {"The same, streamed", "POST", "/v1/chat/completions", nullptr,
     R"({"model": "gpt-4o", "stream": true, )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})",
     200, true,
     "Each word came as an event of its own and was passed on as it came. The text is the same as\n"
     "before, because the simulated provider answers equal messages equally."},
    {"Another vendor's model, for the same client", "POST", "/v1/chat/completions", nullptr,
     R"({"model": "claude-haiku-4-5", "seed": 1, )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})",
     200, true,
     "Anthropic speaks another language: the gateway wrote the request in it, and the answer back\n"
     "in OpenAI's. Anthropic has no `seed`; x-hyperion-dropped-params says that it was left out."},
    {"Another vendor's client", "POST", "/v1/messages", nullptr,
     R"({"model": "gemini-2.5-flash", "max_tokens": 60, )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})",
     200, true, "An Anthropic SDK asked, a model of Google's answered, and the SDK need not know."},
    {"A vector", "POST", "/v1/embeddings", nullptr,
     R"({"model": "text-embedding-3-small", "input": "hello", "dimensions": 4})", 200, true,
     "Embeddings take the same way, and are metered by the provider's usage."},
    {"A name that nobody has", "POST", "/v1/chat/completions", nullptr,
     R"({"model": "gpt-4oo", "messages": [{"role": "user", "content": "Say hello."}]})", 404, true,
     "The gateway knows every model of its catalogue, so it refused before a provider was asked,\n"
     "in the shape that OpenAI's clients understand, and named what is near."},
    {"A provider that breaks off", "POST", "/v1/chat/completions", "cut:3",
     R"({"model": "gpt-4o", "stream": true, )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})",
     200, false,
     "The header x-hyperion-fault made the simulated provider close after three events. Words had\n"
     "reached the client by then, so the gateway could not try again: it said so in a last event "
     "and\n"
     "broke the connection off. A cut stream never looks like a finished one."},
};

// Appends the string members `content` and `message` found anywhere in `json` to `text`.
void gather_text(json::Cursor& cursor, std::string& text) {
  std::string_view key;
  if (cursor.peek() == '{' && cursor.enter_object()) {
    while (cursor.next_key(key)) {
      const bool wanted = (key == "content" || key == "message") && cursor.peek() == '"';
      if (!wanted) {
        gather_text(cursor, text);
        continue;
      }
      std::string_view raw;
      if (!cursor.read_string(raw)) return;
      std::string plain(raw);
      plain.resize(json::unescape(raw, plain.data(), plain.size()));
      text += plain;
    }
  } else if (cursor.peek() == '[' && cursor.enter_array()) {
    while (cursor.next_element()) gather_text(cursor, text);
  } else {
    cursor.skip();
  }
}

// The words of an answer, of a stream event by event; of an error its message.
std::string text_of(const std::string& body) {
  std::string text;
  if (!body.starts_with("data:")) {
    json::Cursor cursor(body);
    gather_text(cursor, text);
    return text;
  }
  std::string_view rest = body;
  while (!rest.empty()) {
    const std::string_view event = rest.substr(0, rest.find("\n\n"));
    rest.remove_prefix(std::min(rest.size(), event.size() + 2));
    if (!event.starts_with("data: {")) continue;
    if (event.starts_with("data: {\"error\"")) text += "\n[an error event] ";
    json::Cursor cursor(event.substr(6));
    gather_text(cursor, text);
  }
  return text;
}

void print_indented(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::printf("    %.*s\n", static_cast<int>(line.size()), line.data());
  }
}

// The same, broken at blanks where a line grows long.
void print_wrapped(std::string text) {
  constexpr size_t columns_max = 90;
  size_t line_begin = 0;
  size_t last_blank = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') {
      if (i - line_begin > columns_max && last_blank > line_begin) {
        text[last_blank] = '\n';
        line_begin = last_blank + 1;
      }
      last_blank = i;
    } else if (text[i] == '\n') {
      line_begin = i + 1;
    }
  }
  print_indented(text);
}

void print_own_headers(std::string_view head) {
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(head.size(), line.size() + 2));
    if (line.starts_with("x-hyperion-")) print_indented(line);
  }
}

void print_answer(const Received& received) {
  std::string text = text_of(received.body);
  if (text.empty()) text = received.body;
  while (!text.empty() && text.back() == '\n') text.pop_back();
  if (text.size() > text_shown_max_bytes) {
    text.resize(text_shown_max_bytes);
    text += " ...";
  }
  std::printf("\n");
  print_wrapped(std::move(text));
  if (!received.complete) std::printf("    (and there the connection broke off)\n");
}

bool show(const io::Address& gateway, const Sample& sample) {
  std::printf("\n--- %s\n\n  %s %s%s%s\n    %s\n\n", sample.title, sample.method, sample.target,
              sample.fault != nullptr ? "   x-hyperion-fault: " : "",
              sample.fault != nullptr ? sample.fault : "", sample.body);
  const Received received = ask(gateway, {sample.method, sample.target, sample.fault, sample.body});
  if (!received.problem.empty()) {
    std::printf("  It failed: %s.\n", received.problem.c_str());
    return false;
  }
  std::printf("  %s\n", received.status_line.c_str());
  print_own_headers(received.head);
  print_answer(received);
  if (received.status != sample.status || received.complete != sample.complete) {
    std::printf("\n  That is not what should have come back: status %d%s.\n", sample.status,
                sample.complete ? "" : " and an end that is cut");
    return false;
  }
  std::printf("\n  Why: ");
  std::string_view why = sample.why;
  for (bool first = true; !why.empty(); first = false) {
    const std::string_view line = why.substr(0, why.find('\n'));
    why.remove_prefix(std::min(why.size(), line.size() + 1));
    std::printf("%s%.*s\n", first ? "" : "  ", static_cast<int>(line.size()), line.data());
  }
  return true;
}

}  // namespace

int show_samples(const io::Address& gateway) {
  int failures = 0;
  for (const Sample& sample : samples) failures += show(gateway, sample) ? 0 : 1;
  std::fflush(stdout);
  return failures;
}

}  // namespace hyperion::server
