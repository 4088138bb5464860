// What is written down of one world, against which every answer is judged.
//
// Providers note each request that reached them and how far they answered it; the gateway's records
// tell what it says of itself; clients note when an answer begins. Requests are known by the number
// that their client put into them.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "dialect/provider_error.h"
#include "dialect/wire.h"
#include "resilience/breaker.h"
#include "sim/behaviour.h"

namespace hyperion::sim {

// One request as a provider saw it, and its answer as far as it was sent.
struct Served {
  Behaviour behaviour = Behaviour::plain;
  const Refusal* refusal = nullptr;  // of Behaviour::error_status
  const catalog::Deployment* deployment = nullptr;
  uint8_t key = 0;  // of its provider
  dialect::Wire wire = dialect::Wire::openai_chat;
  bool stream = false;
  bool array = false;  // of Gemini's, without SSE
  std::string request_body;
  std::string answer_body;  // decoded: what a client may see, at most
  uint16_t status = 200;
  bool finished = false;  // the provider sent everything it wanted to
  // Surplus bytes of the answer before were still on their way: the gateway takes them for this
  // one's, as nobody could tell.
  bool behind_surplus = false;
  bool answer_seen = false;  // some byte of it had reached the gateway when the connection ended
  bool lost = false;         // the connection ended before the gateway had all that was sent
  bool over = false;         // the connection ended
  bool cut = false;          // the provider ended it
  uint64_t begun_ns = 0;     // it had come
  uint64_t finished_ns = 0;
  uint64_t sent_end = 0;  // of all bytes sent on the connection, where it ends
  resilience::Breaker::State breaker = resilience::Breaker::State::closed;  // when it came

  // The gateway has the whole of it.
  bool seen_whole() const { return finished && !lost; }
  // What it means, where the provider says that it failed.
  dialect::ErrorKind kind() const { return refusal != nullptr ? refusal->kind : said_kind; }
  dialect::ErrorKind said_kind = dialect::ErrorKind::none;  // within a stream
};

// What the gateway's record says of a request.
struct Told {
  uint32_t attempts = 0;
  uint32_t failures = 0;  // attempts that it lists as failed
  bool hedged = false;
  std::string gave_up;
  std::string tried;  // as the record has them
  std::string skipped;
  uint64_t lasted_ns = 0;
  char end_code[3] = {};
};

struct Book {
  std::map<std::string, std::vector<Served>> tries;  // by number
  std::map<std::string, Told> told;                  // by request id
  std::map<std::string, std::string> request_ids;    // by number, of answers that clients got
  std::set<std::string> begun;                       // numbers whose answer has reached the client
  uint64_t losses = 0;  // connections that were refused, or ended by a provider
};

}  // namespace hyperion::sim
