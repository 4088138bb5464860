// A credential in memory: a provider's API key, the admin token.
//
// A Secret owns a page of its own that is locked in memory where the system allows it, left out of
// core dumps, and zeroed before it is given back. It can be moved, never copied; it has no
// formatter, no stream operator, no comparison and no conversion to a string, so that it cannot
// reach a log, an error or a metric by accident: base/secret_test.cpp holds those as static checks.
// `reveal` is the one way to the bytes; its only callers are the code that writes an upstream head
// and the code that compares a presented credential in constant time. Created while a configuration
// is loaded, never on the request path. Never fails: where locking is refused the rest still holds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hyperion {

class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string_view text);
  // Takes the text and zeroes the string it came in.
  static Secret take(std::string& text);

  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  bool empty() const { return size_ == 0; }
  // Valid as long as this object. Do not copy it anywhere but into the head of the request it is
  // for.
  std::string_view reveal() const { return {bytes_, size_}; }

 private:
  void wipe();

  char* bytes_ = nullptr;
  size_t size_ = 0;
  size_t mapped_bytes_ = 0;
};

// Zeroes memory in a way that the compiler may not remove.
void wipe_memory(void* memory, size_t size);

}  // namespace hyperion
