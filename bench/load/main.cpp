// The load tool of bench/proxy: client and upstream of a proxy in one process on one CPU.
//
//   load serve [--upstream-port N] [--key KEY] [--model NAME]
//   load spin
//
// `serve` prints a line of JSON with the upstream's port, answers requests on it from then on, and
// executes a command for each line of its input (command.h) until that ends. `spin` keeps its CPU
// awake at the lowest priority until it is killed; pin it from outside. bench/README.md says why
// measuring is arranged so.

#include <sched.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "load/client.h"
#include "load/clock.h"
#include "load/command.h"
#include "load/idle.h"
#include "load/loop.h"
#include "load/run.h"
#include "load/sockets.h"
#include "load/upstream.h"

namespace hyperion::bench {

namespace {

struct Options {
  uint16_t upstream_port = 0;
  std::string key = "sk_test_bench";
  std::string model = "bench-model";
};

// Reads commands and executes them, one at a time.
class Commander final : public Handler {
 public:
  Commander(Loop& loop, Upstream& upstream, Options options)
      : loop_(loop), upstream_(upstream), options_(std::move(options)) {}

  void serve();
  void on_ready(uint32_t epoll_events) override;

 private:
  void execute(const std::string& line);
  std::string perform(const Command& command);
  Conversation conversation(const Command& command) const;
  std::string run(const Command& command);
  std::string hold(const Command& command);
  std::string write_body(const Command& command) const;

