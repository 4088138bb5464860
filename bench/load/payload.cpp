#include "load/payload.h"

#include <algorithm>
#include <cstdio>

namespace hyperion::bench {

namespace {

constexpr size_t turn_size_max_bytes = 2048;
constexpr size_t stream_flag_window_bytes = 512;

// Already escaped for JSON. About one escape in a hundred bytes, as in prose with some code in it.
constexpr std::string_view prose =
    "The reservation system keeps one row for each seat, and a request that arrives while the row "
    "is held must wait or be refused.\\n\\nGiven the function below, explain why the second call "
    "returns \\\"stale\\\" after a restart, and how to prove it with a test.\\n\\n"
    "def settle(hold, usage):\\n    cost = usage.total * hold.price\\n    return min(cost, "
    "hold.limit)\\n\\nAnswer in na\xc3\xafve terms first, then in detail; keep the caf\xc3\xa9 "
    "example. Numbers: 12, 4096, 3.14159, 99.95 %. ";

// Cuts prose to `size` bytes, but never inside an escape or a multi-byte letter.
void append_prose(std::string& out, size_t size) {
  while (size >= prose.size()) {
    out += prose;
    size -= prose.size();
  }
  while (size > 0 && (static_cast<unsigned char>(prose[size]) >= 0x80 || prose[size - 1] == '\\')) {
    size--;
  }
  out += prose.substr(0, size);
}

void append_message(std::string& out, std::string_view role, size_t size) {
  out += "{\"role\":\"";
  out += role;
  out += "\",\"content\":\"";
  append_prose(out, size);
  out += "\"}";
}

}  // namespace

std::string make_request_body(size_t prompt_bytes, bool streamed, std::string_view model) {
  std::string body = "{\"model\":\"";
  body += model;
  body += '"';
  if (streamed) body += ",\"stream\":true,\"stream_options\":{\"include_usage\":true}";
  body += ",\"messages\":[{\"role\":\"system\",\"content\":\"You are a careful assistant.\"}";
  const char* role = "user";
  while (prompt_bytes > 0) {
    const size_t turn = std::min(prompt_bytes, turn_size_max_bytes);
    body += ',';
    append_message(body, role, turn);
    prompt_bytes -= turn;
    role = *role == 'u' ? "assistant" : "user";
  }
  body += "],\"temperature\":0.7,\"top_p\":1,\"max_completion_tokens\":256,\"user\":\"bench\"}";
  return body;
}

std::string make_request(std::string_view host, std::string_view key, std::string_view body) {
  std::string request = "POST /v1/chat/completions HTTP/1.1\r\nHost: ";
  request += host;
  request += "\r\nAccept: application/json\r\nAccept-Encoding: identity\r\n";
  request += "Connection: keep-alive\r\nContent-Type: application/json\r\n";
  request += "User-Agent: OpenAI/Python 1.99.0\r\nX-Stainless-Lang: python\r\n";
  request += "Authorization: Bearer ";
  request += key;
  request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  request += body;
  return request;
}

std::string make_answer_body(std::string_view model) {
  std::string body =
      "{\"id\":\"chatcmpl-Bench0123456789abcdefghijk\",\"object\":\"chat.completion\","
      "\"created\":1760000000,\"model\":\"";
  body += model;
  body +=
      "\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"The row is "
      "held by a reservation that the restart did not replay.\\n\\nThe journal is read before the "
      "snapshot, so the hold is seen twice.\",\"refusal\":null,\"annotations\":[]},"
      "\"logprobs\":null,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":118,"
      "\"completion_tokens\":31,\"total_tokens\":149,\"prompt_tokens_details\":"
      "{\"cached_tokens\":0,\"audio_tokens\":0},\"completion_tokens_details\":"
      "{\"reasoning_tokens\":0,\"audio_tokens\":0,\"accepted_prediction_tokens\":0,"
      "\"rejected_prediction_tokens\":0}},\"service_tier\":\"default\","
      "\"system_fingerprint\":\"fp_0123456789\"}";
  return body;
}

bool asks_for_stream(std::string_view body_start) {
  const std::string_view window = body_start.substr(0, stream_flag_window_bytes);
  return window.find("\"stream\":true") != std::string_view::npos ||
         window.find("\"stream\": true") != std::string_view::npos;
}

void write_stamp(char* out, int64_t time_ns) {
  auto rest = static_cast<uint64_t>(time_ns);
  for (size_t index = stamp_digits; index-- > 0;) {
    out[index] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  }
}

int64_t read_stamp(const char* digits) {
  int64_t time_ns = 0;
  for (size_t index = 0; index < stamp_digits; index++)
    time_ns = time_ns * 10 + (digits[index] - '0');
  return time_ns;
}

StreamTemplate::StreamTemplate(std::string_view model) {
  std::string start =
      "data: {\"id\":\"chatcmpl-Bench0123456789abcdefghijk\",\"object\":\"chat.completion.chunk\","
      "\"created\":1760000000,\"model\":\"";
  start += model;
  start += "\",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_0123456789\",\"choices\":[";
  event = start + "{\"index\":0,\"delta\":{\"content\":\" ";
  stamp_offset = event.size();
  event += std::string(stamp_digits, '0');
  event += "\"},\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}\n\n";
  tail = start + "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":\"stop\"}],";
  tail += "\"usage\":null}\n\n" + start + "],\"usage\":{\"prompt_tokens\":118,";
  tail += "\"completion_tokens\":64,\"total_tokens\":182}}\n\ndata: [DONE]\n\n";
}

std::string as_chunk(std::string_view text) {
  char size_line[16];
  std::snprintf(size_line, sizeof size_line, "%zx\r\n", text.size());
  std::string chunk = size_line;
  chunk += text;
  chunk += "\r\n";
  return chunk;
}

}  // namespace hyperion::bench
