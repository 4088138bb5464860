#include "http/body_decoder.h"

#include <algorithm>

#include "http/field_rules.h"

namespace hyperion::http {

void BodyDecoder::start(Framing framing, uint64_t content_length, const BodyLimits& limits) {
  *this = BodyDecoder();
  limits_ = limits;
  switch (framing) {
    case Framing::none: step_ = Step::complete; break;
    case Framing::content_length:
      remaining_bytes_ = content_length;
      step_ = content_length == 0 ? Step::complete : Step::fixed_data;
      break;
    case Framing::chunked: step_ = Step::size_start; break;
    case Framing::until_close: step_ = Step::until_close; break;
  }
}

bool BodyDecoder::in_data() const {
  return step_ == Step::chunk_data || step_ == Step::fixed_data || step_ == Step::until_close;
}

size_t BodyDecoder::next(std::string_view bytes, std::string_view& data) {
  data = {};
  size_t at = 0;
  while (at < bytes.size() && !in_data()) {
    if (step_ == Step::complete || step_ == Step::failed) return at;
    take(bytes[at++]);
  }
  if (at == bytes.size()) return at;
  data = bytes.substr(at);
  if (step_ != Step::until_close) {
    data = data.substr(0, std::min<uint64_t>(data.size(), remaining_bytes_));
    remaining_bytes_ -= data.size();
    if (remaining_bytes_ == 0) {
      step_ = step_ == Step::chunk_data ? Step::data_return : Step::complete;
    }
  }
  decoded_bytes_ += data.size();
  return at + data.size();
}

void BodyDecoder::fail(BodyFault fault) {
  fault_ = fault;
  step_ = Step::failed;
}

void BodyDecoder::take(char c) {
  switch (step_) {
    case Step::size_start:
    case Step::size: return take_size(c);
    case Step::size_line_feed: return end_size_line(c);
    case Step::data_return:
    case Step::data_line_feed: return take_data_end(c);
    case Step::trailer_start:
    case Step::trailer_name:
    case Step::trailer_value:
    case Step::trailer_line_feed:
    case Step::last_line_feed: return take_trailer(c);
    default: return take_extension(c);
  }
}

void BodyDecoder::take_size(char c) {
  constexpr uint8_t digits_max_count = 8;
  uint64_t digit = 0;
  if (c >= '0' && c <= '9') {
    digit = static_cast<uint64_t>(c - '0');
  } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
    digit = static_cast<uint64_t>((c | 0x20) - 'a') + 10;
  } else if (step_ == Step::size_start) {
    return fail(BodyFault::chunk_size);
  } else if (c == '\r') {
    step_ = Step::size_line_feed;
    return;
  } else if (c == ';') {
    if (!limits_.extension_and_count_per_message) extension_bytes_ = 0;
    extension_bytes_ += 1;
    step_ = Step::extension_name_start;
    return;
  } else {
    return fail(BodyFault::chunk_size);
  }
  if (step_ == Step::size_start) {
    step_ = Step::size;
    size_digits_ = 0;
    remaining_bytes_ = 0;
  }
  if (++size_digits_ > digits_max_count) return fail(BodyFault::chunk_size_digits);
  remaining_bytes_ = remaining_bytes_ * 16 + digit;
}

// Grammar of RFC 9112 7.1.1 without the optional blanks.
void BodyDecoder::take_extension(char c) {
  bool ends_value = step_ == Step::extension_name || step_ == Step::extension_value ||
                    step_ == Step::extension_quoted_end;
  if (ends_value && c == '\r') {
    step_ = Step::size_line_feed;
    return;
  }
  if (++extension_bytes_ > limits_.chunk_extension_max_bytes) {
    return fail(BodyFault::chunk_extension_size);
  }
  if (ends_value && c == ';') {
    step_ = Step::extension_name_start;
  } else if (step_ == Step::extension_name && c == '=') {
    step_ = Step::extension_value_start;
  } else if (step_ == Step::extension_value_start && c == '"') {
    step_ = Step::extension_quoted;
  } else if (step_ == Step::extension_quoted && c == '"') {
    step_ = Step::extension_quoted_end;
  } else if (step_ == Step::extension_quoted && is_field_value_char(c)) {
    if (c == '\\') step_ = Step::extension_quoted_pair;
  } else if (step_ == Step::extension_quoted_pair && is_field_value_char(c)) {
    step_ = Step::extension_quoted;
  } else if (step_ != Step::extension_quoted && step_ != Step::extension_quoted_pair &&
             step_ != Step::extension_quoted_end && is_token_char(c)) {
    if (step_ == Step::extension_name_start) step_ = Step::extension_name;
    if (step_ == Step::extension_value_start) step_ = Step::extension_value;
  } else {
    fail(BodyFault::chunk_extension);
  }
}

void BodyDecoder::end_size_line(char c) {
  if (c != '\n') return fail(BodyFault::chunk_size);
  if (remaining_bytes_ == 0) {
    step_ = Step::trailer_start;
    return;
  }
  if (limits_.extension_and_count_per_message && ++chunk_count_ > limits_.chunk_count_max) {
    return fail(BodyFault::chunk_count);
  }
  if (remaining_bytes_ > limits_.body_size_max_bytes - decoded_bytes_) {
    return fail(BodyFault::body_size);
  }
  step_ = Step::chunk_data;
}

void BodyDecoder::take_data_end(char c) {
  if (step_ == Step::data_return && c == '\r') {
    step_ = Step::data_line_feed;
  } else if (step_ == Step::data_line_feed && c == '\n') {
    step_ = Step::size_start;
  } else {
    fail(BodyFault::chunk_end);
  }
}

// Remembers the letters of the name, which is all that a guarded one is known by.
void BodyDecoder::take_trailer_name(char c) {
  if (!is_token_char(c)) return fail(BodyFault::trailer);
  const bool digit = c >= '0' && c <= '9';
  const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
  if (!digit && !letter) return;
  if (trailer_name_size_ < sizeof(trailer_name_)) trailer_name_[trailer_name_size_] = c;
  if (trailer_name_size_ <= sizeof(trailer_name_)) ++trailer_name_size_;
}

void BodyDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > limits_.trailer_size_max_bytes) return fail(BodyFault::trailer_size);
  switch (step_) {
    case Step::trailer_start:
      trailer_name_size_ = 0;
      if (c == '\r') {
        step_ = Step::last_line_feed;
      } else {
        step_ = Step::trailer_name;
        take_trailer_name(c);
      }
      return;
    case Step::trailer_name:
      if (c != ':') return take_trailer_name(c);
      if (trailer_name_size_ <= sizeof(trailer_name_) &&
          guarded_name({trailer_name_, trailer_name_size_}) != GuardedName::none) {
        return fail(BodyFault::trailer);
      }
      step_ = Step::trailer_value;
      return;
    case Step::trailer_value:
      if (c == '\r') {
        step_ = Step::trailer_line_feed;
      } else if (!is_field_value_char(c)) {
        fail(BodyFault::trailer);
      }
      return;
    case Step::trailer_line_feed:
      if (c != '\n') return fail(BodyFault::trailer);
      step_ = Step::trailer_start;
      return;
    default:
      if (c != '\n') return fail(BodyFault::trailer);
      step_ = Step::complete;
  }
}

}  // namespace hyperion::http
