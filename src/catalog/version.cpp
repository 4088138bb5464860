#include "catalog/version.h"

namespace hyperion::catalog {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_number(std::string_view text) {
  if (text.empty() || text.size() > 9) return false;
  for (char c : text) {
    if (!is_digit(c)) return false;
  }
  return true;
}

uint32_t number_of(std::string_view digits) {
  uint32_t value = 0;
  for (char c : digits) value = value * 10 + static_cast<uint32_t>(c - '0');
  return value;
}

uint32_t date_of(uint32_t year, uint32_t month, uint32_t day) {
  const bool valid =
      year >= 2000 && year < 2100 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
  return valid ? year * 10'000 + month * 100 + day : 0;
}

// The date that `id` ends with (or carries before a last component), and where its text lies.
struct FoundDate {
  uint32_t date = 0;
  size_t begin = 0;
  size_t size = 0;
};

FoundDate date_at(std::string_view id, size_t begin) {
  const std::string_view rest = id.substr(begin);
  const auto ends_at = [&](size_t size) { return rest.size() == size || rest[size] == '-'; };
  if (rest.size() >= 10 && rest[4] == '-' && rest[7] == '-' && ends_at(10)) {
    return {parse_date(rest.substr(0, 10)), begin, 10};
  }
  if (rest.size() >= 8 && ends_at(8) && is_number(rest.substr(0, 8))) {
    const uint32_t value = number_of(rest.substr(0, 8));
    return {date_of(value / 10'000, value / 100 % 100, value % 100), begin, 8};
  }
  return {};
}

FoundDate find_date(std::string_view id) {
  for (size_t dash = id.find('-'); dash != std::string_view::npos; dash = id.find('-', dash + 1)) {
    const FoundDate found = date_at(id, dash + 1);
    if (found.date != 0) return found;
  }
  return {};
}

// Reads "4", "5.4" or "3.3" into the next free numbers; a four-digit component is a build.
void read_component(std::string_view component, Version& version, size_t& used) {
  if (component.size() == 4 && is_number(component)) {
    version.build = number_of(component);
    return;
  }
  std::array<uint32_t, 4> numbers{};
  size_t count = 0;
  while (!component.empty()) {
    const size_t dot = component.find('.');
    const std::string_view part = component.substr(0, dot);
    if (!is_number(part) || count == numbers.size()) return;
    numbers[count++] = number_of(part);
    component = dot == std::string_view::npos ? std::string_view{} : component.substr(dot + 1);
    if (dot != std::string_view::npos && component.empty()) return;
  }
  for (size_t i = 0; i < count && used < version.numbers.size(); ++i) {
    version.numbers[used++] = numbers[i];
  }
}

}  // namespace

uint32_t parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return 0;
  const std::string_view year = text.substr(0, 4), month = text.substr(5, 2), day = text.substr(8);
  if (!is_number(year) || !is_number(month) || !is_number(day)) return 0;
  return date_of(number_of(year), number_of(month), number_of(day));
}

std::string_view moving_name_of(std::string_view id) {
  const FoundDate found = find_date(id);
  // A date inside ("x-2024-11-20-preview") has no name that its removal would leave.
  if (found.date == 0 || found.begin + found.size != id.size()) return {};
  return id.substr(0, found.begin - 1);
}

Version version_of(std::string_view id) {
  Version version;
  const FoundDate found = find_date(id);
  version.date = found.date;
  size_t used = 0;
  size_t begin = 0;
  while (begin <= id.size()) {
    if (found.date != 0 && begin == found.begin) {
      begin += found.size + 1;
      continue;
    }
    size_t end = id.find('-', begin);
    if (end == std::string_view::npos) end = id.size();
    read_component(id.substr(begin, end - begin), version, used);
    begin = end + 1;
  }
  return version;
}

}  // namespace hyperion::catalog
