// How well a model does what it is asked for, by kind of work: what routing compares models by.
//
// One scale for the models of all vendors: for each head the share (0..1) of demanding but ordinary
// tasks of that kind that a model does well, read from public benchmark results; conf/models.toml
// holds the shares and says where each row's numbers come from. `config` turns them into logits at
// load, so that routing adds integers only and every machine decides alike. A model without a
// quality is never chosen in place of another.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace hyperion::catalog {

// The capabilities that prompts ask for and models have.
enum class Head : uint8_t {
  knowledge,
  code,
  mathematics,
  reasoning,
  tools,
  long_context,
  chat,
  count,
};
inline constexpr size_t head_count = static_cast<size_t>(Head::count);

inline constexpr int32_t logit_one = 256;  // of the fixed-point logits

struct Quality {
  std::array<int16_t, head_count> logits{};  // of the shares, times logit_one
  bool known = false;
  bool operator==(const Quality&) const = default;
};

}  // namespace hyperion::catalog
