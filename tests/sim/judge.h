// Judges one answer that a simulated client got, against what the providers got and sent.
//
// A client may see, for each request, what one provider answered to that very request: its bytes in
// passthrough, their translation otherwise; whole if it ends cleanly, else a beginning in whole
// events and an error event in the client's dialect. Or an error of Hyperion's own. Anything else
// is a violation. What the chain did on the way there is judged by chain_judge.h.
#pragma once

#include <string>
#include <string_view>

#include "sim/asked.h"
#include "sim/book.h"
#include "sim/climate.h"
#include "sim/translation.h"

namespace hyperion::sim {

// What every judgement of a world rests on.
struct Court {
  Book& book;
  const config::Config& config;
  const Climate& climate;
};

struct Got {
  const char* by = "";  // what kind of client
  bool reads_slowly = false;
  uint16_t status = 0;
  std::string request_id;
  std::string_view attempts;  // as the header has it
  std::string_view body;
  bool whole = false;  // by its framing
};

Way way_of(const Asked& asked, const Served& served);

void judge(const Asked& asked, const Got& got, const Court& court);

}  // namespace hyperion::sim
