// The small HTTP client of the demo: one request on a connection of its own, as curl would send it.
//
// Blocking, with a patience of ten seconds for each wait; used by the demo's own threads only. What
// goes wrong with the connection is a sentence in `problem`, never an error of the program. It
// knows the two framings that the gateway uses, and of nothing else.
#pragma once

#include <string>

#include "io/address.h"

namespace hyperion::server {

inline constexpr const char* demo_key = "sk_test_demo";

struct DemoRequest {
  const char* method;
  const char* target;
  const char* fault;  // of x-hyperion-fault; nullptr: none
  const char* body;
};

struct Received {
  int status = 0;
  std::string status_line;
  std::string head;
  std::string body;
  bool complete = false;
  std::string problem;  // of the connection, for people
};

// With the demo's key.
Received ask(const io::Address& gateway, const DemoRequest& asked);

// The value of a header, `name` in lower case as the gateway writes it; empty: it is not there.
std::string header_of(const std::string& head, const std::string& name);

}  // namespace hyperion::server
