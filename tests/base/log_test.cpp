#include "base/log.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

namespace hyperion {
namespace {

// Collects what is logged while it lives.
class Capture {
 public:
  Capture() : descriptor_(memfd_create("log", MFD_CLOEXEC)) {
    fcntl(descriptor_, F_SETFL, O_APPEND);
    set_log_descriptor(descriptor_);
  }
  ~Capture() {
    set_log_descriptor(STDERR_FILENO);
    close(descriptor_);
  }
  std::string text() const {
    std::string text(1 << 20, '\0');
    ssize_t size = pread(descriptor_, text.data(), text.size(), 0);
    text.resize(size > 0 ? static_cast<size_t>(size) : 0);
    return text;
  }

 private:
  int descriptor_;
};

std::string escaped(std::string_view text) {
  char out[256];
  bool cut = false;
  return {out, escape_for_log(text, out, sizeof(out), cut)};
}

TEST_CASE("log: a line has time, level and text") {
  Capture capture;
  log_warning("the disk is full");
  std::string line = capture.text();
  REQUIRE(line.size() > 24);
  CHECK(line.substr(4, 1) == "-");
  CHECK(line.substr(10, 1) == "T");
  CHECK(line.substr(23, 2) == "Z ");
  CHECK(line.substr(25) == "warning the disk is full\n");
}

TEST_CASE("log: what is below the threshold is not written") {
  Capture capture;
  log(LogLevel::debug, "quiet");
  CHECK(capture.text().empty());
  set_log_level(LogLevel::error);
  log_warning("quiet");
  log_error("heard");
  set_log_level(LogLevel::info);
  CHECK(capture.text().find("quiet") == std::string::npos);
  CHECK(capture.text().find("heard") != std::string::npos);
}

TEST_CASE("log: nothing in a text can start a line or drive a terminal") {
  struct Row {
    std::string_view text;
    std::string_view line;
  };
  const Row rows[] = {
      {"plain text", "plain text"},
      {"two\nlines\r\t", "two\\nlines\\r\\t"},
      {std::string_view("nul\0byte", 8), "nul\\x00byte"},
      {"\x1b[31mred", "\\x1b[31mred"},
      {"a\\nb", "a\\\\nb"},
      {"gr\u00fc\u00dfe \u20ac \U0001F600", "gr\u00fc\u00dfe \u20ac \U0001F600"},
      {"\xc2\x9b"
       "31m",
       "\\xc2\\x9b31m"},
      {"\xff\xfe", "\\xff\\xfe"},
      {"\xc0\xaf", "\\xc0\\xaf"},
      {"\xe2\x82", "\\xe2\\x82"},
      {"\xed\xa0\x80", "\\xed\\xa0\\x80"},
      {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
      {"\x7f", "\\x7f"},
  };
  for (const Row& row : rows) CHECK(escaped(row.text) == row.line);
}

TEST_CASE("log: a long text is cut at a whole character and says so") {
  Capture capture;
  log_info(std::string(10'000, '\n'));
  std::string line = capture.text();
  CHECK(line.size() <= log_line_max_bytes);
  CHECK(line.size() > log_line_max_bytes - 8);
  CHECK(line.ends_with("\\n...\n"));
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
}

TEST_CASE("log: lines of several threads stay whole") {
  Capture capture;
  std::vector<std::thread> threads;
  for (int id = 0; id < 4; ++id) {
    threads.emplace_back([id] {
      for (int i = 0; i < 100; ++i) log_info(std::string(40, static_cast<char>('a' + id)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::string text = capture.text();
  size_t lines = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    REQUIRE(end == 25 + 8 + 40);
    text.erase(0, end + 1);
    ++lines;
  }
  CHECK(lines == 400);
}

}  // namespace
}  // namespace hyperion
