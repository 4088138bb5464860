// What is read of a turn: its beginning and its end, escapes undone, with the maps of its bytes.
//
// Made once for each turn that is judged; the feature pass and the estimate of tokens read it, so
// that nobody reads the text of an ordinary prompt twice. Parts of a turn stand under each other.
// Behind the text is a block of newlines. Any bytes will do; nothing can fail or is allocated.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "routing/byte_maps.h"
#include "routing/prompt.h"

namespace hyperion::routing {

// Bytes read in full at the beginning and at the end of a turn: more adds nothing to the quality of
// decisions that can be measured.
inline constexpr size_t head_bytes = 600;
inline constexpr size_t tail_bytes = 200;

class Window {
 public:
  // Raw insides of JSON strings.
  explicit Window(std::span<const std::string_view> texts);

  std::string_view text() const { return {bytes_.data(), size_}; }
  // Something lies between the beginning and the end.
  bool left_out() const { return left_out_; }
  // Of the text, and of what is behind it in the last block and in one more.
  const ByteMaps* maps() const { return maps_.data(); }
  size_t map_count() const { return (size_ + map_bytes - 1) / map_bytes; }

  static constexpr size_t size_max = head_bytes + tail_bytes + 2 * Prompt::texts_max;
  static constexpr size_t maps_max = (size_max + map_bytes - 1) / map_bytes + 1;

 private:
  void take(std::span<const std::string_view> texts);
  // What stands between this and what was appended last.
  enum class Seam : uint8_t { none, blank, newline };
  void append(std::string_view raw, Seam seam);

  std::array<char, maps_max * map_bytes> bytes_;
  std::array<ByteMaps, maps_max> maps_;
  size_t size_ = 0;
  bool left_out_ = false;
};

}  // namespace hyperion::routing
