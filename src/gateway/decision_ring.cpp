#include "gateway/decision_ring.h"

#include "gateway/record.h"

namespace hyperion::gateway {

void DecisionRing::resize(size_t count) {
  if (entries_.size() == count) return;
  entries_ = std::vector<Entry>(count);
  for (Entry& entry : entries_) {
    entry.request_id.reserve(request_id_size);
    entry.decision.reserve(decision_logged_max_bytes);
  }
  next_ = 0;
}

void DecisionRing::add(std::string_view request_id, std::string_view decision) {
  if (entries_.empty() || decision.empty()) return;
  Entry& entry = entries_[next_];
  entry.request_id.assign(request_id);
  entry.decision.assign(decision);
  next_ = (next_ + 1) % entries_.size();
}

void DecisionRing::write(json::Output& out) const {
  out.begin_object();
  out.key("decisions");
  out.begin_array();
  for (size_t i = 1; i <= entries_.size(); ++i) {
    const Entry& entry = entries_[(next_ + entries_.size() - i) % entries_.size()];
    if (entry.decision.empty()) break;
    out.begin_object();
    out.member("id", entry.request_id);
    out.member_json("decision", entry.decision);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

}  // namespace hyperion::gateway
