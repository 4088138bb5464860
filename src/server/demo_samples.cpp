#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "json/cursor.h"
#include "json/escapes.h"
#include "server/demo.h"

namespace hyperion::server {
namespace {

constexpr int patience_ms = 10'000;
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

struct Received {
  int status = 0;
  std::string status_line;
  std::string head;
  std::string body;
  bool complete = false;
  std::string problem;  // of the connection, for people
};

std::string exchange_bytes(const io::Address& gateway, const std::string& request,
                           std::string& problem) {
  std::string bytes;
  const int connection = socket(gateway.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect(connection, gateway.get(), gateway.size) != 0) {
    problem = "cannot connect to " + gateway.text();
  } else if (send(connection, request.data(), request.size(), MSG_NOSIGNAL) !=
             static_cast<ssize_t>(request.size())) {
    problem = "cannot send to " + gateway.text();
  }
  while (problem.empty()) {
    pollfd ready = {connection, POLLIN, 0};
    if (poll(&ready, 1, patience_ms) <= 0) {
      problem = "no answer within 10 seconds";
      break;
    }
    char buffer[16 * 1024];
    const ssize_t got = recv(connection, buffer, sizeof(buffer), 0);
    if (got <= 0) break;
    bytes.append(buffer, static_cast<size_t>(got));
  }
  if (connection >= 0) close(connection);
  return bytes;
}

// The value of a header, `name` in lower case as the gateway writes it.
std::string header_of(const std::string& head, const std::string& name) {
  const size_t at = head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return {};
  const size_t begin = at + name.size() + 4;
  return head.substr(begin, head.find("\r\n", begin) - begin);
}

void read_chunks(std::string_view bytes, Received& received) {
  size_t line_end;
  while ((line_end = bytes.find("\r\n")) != std::string_view::npos) {
    const std::string line(bytes.substr(0, line_end));
    const size_t size = std::strtoull(line.c_str(), nullptr, 16);
    bytes.remove_prefix(line_end + 2);
    if (size == 0) {
      received.complete = true;
      return;
    }
    received.body += bytes.substr(0, size);
    if (bytes.size() < size + 2) return;
    bytes.remove_prefix(size + 2);
  }
}

Received ask(const io::Address& gateway, const Sample& sample) {
  std::string request = std::string(sample.method) + " " + sample.target +
                        " HTTP/1.1\r\nhost: " + gateway.text() + "\r\nauthorization: Bearer " +
                        demo_key + "\r\n";
  if (sample.fault != nullptr) request += std::string("x-hyperion-fault: ") + sample.fault + "\r\n";
  const std::string body = sample.body;
  request += "content-type: application/json\r\ncontent-length: " + std::to_string(body.size()) +
             "\r\nconnection: close\r\n\r\n" + body;
  Received received;
  const std::string bytes = exchange_bytes(gateway, request, received.problem);
  const size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string::npos) {
    if (received.problem.empty()) received.problem = "the connection closed without an answer";
    return received;
  }
  received.head = bytes.substr(0, head_end + 2);
  received.status_line = received.head.substr(0, received.head.find("\r\n"));
  if (received.status_line.size() > 9) received.status = std::atoi(&received.status_line[9]);
  const std::string_view rest = std::string_view(bytes).substr(head_end + 4);
  if (header_of(received.head, "transfer-encoding") == "chunked") {
    read_chunks(rest, received);
  } else {
    received.body = rest;
    received.complete = std::to_string(rest.size()) == header_of(received.head, "content-length");
  }
  return received;
}

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
  const Received received = ask(gateway, sample);
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
