// What a catalogue is built from, each item with the place it was written at.
//
// `config` reads the files into a Draft, `Catalog::build` turns it into the finished thing. The two
// are apart so that everything about names can be tested without a file, and so that problems found
// while building can still say file and line. A Draft owns its contents and is used once.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "catalog/model.h"

namespace hyperion::catalog {

// Where something was written. `file` is a number that only the reader of the files understands.
struct Origin {
  uint16_t file = 0;
  uint32_t line = 0;
};

struct Problem {
  Origin origin;
  std::string key;      // "aliases.fast"
  std::string message;  // what was expected and what was given
};

template <class T>
struct Placed {
  T value;
  Origin origin;
};

struct DeploymentDraft {
  std::string name;
  std::string model;                      // any name of a catalogue model
  std::string provider;                   // name of a provider
  std::string upstream_model;             // empty: the model's id
  std::vector<std::string> environments;  // empty: all
};

struct AliasDraft {
  std::string name;
  std::string target;
};

struct EnvironmentDraft {
  std::string name;
  std::vector<Placed<AliasDraft>> aliases;
};

struct Draft {
  std::string environment = "production";
  Origin environment_origin;
  bool use_successors = false;  // a retired model's name stands for its successor
  std::vector<Placed<Model>> models;
  std::vector<Placed<Provider>> providers;
  std::vector<Placed<DeploymentDraft>> deployments;
  std::vector<Placed<AliasDraft>> aliases;
  std::vector<Placed<EnvironmentDraft>> environments;
};

}  // namespace hyperion::catalog
