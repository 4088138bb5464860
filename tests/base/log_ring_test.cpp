#include "base/log_ring.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "base/log.h"
#include "base/random.h"

namespace hyperion {
namespace {

// A folder of its own that goes away with the test.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/log-ring-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const char* name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// Sends the process's own log to nowhere while a failure is provoked.
class Quiet {
 public:
  Quiet() : descriptor_(open("/dev/null", O_WRONLY | O_CLOEXEC)) {
    set_log_descriptor(descriptor_);
  }
  ~Quiet() {
    set_log_descriptor(STDERR_FILENO);
    close(descriptor_);
  }

 private:
  int descriptor_;
};

std::string read_all(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// Until `condition` holds; the writer thread has no event to wait for but its own progress.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 5000; ++i) {
    if (condition()) return true;
    usleep(1000);
  }
  return false;
}

// A line that can be checked by itself: shard, number, then filler that depends on both.
std::string make_line(unsigned shard, unsigned number, size_t filler) {
  return std::to_string(shard) + " " + std::to_string(number) + " " +
         std::string(filler, static_cast<char>('a' + (shard + number) % 26));
}

bool whole(const std::string& line, unsigned& shard, unsigned& number) {
  size_t filler = 0;
  int at = 0;
  if (sscanf(line.c_str(), "%u %u %n", &shard, &number, &at) < 2) return false;
  filler = line.size() - static_cast<size_t>(at);
  return line == make_line(shard, number, filler);
}

TEST_CASE("log ring: lines arrive in order in the file, across the ring's edge") {
  Folder folder;
  LogRing ring(4096);
  LogWriter writer;
  REQUIRE(writer.open(folder / "log").empty());
  writer.add(ring);
  writer.start();
  unsigned appended = 0;
  Random random(3);
  while (appended < 2000) {
    if (ring.append(make_line(0, appended, random.below(300)))) ++appended;
  }
  writer.stop();
  std::vector<std::string> lines = lines_of(read_all(folder / "log"));
  REQUIRE(lines.size() == 2000);
  for (unsigned i = 0; i < 2000; ++i) {
    unsigned shard = 0;
    unsigned number = 0;
    REQUIRE(whole(lines[i], shard, number));
    CHECK(number == i);
  }
  CHECK(ring.lines() == 2000);
  CHECK(writer.written_bytes() == read_all(folder / "log").size());
  CHECK(writer.lost_bytes() == 0);
}

TEST_CASE("log ring: a full ring drops the line, counts it and takes the next that fits") {
  LogRing ring(64);
  CHECK_FALSE(ring.append(std::string(64, 'x')));
  CHECK(ring.append(std::string(40, 'x')));
  CHECK_FALSE(ring.append(std::string(23, 'y')));
  CHECK(ring.append(std::string(22, 'y')));
  CHECK_FALSE(ring.append(""));
  CHECK(ring.lines() == 2);
  CHECK(ring.dropped_lines() == 3);
}

TEST_CASE("log ring: lines of several shards stay whole and ordered; none is lost unseen") {
  Folder folder;
  constexpr unsigned shards = 4;
  constexpr unsigned count = 5000;
  std::array<std::unique_ptr<LogRing>, shards> rings;
  LogWriter writer;
  REQUIRE(writer.open(folder / "log").empty());
  for (auto& ring : rings) {
    ring = std::make_unique<LogRing>(8192);
    writer.add(*ring);
  }
  writer.start();
  std::vector<std::thread> threads;
  for (unsigned shard = 0; shard < shards; ++shard) {
    threads.emplace_back([&, shard] {
      Random random(shard);
      for (unsigned i = 0; i < count; ++i) {
        rings[shard]->append(make_line(shard, i, random.below(200)));
        if (i % 64 == 0) std::this_thread::yield();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  writer.stop();
  std::array<int64_t, shards> newest;
  std::array<uint64_t, shards> seen{};
  newest.fill(-1);
  for (const std::string& line : lines_of(read_all(folder / "log"))) {
    unsigned shard = 0;
    unsigned number = 0;
    REQUIRE(whole(line, shard, number));
    REQUIRE(shard < shards);
    CHECK(int64_t{number} > newest[shard]);
    newest[shard] = number;
    ++seen[shard];
  }
  for (unsigned shard = 0; shard < shards; ++shard) {
    CHECK(seen[shard] == rings[shard]->lines());
    CHECK(seen[shard] + rings[shard]->dropped_lines() == count);
  }
}

TEST_CASE("log ring: the writer wakes by itself, without a stop") {
  Folder folder;
  LogRing ring;
  LogWriter writer;
  REQUIRE(writer.open(folder / "log").empty());
  writer.add(ring);
  writer.start();
  ring.append("first");
  CHECK(eventually([&] { return writer.written_bytes() == 6; }));
  ring.append("second");
  CHECK(eventually([&] { return writer.written_bytes() == 13; }));
}

TEST_CASE("log ring: after reopen lines go to a new file at the same path") {
  Folder folder;
  LogRing ring;
  LogWriter writer;
  REQUIRE(writer.open(folder / "log").empty());
  writer.add(ring);
  writer.start();
  ring.append("old");
  REQUIRE(eventually([&] { return writer.written_bytes() == 4; }));
  std::filesystem::rename(folder / "log", folder / "log.1");
  ring.append("still old");
  REQUIRE(eventually([&] { return writer.written_bytes() == 14; }));
  writer.reopen();
  REQUIRE(eventually([&] { return std::filesystem::exists(folder / "log"); }));
  ring.append("new");
  writer.stop();
  CHECK(read_all(folder / "log.1") == "old\nstill old\n");
  CHECK(read_all(folder / "log") == "new\n");
}

TEST_CASE("log ring: when the path cannot be opened again the old file stays in use") {
  Folder folder;
  Quiet quiet;
  LogRing ring;
  LogWriter writer;
  std::filesystem::create_directory(folder / "logs");
  REQUIRE(writer.open(folder / "logs/log").empty());
  writer.add(ring);
  writer.start();
  std::filesystem::rename(folder / "logs", folder / "moved");
  writer.reopen();
  REQUIRE(eventually([&] { return writer.write_failures() == 1; }));
  ring.append("kept");
  writer.stop();
  CHECK(read_all(folder / "moved/log") == "kept\n");
}

TEST_CASE("log ring: a file is appended to; a path that cannot be opened is a sentence") {
  Folder folder;
  std::ofstream(folder / "log") << "before\n";
  {
    LogRing ring;
    LogWriter writer;
    REQUIRE(writer.open(folder / "log").empty());
    writer.add(ring);
    writer.start();
    ring.append("after");
  }
  CHECK(read_all(folder / "log") == "before\nafter\n");
  LogWriter writer;
  std::string problem = writer.open(folder / "missing/log");
  CHECK(problem.find("missing/log") != std::string::npos);
  CHECK(problem.find("No such file") != std::string::npos);
}

// A pipe under a name, with its reading end in the test's hands.
struct NamedPipe {
  explicit NamedPipe(const std::string& path) {
    mkfifo(path.c_str(), 0600);
    reader = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  ~NamedPipe() {
    if (reader >= 0) close(reader);
  }
  std::string read_available() const {
    std::string text;
    char part[4096];
    ssize_t size = 0;
    while ((size = read(reader, part, sizeof(part))) > 0)
      text.append(part, static_cast<size_t>(size));
    return text;
  }
  int reader;
};

TEST_CASE("log ring: a reader that stalls loses no line that the ring had room for") {
  Folder folder;
  NamedPipe pipe(folder / "pipe");
  LogRing ring(1 << 18);
  LogWriter writer;
  REQUIRE(writer.open(folder / "pipe").empty());
  writer.add(ring);
  writer.start();
  unsigned appended = 0;
  while (ring.append(make_line(0, appended, 100))) ++appended;
  // The pipe holds 64 KiB: the writer is now waiting for the reader.
  REQUIRE(eventually([&] { return writer.written_bytes() >= 60'000; }));
  std::string text;
  std::thread reader([&] {
    while (text.size() < ring.lines() * 90 || !text.ends_with('\n') ||
           lines_of(text).size() < ring.lines()) {
      text += pipe.read_available();
      usleep(500);
    }
  });
  reader.join();
  writer.stop();
  std::vector<std::string> lines = lines_of(text);
  REQUIRE(lines.size() == appended);
  for (unsigned i = 0; i < appended; ++i) CHECK(lines[i] == make_line(0, i, 100));
}

// As two processes do while one hands over to the other. The rings are small, so lines lie across
// their edges all the time.
TEST_CASE("log ring: two writers share a target, and no line is torn") {
  for (bool is_pipe : {false, true}) {
    Folder folder;
    std::string path = folder / "log";
    std::unique_ptr<NamedPipe> pipe;
    if (is_pipe) pipe = std::make_unique<NamedPipe>(path);
    constexpr unsigned lines_each = 20000;
    std::atomic<unsigned> ended{0};
    auto append_all = [&](unsigned shard) {
      LogRing ring(4096);
      LogWriter writer;
      REQUIRE(writer.open(path).empty());
      writer.add(ring);
      writer.start();
      Random random(shard);
      for (unsigned i = 0; i < lines_each;) {
        if (ring.append(make_line(shard, i, random.below(300)))) ++i;
      }
      writer.stop();
      ++ended;
    };
    std::thread first(append_all, 0);
    std::thread second(append_all, 1);
    std::string text;
    while (ended < 2) {
      if (pipe != nullptr) text += pipe->read_available();
      usleep(100);
    }
    first.join();
    second.join();
    text += pipe != nullptr ? pipe->read_available() : read_all(path);
    unsigned next[2] = {0, 0};
    for (const std::string& line : lines_of(text)) {
      unsigned shard = 0;
      unsigned number = 0;
      REQUIRE(whole(line, shard, number));
      CHECK(number == next[shard]++);
    }
    CHECK(next[0] == lines_each);
    CHECK(next[1] == lines_each);
  }
}

TEST_CASE("log ring: a reader that went away is counted; the process lives and stops at once") {
  Folder folder;
  Quiet quiet;
  NamedPipe pipe(folder / "pipe");
  LogRing ring;
  LogWriter writer;
  REQUIRE(writer.open(folder / "pipe").empty());
  writer.add(ring);
  writer.start();
  close(std::exchange(pipe.reader, -1));
  ring.append("nobody reads this");
  CHECK(eventually([&] { return writer.write_failures() >= 2; }));
  writer.stop();
  CHECK(writer.written_bytes() == 0);
  CHECK(writer.lost_bytes() == 18);
}

TEST_CASE("log ring: stop gives up on a reader that takes nothing") {
  Folder folder;
  Quiet quiet;
  NamedPipe pipe(folder / "pipe");
  LogRing ring(1 << 18);
  LogWriter writer;
  REQUIRE(writer.open(folder / "pipe").empty());
  writer.add(ring);
  writer.start();
  uint64_t bytes = 0;
  while (ring.append(std::string(999, 'x'))) bytes += 1000;
  writer.stop();
  CHECK(writer.lost_bytes() > 0);
  CHECK(writer.written_bytes() + writer.lost_bytes() == bytes);
}

TEST_CASE("log ring: a full disk is counted and said once; lines go on when there is room") {
  // A limit on the size of files fails writes as a full disk does: a short write, then an error.
  Folder folder;
  int messages[2];
  REQUIRE(pipe2(messages, O_CLOEXEC | O_NONBLOCK) == 0);
  set_log_descriptor(messages[1]);
  signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  rlimit small = before;
  small.rlim_cur = 1000;
  setrlimit(RLIMIT_FSIZE, &small);
  LogRing ring;
  LogWriter writer;
  REQUIRE(writer.open(folder / "log").empty());
  writer.add(ring);
  writer.start();
  for (unsigned i = 0; i < 30; ++i) ring.append(make_line(0, i, 50));
  REQUIRE(eventually([&] { return writer.write_failures() >= 3; }));
  CHECK(writer.written_bytes() == 1000);  // in the middle of a line
  SUBCASE("room comes back: the torn line goes on") {
    setrlimit(RLIMIT_FSIZE, &before);
    writer.stop();
    std::vector<std::string> lines = lines_of(read_all(folder / "log"));
    REQUIRE(lines.size() == 30);
    for (unsigned i = 0; i < 30; ++i) CHECK(lines[i] == make_line(0, i, 50));
    CHECK(writer.lost_bytes() == 0);
  }
  SUBCASE("the file is moved away: the rest of the torn line is dropped") {
    std::filesystem::rename(folder / "log", folder / "log.1");
    writer.reopen();
    REQUIRE(eventually([&] { return std::filesystem::exists(folder / "log"); }));
    setrlimit(RLIMIT_FSIZE, &before);
    writer.stop();
    CHECK(writer.lost_bytes() > 0);
    CHECK(writer.lost_bytes() < 60);
    for (const std::string& line : lines_of(read_all(folder / "log"))) {
      unsigned shard = 0;
      unsigned number = 0;
      CHECK(whole(line, shard, number));
    }
  }
  setrlimit(RLIMIT_FSIZE, &before);
  set_log_descriptor(STDERR_FILENO);
  char text[4096];
  ssize_t size = read(messages[0], text, sizeof(text));
  REQUIRE(size > 0);
  CHECK(std::count(text, text + size, '\n') == 1);
  close(messages[0]);
  close(messages[1]);
}

}  // namespace
}  // namespace hyperion
