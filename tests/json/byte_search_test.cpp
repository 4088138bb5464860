#include "json/byte_search.h"

#include <string>

#include <doctest/doctest.h>

using namespace hyperion;

TEST_CASE("a byte that is looked for is found wherever it stands, and nothing beyond the end") {
  for (size_t size = 0; size < 70; ++size) {
    for (size_t place = 0; place <= size; ++place) {
      std::string text(size, 'a');
      if (place < size) text[place] = '"';
      text += "\"u\\";  // Behind the end.
      const char* begin = text.data();
      const char* end = begin + size;
      CAPTURE(size);
      CAPTURE(place);
      CHECK(json::find_quote(begin, end) == begin + place);
      CHECK(json::find_string_stop(begin, end) == begin + place);
      CHECK(json::find_quoted(begin, end, 'u') == end);
      if (place + 1 < size) {
        text[place + 1] = 'u';
        CHECK(json::find_quoted(begin, end, 'u') == begin + place);
      }
    }
  }
}

TEST_CASE("a run of plain bytes in a string ends at whatever needs a look") {
  for (int byte = 0; byte < 256; ++byte) {
    const bool stops = byte < 0x20 || byte >= 0x80 || byte == '"' || byte == '\\';
    for (size_t place : {size_t{0}, size_t{7}, size_t{20}}) {
      std::string text(24, 'a');
      text[place] = static_cast<char>(byte);
      CAPTURE(byte);
      CHECK(json::find_string_stop(text.data(), text.data() + text.size()) ==
            text.data() + (stops ? place : text.size()));
    }
  }
}
