// A running process hands its listening sockets to a new binary (SIGUSR2).
//
// The old process starts the file that stands at its own path, with its arguments and environment,
// and talks to it over a socket pair whose descriptor HYPERION_HAND_OVER names:
//
//     old process                         new process
//     hello, addresses, sockets  ------>  loads its conf, takes what that names, starts its shards
//                                <------  ready: could serve, takes nothing yet
//     state                      ------>  takes connections
//                                <------  serving
//     drains, ends
//
// The old one accepts until it has read `serving`. Whatever fails before (the file, the conf, a
// crash, silence), the new process is ended and the old one has lost nothing; connections wait in
// sockets that both hold. What must never be in two hands goes over with `state`
// (`Successor::give_state`). If the old process dies in between, the new one serves. All of it runs
// on the main threads.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "server/listening.h"

namespace hyperion::server {

// How this process was started.
struct Launch {
  std::string path;  // empty: cannot be started again
  std::vector<std::string> arguments;

  // Read at start, before the file may be replaced: the path that was executed, with its links, as
  // long as it names this binary.
  static Launch of_this_process(std::vector<std::string> arguments);
};

struct HandOver {
  std::string problem;  // a sentence; empty: the successor serves
  pid_t successor = -1;
  std::vector<bool> taken;  // for each address, whether the successor uses it
};

// Of the old process. Gives up after `within_s`, or when `wanted_elsewhere` says so.
HandOver hand_over(const Launch& launch, const std::vector<HeldAddress>& held, uint32_t within_s,
                   const std::function<bool()>& wanted_elsewhere);

// The new process's view of the old one.
class Predecessor {
 public:
  Predecessor() = default;
  Predecessor(const Predecessor&) = delete;
  Predecessor& operator=(const Predecessor&) = delete;
  ~Predecessor();

  // Is there one? Then takes what it gives; `problem` is a sentence when that went wrong. Before
  // any thread is started: it takes the variable out of the environment.
  bool find(std::string& problem);
  std::vector<HeldAddress> take_sockets() { return std::move(held_); }
  // Everything is ready: waits until the old process has given the rest. False: it died, and what
  // it had is ours.
  bool await_state(const std::vector<bool>& taken);
  void say_serving();

 private:
  std::string receive_sockets();

  int channel_ = -1;
  std::vector<HeldAddress> held_;
};

}  // namespace hyperion::server
