// Judges one answer that a simulated client got, against what the providers got and sent.
//
// A client may see, for each request, what one provider answered to that very request: its bytes in
// passthrough, their translation otherwise; whole if it ends cleanly, else a beginning in whole
// events and an error event in the client's dialect. Or an error of Hyperion's own. Anything else
// is a violation.
#pragma once

#include <string>
#include <string_view>

#include "sim/provider.h"
#include "sim/translation.h"

namespace hyperion::sim {

struct Asked {
  std::string number;
  Way way;
  std::string body;      // as sent
  std::string own;       // without Hyperion's own keys
  std::string expected;  // as a provider must get it
  bool must_fail = false;
};

struct Got {
  const char* by = "";  // what kind of client
  bool reads_slowly = false;
  bool starved = false;  // the shard had hardly any memory for a while
  uint16_t status = 0;
  std::string request_id;
  std::string_view body;
  bool whole = false;  // by its framing
};

void judge(const Asked& asked, const Got& got, const Book& book);

}  // namespace hyperion::sim
