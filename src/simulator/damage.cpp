#include "simulator/damage.h"

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace hyperion::simulator {
namespace {

constexpr std::string_view word_keys[] = {"text",  "content",  "arguments", "partial_json",
                                          "delta", "thinking", "refusal"};
constexpr size_t stored_block_max_bytes = 65'535;

bool is_number_start(char c) { return c == '-' || (c >= '0' && c <= '9'); }

size_t end_of_string(std::string_view text, size_t begin) {
  size_t at = begin + 1;
  while (at < text.size() && text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return std::min(at + 1, text.size());
}

// CRC-32 (RFC 1952 8), bit by bit: bodies are short, and few ask for this.
uint32_t continue_crc(uint32_t crc, std::string_view bytes) {
  for (char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return crc;
}

void append_little_endian(std::string& out, uint32_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

}  // namespace

void halve(std::string& event, EventForm form) {
  event.resize(event.size() / 2);
  if (form == EventForm::line_feeds) event += "\n\n";
  if (form == EventForm::crlf) event += "\r\n\r\n";
}

void spoil_types(std::string& text) {
  const std::string_view old = text;
  std::string out;
  std::string_view key;
  bool after_colon = false;
  for (size_t at = 0; at < old.size();) {
    const char c = old[at];
    if (c == '"') {
      const size_t end = end_of_string(old, at);
      const std::string_view whole = old.substr(at, end - at);
      const bool is_word = after_colon && std::find(std::begin(word_keys), std::end(word_keys),
                                                    key) != std::end(word_keys);
      if (is_word) {
        out += '7';
      } else {
        out += whole;
      }
      if (!after_colon && whole.size() >= 2) key = whole.substr(1, whole.size() - 2);
      after_colon = false;
      at = end;
    } else if (after_colon && is_number_start(c)) {
      const size_t end = std::min(old.find_first_of(",]} \r\n", at), old.size());
      out += '"';
      out += old.substr(at, end - at);
      out += '"';
      after_colon = false;
      at = end;
    } else {
      if (c == ':') {
        after_colon = !key.empty();
      } else if (c != ' ' && c != '\n' && c != '\r') {
        after_colon = false;
      }
      out += c;
      ++at;
    }
  }
  text.swap(out);
}

void StoredGzip::wrap(std::string& text) {
  std::string out;
  if (!begun_) out.assign("\x1f\x8b\x08\0\0\0\0\0\0\xff", 10);
  begun_ = true;
  crc_ = continue_crc(crc_, text);
  size_ += static_cast<uint32_t>(text.size());
  for (std::string_view left = text; !left.empty();) {
    const std::string_view block = left.substr(0, stored_block_max_bytes);
    left.remove_prefix(block.size());
    const auto size = static_cast<uint32_t>(block.size());
    out += '\0';
    append_little_endian(out, size, 2);
    append_little_endian(out, ~size, 2);
    out += block;
  }
  text.swap(out);
}

void StoredGzip::finish(std::string& out) {
  out += '\x01';
  append_little_endian(out, 0, 2);
  append_little_endian(out, 0xffff, 2);
  append_little_endian(out, ~crc_, 4);
  append_little_endian(out, size_, 4);
}

}  // namespace hyperion::simulator
