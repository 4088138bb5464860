// The load tool's command language: one line in, one line of JSON out.
//
// A line is words of the form key=value; `mode` says what to do and the other keys fill in a
// Command, whose defaults stand below. An unknown key or a value that does not parse is an error
// that names it; nothing is guessed. JSON is written by hand because that is all this tool needs of
// it. Pure: no I/O and no clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "load/run.h"

namespace hyperion::bench {

struct Command {
  // closed, open, hold, release or body.
  std::string mode;
  uint64_t port = 0;
  uint64_t connections = 1;
  uint64_t warmup_ms = 200;
  uint64_t window_ms = 1000;
  uint64_t rate = 0;
  uint64_t seed = 1;
  uint64_t requests = 0;
  uint64_t prompt_bytes = 512;
  // 0 = a plain answer; otherwise a stream of so many events.
  uint64_t events = 0;
  uint64_t gap_us = 0;
  uint64_t spin = 1;
  std::vector<pid_t> watched;
  // Where mode=body writes the request body, for other load tools.
  std::string file;
  Plant plant = Plant::nothing;
};

// Fills `command`; returns what is wrong with the line, empty when nothing is.
std::string parse_command(std::string_view line, Command& command);

std::string failure_json(std::string_view message);
std::string result_json(const Command& command, const RunResult& result,
                        const UpstreamCounts& upstream);
std::string idle_json(const Command& command, bool ok, uint64_t open, std::string_view failure);

}  // namespace hyperion::bench
