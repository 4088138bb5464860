// The configuration of a running gateway, as one immutable snapshot.
//
// `serve` loads one at start and one at every SIGHUP; each shard holds a shared pointer to the
// newest, each request one to that under which it began, so prices, keys and deployments do not
// change beneath it. Loading reads the conf file and the catalogue, checks everything and collects
// all problems (up to 20), each as "file:line: key: message" with what was expected and what was
// given: a file with a problem gives no Config at all, so a bad reload changes nothing. Warnings
// (a provider without its key) do not stop. Loading blocks and allocates: never on a shard's
// thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalog/catalog.h"
#include "config/embedded_catalog.h"
#include "config/settings.h"
#include "config/virtual_keys.h"
#include "resilience/default_chain.h"
#include "routing/calibration.h"
#include "routing/roster.h"
#include "routing/weights.h"

namespace hyperion::config {

struct Config {
  Settings settings;
  catalog::Catalog catalog;
  VirtualKeys keys;
  routing::Roster roster;                           // who may be chosen in place of another
  std::shared_ptr<const routing::Weights> weights;  // what prompts are judged by
  std::vector<routing::Calibration> calibrations;   // what one's own labels have taught
  resilience::DefaultChains chains;                 // where else models are, and who follows
  std::string environment = "production";
  bool test_faults = false;  // sk_test_ keys may send x-hyperion-fault
  std::string stamp;         // 16 hex digits of the conf's text, for logs and decisions
  std::string catalog_stamp;

  // All defaults and the built-in catalogue, without providers and keys.
  static std::shared_ptr<const Config> defaults();
};

struct LoadOutcome {
  std::shared_ptr<const Config> config;  // nullptr when there are errors
  std::vector<std::string> errors;
  std::vector<std::string> warnings;
};

// Who may be able to read a file that is to be read.
enum class Readers : uint8_t { anybody, not_the_world, owner_only };

// What loading may look at besides the text it is given. A function that is not set finds nothing.
struct Surroundings {
  // The value of an environment variable; nothing when it is unset.
  std::function<std::optional<std::string>(const std::string& name)> environment;
  // The whole of a regular file, or nothing with the reason and the remedy in `problem`.
  std::function<std::optional<std::string>(const std::string& path, Readers readers,
                                           std::string& problem)>
      read_file;
  // What stands in the place of a catalogue file where the conf names none.
  std::string_view catalog = embedded_catalog;

  static Surroundings of_process();
};

LoadOutcome load_file(const std::string& path);

// `name` stands for the file's name in messages; relative paths in the text are relative to its
// folder.
LoadOutcome load_text(std::string_view text, const std::string& name,
                      const Surroundings& surroundings = Surroundings::of_process());

}  // namespace hyperion::config
