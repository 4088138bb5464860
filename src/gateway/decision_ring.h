// The last decisions of a shard, for people who look at the admin page.
//
// Owned by the Gateway; the exchange adds each smart or automatic decision in the form that the
// log keeps (numbers and names of models), the oldest goes first. Memory is taken when the ring is
// sized, by `decisions_kept` of the conf, never when a decision is added. Cannot fail; one thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "json/output.h"

namespace hyperion::gateway {

class DecisionRing {
 public:
  // Empties it where the size changes.
  void resize(size_t count);
  void add(std::string_view request_id, std::string_view decision);
  // {"decisions": [{"id": "req_…", "decision": {…}}, …]}, the newest first.
  void write(json::Output& out) const;

 private:
  struct Entry {
    std::string request_id;
    std::string decision;
  };

  std::vector<Entry> entries_;
  size_t next_ = 0;  // the oldest
};

}  // namespace hyperion::gateway
