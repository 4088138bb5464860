// The translations that bench/dialect measures, driven as an attempt of the gateway drives them.
//
// A stream comes one event a time, as from a provider that writes each piece of its answer at once:
// found by the splitter, observed or translated, copied to where the client's connection would take
// it. All memory is made before and used again, as a shard's pools are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "catalog/model.h"
#include "dialect/settings.h"
#include "dialect/wire.h"
#include "json/output.h"

namespace hyperion::bench {

struct Memory {
  BlockPool blocks{4096, 256};
  MemoryBudget budget{64 << 20, 0};
  Arena arena{blocks, 1 << 20};
  ByteBuffer scratch{blocks, budget};
  ByteBuffer body{blocks, budget};
};

// What an answer asked of the allocator and of the pool of blocks. The steady state are pieces of a
// text that follow each other; at its end some dialects say the whole of it again.
struct Takings {
  uint64_t events = 0;              // of the steady state
  uint64_t allocations = 0;         // malloc and its kin, of these events
  uint64_t blocks = 0;              // that were in use after an event and not before
  uint64_t arena_bytes = 0;         // kept until the answer is over
  uint64_t allocations_in_all = 0;  // of all events
};

class StreamTranslation {
 public:
  // The provider's stream must live as long.
  StreamTranslation(dialect::Wire provider, dialect::Wire client, std::string_view stream);

  size_t events() const { return events_.size(); }
  // The whole answer once; false when it did not end as it should.
  bool translate(Takings* takings = nullptr);
  bool pass_through();
  uint64_t bytes_out() const { return bytes_out_; }

 private:
  static constexpr size_t steady_from = 16;
  static constexpr size_t steady_to = 216;

  void relay(std::string_view bytes);

  dialect::Wire provider_;
  dialect::Wire client_;
  std::vector<std::string_view> events_;
  Memory memory_;
  uint64_t bytes_out_ = 0;
};

class RequestTranslation {
 public:
  RequestTranslation(dialect::Wire client, dialect::Wire provider)
      : client_(client), provider_(provider) {}

  // Reads the client's body, writes the provider's. False when it was refused.
  bool run(std::string_view body);
  std::string_view output() const { return memory_.body.view(); }

 private:
  dialect::Wire client_;
  dialect::Wire provider_;
  Memory memory_;
  catalog::Provider target_;
  dialect::TranslationSettings settings_;
};

}  // namespace hyperion::bench
