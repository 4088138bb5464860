#include "sim/violation.h"

#include <cstdarg>
#include <cstdio>

namespace hyperion::sim {
namespace {

std::string first;

}  // namespace

void note_violation(const char* format, ...) {
  if (!first.empty()) return;
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text, sizeof(text), format, arguments);
  va_end(arguments);
  first = text;
}

const std::string& first_violation() { return first; }

void clear_violation() { first.clear(); }

}  // namespace hyperion::sim
