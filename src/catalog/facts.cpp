#include "catalog/facts.h"

namespace hyperion::catalog {

Effort Efforts::nearest(Effort wanted) const {
  constexpr int count = static_cast<int>(Effort::count);
  const int start = static_cast<int>(wanted);
  for (int i = start; i >= 0; --i) {
    if (has(static_cast<Effort>(i))) return static_cast<Effort>(i);
  }
  for (int i = start + 1; i < count; ++i) {
    if (has(static_cast<Effort>(i))) return static_cast<Effort>(i);
  }
  return wanted;
}

std::string_view name_of(Effort effort) {
  switch (effort) {
    case Effort::none: return "none";
    case Effort::minimal: return "minimal";
    case Effort::low: return "low";
    case Effort::medium: return "medium";
    case Effort::high: return "high";
    case Effort::xhigh: return "xhigh";
    case Effort::max: return "max";
    case Effort::count: break;
  }
  return "unknown";
}

}  // namespace hyperion::catalog
