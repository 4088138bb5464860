// A program that a test talks to: openssl, for the peers that are not ours.
//
// Started with pipes for its input and its output (error output included); killed and reaped when
// the object goes, so a failing test leaves nothing behind. Reading waits for the program, up to a
// deadline that only a broken run reaches.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <string_view>
#include <vector>

extern char** environ;

namespace hyperion::test {

class ChildProcess {
 public:
  explicit ChildProcess(const std::vector<std::string>& arguments) {
    int in[2];
    int out[2];
    if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_adddup2(&actions, out[1], 2);
    std::vector<char*> pointers;
    for (const std::string& argument : arguments) {
      pointers.push_back(const_cast<char*>(argument.c_str()));
    }
    pointers.push_back(nullptr);
    if (posix_spawnp(&pid_, pointers[0], &actions, nullptr, pointers.data(), environ) != 0)
      pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    input_ = in[1];
    output_ = out[0];
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess() {
    close_input();
    if (output_ >= 0) close(output_);
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }

  bool started() const { return pid_ > 0; }

  bool write_input(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t written = ::write(input_, bytes.data(), bytes.size());
      if (written <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return true;
  }
  void close_input() {
    if (input_ >= 0) close(input_);
    input_ = -1;
  }

  // Takes what the program has written by now, waiting up to `wait_ms` for some. False at its end.
  bool read_some(int wait_ms) {
    pollfd ready = {output_, POLLIN, 0};
    if (poll(&ready, 1, wait_ms) <= 0) return true;
    char buffer[16 * 1024];
    ssize_t got = ::read(output_, buffer, sizeof(buffer));
    if (got <= 0) return false;
    printed_.append(buffer, static_cast<size_t>(got));
    return true;
  }

  // Reads until the program has printed `text`; false if it ended or was silent for 10 s first.
  bool wait_for(std::string_view text) {
    while (printed_.find(text) == std::string::npos) {
      size_t before = printed_.size();
      if (!read_some(10'000) || printed_.size() == before) {
        return printed_.find(text) != std::string::npos;
      }
    }
    return true;
  }

  const std::string& printed() const { return printed_; }
  bool has_printed(std::string_view text) const { return printed_.find(text) != std::string::npos; }
  void forget_printed() { printed_.clear(); }
  // For poll.
  int output_file() const { return output_; }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  std::string printed_;
};

}  // namespace hyperion::test
