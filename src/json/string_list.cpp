#include "json/string_list.h"

#include "json/escapes.h"

namespace hyperion::json {

StringList::StringList(std::string_view body, const Field& field, char* scratch, size_t capacity)
    : cursor_(body.substr(field.value_begin, field.value_end - field.value_begin)),
      scratch_(scratch),
      capacity_(capacity) {
  if (field.kind == Kind::array) {
    cursor_.enter_array();
  } else {
    cursor_.enter_object();
  }
}

std::string_view StringList::plain(std::string_view raw, char* scratch, size_t capacity) {
  if (raw.find('\\') == std::string_view::npos) return raw;
  const size_t size = unescape(raw, scratch, capacity);
  if (size > capacity) truncated_ = true;
  return {scratch, size > capacity ? capacity : size};
}

bool StringList::next(std::string_view& text) {
  std::string_view raw;
  if (!cursor_.next_element() || !cursor_.read_string(raw)) return false;
  text = plain(raw, scratch_, capacity_);
  return true;
}

bool StringList::next(std::string_view& key, std::string_view& text) {
  std::string_view raw_key;
  std::string_view raw_text;
  if (!cursor_.next_key(raw_key) || !cursor_.read_string(raw_text)) return false;
  key = plain(raw_key, scratch_, capacity_ / 2);
  text = plain(raw_text, scratch_ + capacity_ / 2, capacity_ - capacity_ / 2);
  return true;
}

}  // namespace hyperion::json
