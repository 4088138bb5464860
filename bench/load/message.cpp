#include "load/message.h"

#include <strings.h>

#include <algorithm>
#include <charconv>

namespace hyperion::bench {

namespace {

constexpr size_t head_size_max_bytes = 16 * 1024;
constexpr uint32_t chunk_size_digits_max = 8;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view left, std::string_view right) {
  return left.size() == right.size() && strncasecmp(left.data(), right.data(), left.size()) == 0;
}

bool parse_field(std::string_view line, Head& head) {
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon);
  if (name.size() == 14 && same_word(name, "content-length")) {
    const std::string_view value = trimmed(line.substr(colon + 1));
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), head.content_length);
    return error == std::errc{} && end == value.data() + value.size() && head.content_length >= 0;
  }
  if (name.size() == 17 && same_word(name, "transfer-encoding")) {
    head.chunked = same_word(trimmed(line.substr(colon + 1)), "chunked");
    return head.chunked;
  }
  if (name.size() == 10 && same_word(name, "connection")) {
    head.close = same_word(trimmed(line.substr(colon + 1)), "close");
  }
  return true;
}

// `text` ends with the empty line.
bool parse_head(std::string_view text, Head& head) {
  head = Head{};
  size_t line_end = text.find("\r\n");
  head.start_line = text.substr(0, line_end);
  text.remove_prefix(line_end + 2);
  while (text.size() > 2) {
    line_end = text.find("\r\n");
    if (!parse_field(text.substr(0, line_end), head)) return false;
    text.remove_prefix(line_end + 2);
  }
  return !(head.chunked && head.content_length >= 0);
}

}  // namespace

HeadGatherer::Result HeadGatherer::take(std::string_view& data, Head& head) {
  if (done_) {
    gathered_.clear();
    done_ = false;
  }
  std::string_view text;
  if (gathered_.empty()) {
    const size_t end = data.find("\r\n\r\n");
    if (end != std::string_view::npos) {
      text = data.substr(0, end + 4);
      data.remove_prefix(end + 4);
      return parse_head(text, head) ? Result::complete : Result::bad;
    }
  }
  const size_t before = gathered_.size();
  gathered_.append(data);
  const size_t end = gathered_.find("\r\n\r\n", before < 3 ? 0 : before - 3);
  if (end == std::string::npos) {
    data = {};
    return gathered_.size() > head_size_max_bytes ? Result::bad : Result::more;
  }
  data.remove_prefix(end + 4 - before);
  gathered_.resize(end + 4);
  done_ = true;
  return parse_head(gathered_, head) ? Result::complete : Result::bad;
}

bool BodyReader::begin(const Head& head) {
  digits_ = line_bytes_ = 0;
  if (head.chunked) {
    state_ = State::size;
    remaining_ = 0;
    return true;
  }
  if (head.content_length < 0) {
    state_ = State::bad;
    return false;
  }
  remaining_ = static_cast<uint64_t>(head.content_length);
  state_ = remaining_ == 0 ? State::done : State::length;
  return true;
}

std::string_view BodyReader::next(std::string_view& data) {
  while (!data.empty()) {
    if (state_ == State::length || state_ == State::data) {
      const size_t taken = std::min<uint64_t>(remaining_, data.size());
      const std::string_view piece = data.substr(0, taken);
      data.remove_prefix(taken);
      remaining_ -= taken;
      if (remaining_ == 0) state_ = state_ == State::length ? State::done : State::data_end;
      return piece;
    }
    if (state_ == State::done || state_ == State::bad) return {};
    const char byte = data.front();
    data.remove_prefix(1);
    if (state_ == State::trailer) {
      on_trailer_byte(byte);
    } else {
      on_size_byte(byte);
    }
  }
  return {};
}

// The bytes between two runs of chunk data: the CRLF that ends one and the size line of the next.
void BodyReader::on_size_byte(char byte) {
  if (state_ == State::data_end) {
    if (byte == '\n') state_ = State::size;
    if (byte != '\n' && byte != '\r') state_ = State::bad;
    return;
  }
  if (byte == '\n') {
    if (digits_ == 0) {
      state_ = State::bad;
      return;
    }
    state_ = remaining_ == 0 ? State::trailer : State::data;
    digits_ = line_bytes_ = 0;
    return;
  }
  if (state_ == State::size_rest) return;
  const char lower = static_cast<char>(byte | 0x20);
  if (byte >= '0' && byte <= '9') {
    remaining_ = remaining_ * 16 + static_cast<uint64_t>(byte - '0');
  } else if (lower >= 'a' && lower <= 'f') {
    remaining_ = remaining_ * 16 + static_cast<uint64_t>(lower - 'a' + 10);
  } else {
    state_ = byte == '\r' || byte == ';' || byte == ' ' ? State::size_rest : State::bad;
    return;
  }
  if (++digits_ > chunk_size_digits_max) state_ = State::bad;
}

void BodyReader::on_trailer_byte(char byte) {
  if (byte == '\n') {
    if (line_bytes_ == 0) state_ = State::done;
    line_bytes_ = 0;
  } else if (byte != '\r') {
    line_bytes_++;
  }
}

}  // namespace hyperion::bench
