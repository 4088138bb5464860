#include "resilience/admission.h"

#include <algorithm>

namespace hyperion::resilience {
namespace {

constexpr uint64_t percent = 100;

// The smallest amount that is at least this share, and never nothing.
uint64_t share_of(uint64_t capacity, uint64_t points) {
  return std::max<uint64_t>(1, (capacity * points + percent - 1) / percent);
}

}  // namespace

std::string_view name_of(Priority priority) {
  switch (priority) {
    case Priority::low: return "low";
    case Priority::normal: return "normal";
    case Priority::high: return "high";
  }
  return "normal";
}

void Admission::configure(const AdmissionSettings& settings, const Amounts& capacities) {
  settings_ = settings;
  const uint64_t points[] = {settings.shed_low_at_percent, settings.refuse_at_percent,
                             settings.stop_accept_at_percent};
  for (size_t i = 0; i < resource_count; ++i) {
    gauges_[i] = {};
    if (capacities[i] == 0) continue;
    for (size_t step = 0; step < std::size(points); ++step) {
      const uint64_t lower = points[step] > settings.hysteresis_percent
                                 ? points[step] - settings.hysteresis_percent
                                 : 0;
      gauges_[i].begin_at[step] = share_of(capacities[i], points[step]);
      gauges_[i].end_below[step] =
          std::min(share_of(capacities[i], lower), gauges_[i].begin_at[step]);
    }
    gauges_[i].raise_at = gauges_[i].begin_at[0];
  }
  level_ = Level::calm;
}

void Admission::move(Gauge& gauge, uint64_t used) {
  constexpr size_t top = level_count - 1;
  while (gauge.level < top && used >= gauge.begin_at[gauge.level]) ++gauge.level;
  while (gauge.level > 0 && used < gauge.end_below[gauge.level - 1]) --gauge.level;
  gauge.raise_at = gauge.level < top ? gauge.begin_at[gauge.level] : UINT64_MAX;
}

Resource Admission::scarcest() const {
  size_t found = 0;
  for (size_t i = 1; i < resource_count; ++i) {
    if (gauges_[i].level > gauges_[found].level) found = i;
  }
  return static_cast<Resource>(found);
}

bool Admission::stops_accepting() const {
  if (level_ != Level::full) return false;
  for (size_t i = 0; i < resource_count; ++i) {
    const bool full = gauges_[i].level == static_cast<size_t>(Level::full);
    if (full && static_cast<Resource>(i) != Resource::requests) return true;
  }
  return false;
}

uint32_t Admission::retry_after_s(Random& random) const {
  const uint32_t spread_s = settings_.retry_after_max_s - settings_.retry_after_min_s;
  return settings_.retry_after_min_s + static_cast<uint32_t>(random.below(uint64_t{spread_s} + 1));
}

}  // namespace hyperion::resilience
