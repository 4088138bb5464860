#include "dialect/request_reader.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>

#include "dialect/text.h"

namespace hyperion::dialect {
namespace {

// "%PDF-" in base64, but for its last bits.
constexpr std::string_view pdf_magic = "JVBERi";

const char* kind_of(char first) {
  switch (first) {
    case '{': return "an object";
    case '[': return "an array";
    case '"': return "a string";
    case 't':
    case 'f': return "a boolean";
    case 'n': return "null";
    case '\0': return "nothing";
    default: return "a number";
  }
}

// "messages[2].content[0].text"; cut to fit.
size_t write_place(const Place& place, char* out, size_t capacity) {
  size_t size = place.within != nullptr ? write_place(*place.within, out, capacity) : 0;
  const auto add = [&](std::string_view text) { size += text.copy(out + size, capacity - size); };
  if (place.index >= 0) {
    char number[24];
    const int length =
        std::snprintf(number, sizeof(number), "[%lld]", static_cast<long long>(place.index));
    add({number, static_cast<size_t>(length)});
  } else if (!place.name.empty()) {
    if (size > 0) add(".");
    add(place.name);
  }
  return size;
}

bool refuse_place(RequestProblem& problem, const char* code, const Place& place,
                  const char* message) {
  char name[sizeof(problem.param) - 1];
  const size_t size = write_place(place, name, sizeof(name));
  return refuse(problem, code, {name, size}, "`%.*s`: %s.", static_cast<int>(size), name, message);
}

}  // namespace

bool SeenFields::is_second(std::string_view name) {
  if (std::find(names_, names_ + count_, name) != names_ + count_) return true;
  if (count_ < std::size(names_)) names_[count_++] = name;
  return false;
}

bool ValueReader::refuse_at(const Place& place, const char* message) {
  return refuse_place(problem_, "invalid_request", place, message);
}

bool ValueReader::refuse_unsupported(const Place& place, const char* message) {
  return refuse_place(problem_, "unsupported_parameter", place, message);
}

bool ValueReader::expected(const Place& place, const char* what) {
  char message[sizeof(problem_.message)];
  std::snprintf(message, sizeof(message), "expected %s", what);
  return refuse_at(place, message);
}

bool ValueReader::expected(const Place& place, const char* what, char given) {
  char message[sizeof(problem_.message)];
  std::snprintf(message, sizeof(message), "expected %s, got %s", what, kind_of(given));
  return refuse_at(place, message);
}

bool ValueReader::require_text(Cursor& cursor, const Place& place, Raw& text) {
  const char first = cursor.peek();
  return (first == '"' && cursor.read_string(text.bytes)) || expected(place, "a string", first);
}

bool ValueReader::require_plain(Cursor& cursor, const Place& place, std::string_view& plain) {
  Raw text;
  if (!require_text(cursor, place, text)) return false;
  return unescape_into(workspace_.arena, text.bytes, plain) || no_memory();
}

bool ValueReader::require_object(Cursor& cursor, const Place& place, Json& object) {
  const char first = cursor.peek();
  return (first == '{' && cursor.read_raw(object.bytes)) || expected(place, "an object", first);
}

bool ValueReader::read_flag(Cursor& cursor, const Place& place, Flag& flag) {
  const char first = cursor.peek();
  if (take_null(cursor)) return true;
  if (first != 't' && first != 'f') return expected(place, "a boolean", first);
  flag = flag_of(first == 't');
  return cursor.skip();
}

bool ValueReader::read_count(Cursor& cursor, const Place& place, int64_t min, int64_t max,
                             int64_t& count) {
  const char first = cursor.peek();
  if (take_null(cursor)) return true;
  int64_t number = 0;
  const bool whole = cursor.read_integer(number);
  if (whole && number >= min && number <= max) {
    count = number;
    return true;
  }
  char what[100];
  std::snprintf(what, sizeof(what), "a whole number from %lld to %lld", static_cast<long long>(min),
                static_cast<long long>(max));
  return whole ? expected(place, what) : expected(place, what, first);
}

bool ValueReader::read_number(Cursor& cursor, const Place& place, Json& number) {
  const char first = cursor.peek();
  if (take_null(cursor)) return true;
  const bool is_number = first == '-' || (first >= '0' && first <= '9');
  return (is_number && cursor.read_raw(number.bytes)) || expected(place, "a number", first);
}

bool ValueReader::enter_object(Cursor& cursor, const Place& place, bool& given) {
  const char first = cursor.peek();
  given = !take_null(cursor);
  return !given || cursor.enter_object() || expected(place, "an object", first);
}

bool ValueReader::read_data_url(Raw url, const Place& place, Part& part) {
  if (!split_data_url(workspace_.arena, url.bytes, part.media_type, part.data.bytes)) {
    return expected(place, "a data URL in base64: data:<media type>;base64,<data>");
  }
  if (!is_base64(part.data.bytes)) {
    return expected(place, "base64 without line breaks behind the comma of the data URL");
  }
  if (part.media_type.empty()) return expected(place, "a data URL that names its media type");
  if (part.media_type.starts_with("image/")) {
    part.kind = PartKind::image;
  } else if (part.media_type.starts_with("audio/")) {
    part.kind = PartKind::audio;
  } else {
    part.kind = PartKind::file;
  }
  return true;
}

bool ValueReader::read_file_data(Raw data, const Place& place, Part& part) {
  if (is_data_url(data.bytes)) return read_data_url(data, place, part);
  // Bare base64 says what it is by its first bytes only.
  if (!data.bytes.starts_with(pdf_magic)) {
    return expected(place, "a data URL in base64: data:<media type>;base64,<data>");
  }
  if (!is_base64(data.bytes)) return expected(place, "base64 without line breaks");
  part.media_type = "application/pdf";
  part.data = data;
  return true;
}

bool ValueReader::note_unknown(std::string_view name) {
  auto* word = make<Word>(workspace_.arena);
  if (word == nullptr || !unescape_into(workspace_.arena, name, word->plain)) return no_memory();
  request_.unknown.append(word);
  return true;
}

}  // namespace hyperion::dialect
