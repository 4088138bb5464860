// What the readers of clients' requests have in common: where a value stands, what is refused of
// it, and the plain values of JSON.
//
// The base of the four RequestReaders (anthropic_reader.h, gemini_reader.h, openai_chat_reader.h,
// openai_responses_reader.h), which read one body each, on the stack of `decode_request`. The body
// is valid JSON (the Scanner has passed it); what is judged here is its meaning. A function that
// gives false has refused the request: `problem` names the field as the client wrote it, or says
// that there is no memory. Memory only from the workspace; nothing here knows a dialect.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/language.h"
#include "dialect/notes.h"
#include "dialect/request.h"
#include "json/cursor.h"

namespace hyperion::dialect {

// Where a value stands; written out only when it is refused. Lives on the stack.
struct Place {
  const Place* within = nullptr;
  std::string_view name;
  int64_t index = -1;

  Place member(std::string_view key) const { return {this, key}; }
  Place element(int64_t at) const { return {this, {}, at}; }
};

// What a count of tokens may say; models say less.
inline constexpr int64_t tokens_max = 1'000'000'000'000;

// The fields of the top that have come: one that comes twice would be read as both.
class SeenFields {
 public:
  bool is_second(std::string_view name);

 private:
  std::string_view names_[64];
  size_t count_ = 0;
};

class ValueReader {
 public:
  ValueReader(Workspace workspace, Request& request, RequestProblem& problem)
      : workspace_(workspace), request_(request), problem_(problem) {}

 protected:
  using Cursor = json::Cursor;

  // "`messages[2].content`: MESSAGE." Always false, as are the next four.
  bool refuse_at(const Place& place, const char* message);
  // The same of what only the target cannot do.
  bool refuse_unsupported(const Place& place, const char* message);
  // "`n`: expected WHAT." and "`n`: expected WHAT, got a string." by the value's first byte ('\0':
  // nothing).
  bool expected(const Place& place, const char* what);
  bool expected(const Place& place, const char* what, char given);
  bool no_memory() { return refuse_for_memory(problem_); }

  // Each of these reads the value that comes next. `read_*` takes null for "not given" and leaves
  // things as they are; `require_*` refuses it. A text stays the inside of its string, a plain one
  // is unescaped, an object is kept as it stands.
  static bool take_null(Cursor& cursor) { return cursor.peek() == 'n' && cursor.skip(); }
  bool require_text(Cursor& cursor, const Place& place, Raw& text);
  bool require_plain(Cursor& cursor, const Place& place, std::string_view& plain);
  bool require_object(Cursor& cursor, const Place& place, Json& object);
  bool read_text(Cursor& cursor, const Place& place, Raw& text) {
    return take_null(cursor) || require_text(cursor, place, text);
  }
  bool read_plain(Cursor& cursor, const Place& place, std::string_view& plain) {
    return take_null(cursor) || require_plain(cursor, place, plain);
  }
  bool read_object(Cursor& cursor, const Place& place, Json& object) {
    return take_null(cursor) || require_object(cursor, place, object);
  }
  bool read_flag(Cursor& cursor, const Place& place, Flag& flag);
  bool read_count(Cursor& cursor, const Place& place, int64_t min, int64_t max, int64_t& count);
  bool read_number(Cursor& cursor, const Place& place, Json& number);
  // Steps into an object; `given` is false where null stood.
  bool enter_object(Cursor& cursor, const Place& place, bool& given);

  // The type and the data of a data URL. The type decides what the part is: clients send PDFs where
  // images are meant to stand.
  bool read_data_url(Raw url, const Place& place, Part& part);
  // The same of a file's data, which may be the bare base64 of a PDF.
  bool read_file_data(Raw data, const Place& place, Part& part);

  // A field that no row knows: named as left out.
  bool note_unknown(std::string_view name);

  // Rows of fields that one member of the request holds.
  template <Json Request::*field>
  bool number_field(Cursor& cursor, const Place& place) {
    return read_number(cursor, place, request_.*field);
  }
  template <Json Request::*field>
  bool object_field(Cursor& cursor, const Place& place) {
    return read_object(cursor, place, request_.*field);
  }
  template <Flag Request::*field>
  bool flag_field(Cursor& cursor, const Place& place) {
    return read_flag(cursor, place, request_.*field);
  }
  template <std::string_view Request::*field>
  bool plain_field(Cursor& cursor, const Place& place) {
    return read_plain(cursor, place, request_.*field);
  }

  Workspace workspace_;
  Request& request_;
  RequestProblem& problem_;
};

}  // namespace hyperion::dialect
