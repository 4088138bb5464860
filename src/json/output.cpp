#include "json/output.h"

#include <charconv>

#include "json/escapes.h"
#include "json/escaping.h"

namespace hyperion::json {

void Output::put(std::string_view text) {
  if (!failed_ && !buffer_.append(text)) failed_ = true;
}

void Output::put_escaped(std::string_view plain) {
  const char* at = plain.data();
  const char* const end = at + plain.size();
  while (at < end) {
    const char* run = at;
    while (at < end && is_plain(*at)) ++at;
    put({run, static_cast<size_t>(at - run)});
    if (at == end) return;
    char escaped[escaped_size_max_bytes];
    const size_t size = escape_character(at, end, escaped);
    put({escaped, size});
  }
}

// As one piece, with a comma before it where one belongs.
void Output::put_in_quotes(std::string_view inside, std::string_view behind) {
  char* at = room((needs_comma_ ? 3 : 2) + inside.size() + behind.size());
  if (at == nullptr) return;
  if (needs_comma_) *at++ = ',';
  *at++ = '"';
  at += inside.copy(at, inside.size());
  *at++ = '"';
  behind.copy(at, behind.size());
}

void Output::begin_object() {
  separate();
  put('{');
  needs_comma_ = false;
}

void Output::end_object() {
  put('}');
  needs_comma_ = true;
}

void Output::begin_array() {
  separate();
  put('[');
  needs_comma_ = false;
}

void Output::end_array() {
  put(']');
  needs_comma_ = true;
}

void Output::key(std::string_view name) {
  put_in_quotes(name, ":");
  needs_comma_ = false;
}

void Output::key_escaped(std::string_view name) {
  open_string();
  put_escaped(name);
  put("\":");
  needs_comma_ = false;
}

void Output::string(std::string_view plain) {
  open_string();
  put_escaped(plain);
  close_string();
}

void Output::raw_string(std::string_view inside) {
  put_in_quotes(inside, {});
  needs_comma_ = true;
}

void Output::boolean(bool flag) { value(flag ? "true" : "false"); }

void Output::number(int64_t number) {
  char digits[24];
  const auto [end, failure] = std::to_chars(digits, digits + sizeof(digits), number);
  value({digits, static_cast<size_t>(end - digits)});
}

void Output::null() { value("null"); }

void Output::value(std::string_view json) {
  separate();
  put(json);
}

void Output::quoted(std::string_view json) {
  open_string();
  // Strings within have their escapes; of those only the backslashes and quotes change.
  put_escaped(json);
  close_string();
}

void Output::unquoted(std::string_view inside) {
  separate();
  // Unescaping never makes a text longer.
  char* place = room(inside.size());
  if (place == nullptr) return;
  const size_t size = unescape(inside, place, inside.size());
  buffer_.shorten(inside.size() - size);
}

void Output::open_string() {
  separate();
  put('"');
}

void Output::add_plain(std::string_view plain) { put_escaped(plain); }

void Output::add_raw(std::string_view inside) { put(inside); }

void Output::close_string() { put('"'); }

void Output::bytes(std::string_view text) {
  put(text);
  needs_comma_ = false;
}

}  // namespace hyperion::json