  Loop& loop_;
  Upstream& upstream_;
  const Options options_;
  std::string input_;
  bool input_ended_ = false;
  std::unique_ptr<IdlePool> idle_;
};

void Commander::serve() {
  if (!loop_.add(STDIN_FILENO, EPOLLIN, this)) {
    std::fprintf(stderr, "load: commands must come through a pipe or a terminal, not a file\n");
    return;
  }
  while (!input_ended_) {
    const size_t end = input_.find('\n');
    if (end != std::string::npos) {
      const std::string line = input_.substr(0, end);
      input_.erase(0, end + 1);
      // Not watched meanwhile: waiting commands would wake every turn of a run.
      loop_.remove(STDIN_FILENO);
      execute(line);
      loop_.add(STDIN_FILENO, EPOLLIN, this);
      continue;
    }
    loop_.turn(upstream_.wait_ns(now_ns()));
    upstream_.run_due(now_ns());
  }
}

void Commander::on_ready(uint32_t) {
  char bytes[4096];
  const ssize_t count = read(STDIN_FILENO, bytes, sizeof bytes);
  if (count <= 0) {
    input_ended_ = true;
  } else {
    input_.append(bytes, static_cast<size_t>(count));
  }
}

void Commander::execute(const std::string& line) {
  Command command;
  const std::string problem = parse_command(line, command);
  const std::string answer = problem.empty() ? perform(command) : failure_json(problem);
  std::printf("%s\n", answer.c_str());
  std::fflush(stdout);
}

std::string Commander::perform(const Command& command) {
  if (command.mode == "release") {
    const uint64_t open = idle_ == nullptr ? 0 : idle_->open_count();
    idle_.reset();
    return idle_json(command, true, open, {});
  }
  UpstreamBehaviour behaviour;
  behaviour.expected_body =
      make_request_body(command.prompt_bytes, command.events > 0, options_.model);
  behaviour.events = static_cast<uint32_t>(command.events);
  behaviour.gap_ns = static_cast<int64_t>(command.gap_us) * 1000;
  behaviour.plant = command.plant;
  upstream_.behave(std::move(behaviour));
  if (command.mode == "body") return write_body(command);
  return command.mode == "hold" ? hold(command) : run(command);
}

Conversation Commander::conversation(const Command& command) const {
  const std::string body =
      make_request_body(command.prompt_bytes, command.events > 0, options_.model);
  const std::string host = "127.0.0.1:" + std::to_string(command.port);
  return {.request = make_request(host, options_.key, body),
          .streamed = command.events > 0,
          .answer_body = make_answer_body(options_.model),
          .stream = StreamTemplate(options_.model),
          .events = static_cast<uint32_t>(command.events)};
}

std::string Commander::run(const Command& command) {
  RunPlan plan;
  plan.port = static_cast<uint16_t>(command.port);
  plan.connections = static_cast<uint32_t>(command.connections);
  plan.warmup_ns = static_cast<int64_t>(command.warmup_ms) * nanoseconds_per_millisecond;
  plan.window_ns = static_cast<int64_t>(command.window_ms) * nanoseconds_per_millisecond;
  plan.requests_max = command.requests;
  plan.stagger_ns = static_cast<int64_t>(command.gap_us * 1000 / command.connections);
  plan.rate = command.mode == "open" ? static_cast<double>(command.rate) : 0;
  plan.seed = command.seed;
  plan.spin = command.spin != 0;
  plan.watched = command.watched;
  const Conversation said = conversation(command);
  const RunResult result = Run(loop_, upstream_, said, std::move(plan)).take();
  return result_json(command, result, upstream_.counts());
}

std::string Commander::hold(const Command& command) {
  idle_ = std::make_unique<IdlePool>(loop_, upstream_, conversation(command),
                                     static_cast<uint16_t>(command.port));
  const bool ok = idle_->hold(static_cast<uint32_t>(command.connections),
                              static_cast<uint32_t>(command.requests));
  return idle_json(command, ok, idle_->open_count(), idle_->first_failure());
}

// For load tools that send the same body themselves; the upstream expects it from now on.
std::string Commander::write_body(const Command& command) const {
  const std::string body =
      make_request_body(command.prompt_bytes, command.events > 0, options_.model);
  std::FILE* file = std::fopen(command.file.c_str(), "wb");
  if (file == nullptr) return failure_json("cannot write " + command.file);
  const bool written = std::fwrite(body.data(), 1, body.size(), file) == body.size();
  if (std::fclose(file) != 0 || !written) return failure_json("cannot write " + command.file);
  return idle_json(command, true, 0, {});
}

// Arithmetic, not the pause instruction: a hypervisor takes the CPU from a guest that pauses.
[[noreturn]] void spin() {
  const sched_param parameters{};
  if (sched_setscheduler(0, SCHED_IDLE, &parameters) != 0) {
    std::perror("load spin: SCHED_IDLE");
    _exit(1);
  }
  volatile uint64_t turns = 0;
  while (true) turns = turns + 1;
}

bool parse_options(int count, char** words, Options& options) {
  for (int index = 2; index + 1 < count; index += 2) {
    const std::string_view name = words[index];
    const std::string_view value = words[index + 1];
    if (name == "--key") {
      options.key = value;
    } else if (name == "--model") {
      options.model = value;
    } else if (name == "--upstream-port") {
      const auto [end, error] =
          std::from_chars(value.data(), value.data() + value.size(), options.upstream_port);
      if (error != std::errc{}) return false;
    } else {
      return false;
    }
  }
  return count % 2 == 0;
}

int serve(int count, char** words) {
  Options options;
  if (!parse_options(count, words, options)) {
    std::fprintf(stderr, "usage: load serve [--upstream-port N] [--key KEY] [--model NAME]\n");
    return 2;
  }
  const size_t descriptors = raise_descriptor_limit();
  Loop loop;
  Upstream upstream(loop, options.model);
  uint16_t port = options.upstream_port;
  if (!upstream.listen(port)) {
    std::perror("load: cannot listen for the upstream role");
    return 1;
  }
  std::printf("{\"upstream_port\":%u,\"descriptors_max\":%zu}\n", port, descriptors);
  std::fflush(stdout);
  Commander(loop, upstream, options).serve();
  return 0;
}

}  // namespace

}  // namespace hyperion::bench

int main(int count, char** words) {
  const std::string_view role = count > 1 ? words[1] : "";
  if (role == "serve") return hyperion::bench::serve(count, words);
  if (role == "spin" && count == 2) hyperion::bench::spin();
  std::fprintf(stderr, "usage: load serve [options] | load spin\n");
  return 2;
}
