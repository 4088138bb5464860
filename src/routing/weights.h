// The numbers that turn features into scores: a versioned file, read once and shared.
//
// Trained by bench/routing/train and built into the binary (conf/routing.weights); the conf's
// `routing.weights_file` replaces them. `parse` checks everything about the bytes (format,
// dimensions, checksum) when a configuration is loaded and says what to do about a file of another
// version; afterwards nothing can fail. Immutable, shared by all shards.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace hyperion::routing {

struct WeightTables;  // routing/weight_tables.h, for the scorer

class Weights {
 public:
  // nullptr with a sentence in `problem`: what was expected, what was found.
  static std::shared_ptr<const Weights> parse(std::string_view bytes, std::string& problem);
  ~Weights();

  const WeightTables& tables() const { return *tables_; }
  // 16 hex digits of the file's contents, for logs and decisions.
  const std::string& stamp() const { return stamp_; }

 private:
  Weights();

  std::unique_ptr<WeightTables> tables_;
  std::string stamp_;
};

// conf/routing.weights as it was at build time.
extern const std::string_view embedded_weights;

}  // namespace hyperion::routing
