#include "server/hand_over.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <utility>

#include "base/clock.h"

namespace hyperion::server {
namespace {

constexpr char variable[] = "HYPERION_HAND_OVER";
// Of the messages. A binary that speaks another version does not take over.
constexpr std::string_view version = "1";
constexpr size_t message_max_bytes = 4096;
constexpr int look_ms = 20;
// A successor that has closed its end is about to be gone: its status is worth a moment.
constexpr int farewell_looks_max = 50;

enum class Word : char {
  hello = 'h',    // version
  address = 'a',  // service, text
  socket = 's',   // one descriptor, of the last address
  end = 'e',      // of the sockets
  ready = 'r',    // for each address '1' or '0': it is used
  state = 't',
  serving = 'g',
};

struct Message {
  Word word{};
  std::string text;
  int descriptor = -1;
};

union Attachment {
  char bytes[CMSG_SPACE(sizeof(int))];
  cmsghdr alignment;
};

bool send_message(int channel, Word word, std::string_view text, int descriptor = -1) {
  char kind = static_cast<char>(word);
  iovec parts[2] = {{&kind, 1}, {const_cast<char*>(text.data()), text.size()}};
  msghdr header{};
  header.msg_iov = parts;
  header.msg_iovlen = 2;
  Attachment attachment{};
  if (descriptor >= 0) {
    header.msg_control = attachment.bytes;
    header.msg_controllen = sizeof(attachment.bytes);
    cmsghdr* control = CMSG_FIRSTHDR(&header);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(control), &descriptor, sizeof(int));
  }
  return sendmsg(channel, &header, MSG_NOSIGNAL) >= 0;
}

// Waits for one, unless the channel does not block. Nothing: the other side is gone, or errno says
// EAGAIN.
std::optional<Message> receive_message(int channel) {
  char bytes[message_max_bytes];
  iovec part{bytes, sizeof(bytes)};
  Attachment attachment{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = attachment.bytes;
  header.msg_controllen = sizeof(attachment.bytes);
  ssize_t size = 0;
  do {
    size = recvmsg(channel, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) {
    if (size == 0) errno = ECONNRESET;
    return std::nullopt;
  }
  Message message;
  message.word = static_cast<Word>(bytes[0]);
  message.text.assign(bytes + 1, static_cast<size_t>(size) - 1);
  const cmsghdr* control = CMSG_FIRSTHDR(&header);
  if (control != nullptr && control->cmsg_type == SCM_RIGHTS)
    std::memcpy(&message.descriptor, CMSG_DATA(control), sizeof(int));
  return message;
}

bool names_this_binary(const std::string& path) {
  struct stat given {};
  struct stat own {};
  return stat(path.c_str(), &given) == 0 && stat("/proc/self/exe", &own) == 0 &&
         given.st_dev == own.st_dev && given.st_ino == own.st_ino;
}

// The old process's view of the new one.
class Successor {
 public:
  Successor(uint32_t within_s, const std::function<bool()>& wanted_elsewhere)
      : within_s_(within_s),
        wanted_elsewhere_(wanted_elsewhere),
        deadline_(clock_.precise_now() + within_s * ns_per_s) {}
  ~Successor() {
    for (int fd : {channel_, far_end_}) {
      if (fd >= 0) close(fd);
    }
  }

  bool start(const Launch& launch);
  bool give_sockets(const std::vector<HeldAddress>& held);
  bool await_ready(std::vector<bool>& taken);
  bool give_state();
  bool await_serving() { return await(Word::serving).has_value(); }
  void end();

  pid_t process() const { return process_; }
  const std::string& problem() const { return problem_; }

 private:
  bool open_channel();
  bool await_event(short event);
  bool give(Word word, std::string_view text, int descriptor = -1);
  std::optional<Message> await(Word word);
  bool fail(std::string problem);

  SystemClock clock_;
  uint32_t within_s_;
  const std::function<bool()>& wanted_elsewhere_;
  Instant deadline_;
  pid_t process_ = -1;
  int channel_ = -1;
  int far_end_ = -1;
  bool hung_up_ = false;
  std::string problem_;
};

bool Successor::fail(std::string problem) {
  if (problem_.empty()) problem_ = std::move(problem);
  return false;
}

bool Successor::open_channel() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
    return fail(std::string("no socket pair: ") + std::strerror(errno) + ".");
  channel_ = ends[0];
  far_end_ = ends[1];
  return fcntl(channel_, F_SETFL, O_NONBLOCK) == 0;
}

bool Successor::start(const Launch& launch) {
  if (!open_channel()) return false;
  std::string told = std::string(variable) + "=" + std::to_string(far_end_);
  std::vector<char*> environment;
  for (char** one = environ; *one != nullptr; ++one) environment.push_back(*one);
  environment.push_back(told.data());
  environment.push_back(nullptr);
  std::vector<char*> arguments{const_cast<char*>(launch.path.c_str())};
  for (const std::string& one : launch.arguments)
    arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  // Onto itself: in the new process it stays open (posix_spawn(3)).
  posix_spawn_file_actions_adddup2(&actions, far_end_, far_end_);
  // The signals that we take stay blocked until it is there to take them.
  int error = posix_spawn(&process_, launch.path.c_str(), &actions, nullptr, arguments.data(),
                          environment.data());
  posix_spawn_file_actions_destroy(&actions);
  close(std::exchange(far_end_, -1));
  if (error == 0) return true;
  process_ = -1;
  return fail("cannot execute " + launch.path + ": " + std::strerror(error) + ".");
}

bool Successor::await_event(short event) {
  while (true) {
    pollfd channel{channel_, event, 0};
    if (poll(&channel, 1, look_ms) > 0) return true;
    if (wanted_elsewhere_()) return fail("this process was told to stop meanwhile.");
    if (clock_.precise_now() >= deadline_) {
      return fail("the new binary did not serve within " + std::to_string(within_s_) +
                  " s ([server] successor_ready_s).");
    }
  }
}

bool Successor::give(Word word, std::string_view text, int descriptor) {
  while (!send_message(channel_, word, text, descriptor)) {
    if (errno != EAGAIN) {
      hung_up_ = true;
      return fail("the new binary ended before it served");
    }
    if (!await_event(POLLOUT)) return false;
  }
  return true;
}

std::optional<Message> Successor::await(Word word) {
  while (true) {
    std::optional<Message> message = receive_message(channel_);
    if (message && message->word == word) return message;
    if (message || errno != EAGAIN) {
      hung_up_ = true;
      fail("the new binary ended before it served");
      return std::nullopt;
    }
    if (!await_event(POLLIN)) return std::nullopt;
  }
}

bool Successor::give_sockets(const std::vector<HeldAddress>& held) {
  if (!give(Word::hello, version)) return false;
  for (const HeldAddress& address : held) {
    if (!give(Word::address, static_cast<char>(address.service) + address.text)) return false;
    for (int fd : address.sockets) {
      if (!give(Word::socket, {}, fd)) return false;
    }
  }
  return give(Word::end, {});
}

bool Successor::await_ready(std::vector<bool>& taken) {
  std::optional<Message> ready = await(Word::ready);
  if (!ready) return false;
  for (char one : ready->text) taken.push_back(one == '1');
  return true;
}

// The new process can serve and has taken nothing yet; from its answer on, connections are its own.
// What this process holds for both of them goes over here.
bool Successor::give_state() { return give(Word::state, {}); }

// After a failure. A status says more than that the channel is closed.
void Successor::end() {
  if (process_ < 0) return;
  int status = 0;
  pid_t ended = 0;
  for (int looks = 0; hung_up_ && ended == 0 && looks < farewell_looks_max; ++looks) {
    ended = waitpid(process_, &status, WNOHANG);
    if (ended == 0) poll(nullptr, 0, look_ms);
  }
  if (ended == 0) {
    kill(process_, SIGKILL);
    waitpid(process_, &status, 0);
  }
  if (!hung_up_) return;
  if (WIFEXITED(status)) {
    problem_ += ", with status " + std::to_string(WEXITSTATUS(status)) + ": what it said is above.";
  } else {
    problem_ += ", by signal " + std::to_string(WTERMSIG(status)) + ".";
  }
}

}  // namespace

Launch Launch::of_this_process(std::vector<std::string> arguments) {
  Launch launch;
  launch.arguments = std::move(arguments);
  char buffer[4096];
  const auto* executed = reinterpret_cast<const char*>(getauxval(AT_EXECFN));
  if (executed != nullptr) launch.path = executed;
  if (!launch.path.starts_with("/") && getcwd(buffer, sizeof(buffer)) != nullptr)
    launch.path = std::string(buffer) + "/" + launch.path;
  if (names_this_binary(launch.path)) return launch;
  ssize_t size = readlink("/proc/self/exe", buffer, sizeof(buffer));
  launch.path.assign(buffer, size > 0 ? static_cast<size_t>(size) : 0);
  return launch;
}

HandOver hand_over(const Launch& launch, const std::vector<HeldAddress>& held, uint32_t within_s,
                   const std::function<bool()>& wanted_elsewhere) {
  HandOver outcome;
  Successor successor(within_s, wanted_elsewhere);
  bool serves = successor.start(launch) && successor.give_sockets(held) &&
                successor.await_ready(outcome.taken) && successor.give_state() &&
                successor.await_serving();
  if (!serves) successor.end();
  outcome.problem = successor.problem();
  outcome.successor = successor.process();
  return outcome;
}

Predecessor::~Predecessor() {
  if (channel_ >= 0) close(channel_);
}

bool Predecessor::find(std::string& problem) {
  const char* value = std::getenv(variable);
  if (value == nullptr) return false;
  std::string_view text = value;
  int fd = -1;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), fd);
  int type = 0;
  socklen_t size = sizeof(type);
  bool good = error == std::errc{} && end == text.data() + text.size() &&
              getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_SEQPACKET;
  if (good) {
    channel_ = fd;
    fcntl(channel_, F_SETFD, FD_CLOEXEC);
    problem = receive_sockets();
  } else {
    problem = std::string(variable) + " is set, and no process hands anything over: unset it.";
  }
  unsetenv(variable);
  return true;
}

std::string Predecessor::receive_sockets() {
  while (std::optional<Message> message = receive_message(channel_)) {
    switch (message->word) {
      case Word::hello:
        if (message->text == version) continue;
        return "the running process hands over in a way that this version does not know: restart.";
      case Word::address:
        if (message->text.empty()) break;
        held_.push_back({static_cast<Service>(message->text[0]), message->text.substr(1), {}});
        continue;
      case Word::socket:
        if (message->descriptor < 0)
          return "not all sockets of the running process fit here: raise `ulimit -n`.";
        if (held_.empty()) break;
        held_.back().sockets.push_back(message->descriptor);
        continue;
      case Word::end: return {};
      default: break;
    }
    return "the running process said something unexpected at the hand-over: restart.";
  }
  return "the running process ended during the hand-over: start again.";
}

bool Predecessor::await_state(const std::vector<bool>& taken) {
  std::string text;
  for (bool one : taken) text += one ? '1' : '0';
  if (!send_message(channel_, Word::ready, text)) return false;
  std::optional<Message> message = receive_message(channel_);
  return message && message->word == Word::state;
}

void Predecessor::say_serving() {
  send_message(channel_, Word::serving, {});
  close(std::exchange(channel_, -1));
}

}  // namespace hyperion::server
