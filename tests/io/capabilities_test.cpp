#include "io/capabilities.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <liburing.h>

#include "base/random.h"
#include "io/ring_setup.h"
#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

// What `probe_capabilities` says in a process whose io_uring_setup fails with `error`, as the
// seccomp profile of a container makes it fail: the two lines of the refusal, then the table.
std::string probe_under_filter(int error) {
  int output[2];
  REQUIRE(pipe(output) == 0);
  pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | static_cast<unsigned>(error)),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    sock_fprog program{sizeof(rules) / sizeof(rules[0]), rules};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
      _exit(2);
    }
    CapabilityReport report = probe_capabilities();
    std::string text = report.refusal.what + "\n" + report.refusal.remedy + "\n" + report.table();
    bool sent = write(output[1], text.data(), text.size()) == static_cast<ssize_t>(text.size());
    _exit(sent ? 0 : 3);
  }
  close(output[1]);
  std::string text;
  char part[4096];
  ssize_t size = 0;
  while ((size = read(output[0], part, sizeof(part))) > 0) {
    text.append(part, static_cast<size_t>(size));
  }
  close(output[0]);
  int status = 0;
  waitpid(child, &status, 0);
  REQUIRE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) {
    hyperion::test::skip_case("this machine refuses seccomp filters");
    return {};
  }
  REQUIRE(WEXITSTATUS(status) == 0);
  return text;
}

std::string line_of(const std::string& text, size_t number) {
  size_t at = 0;
  for (; number > 0; --number) at = text.find('\n', at) + 1;
  return text.substr(at, text.find('\n', at) - at);
}

bool contains(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("capabilities: a filter that forbids io_uring is two lines, what and remedy") {
  std::string text = probe_under_filter(EPERM);
  if (text.empty()) return;
  CHECK(line_of(text, 0) ==
        "io_uring is not available here: io_uring_setup failed: Operation not permitted.");
  std::string disabled;
  std::ifstream("/proc/sys/kernel/io_uring_disabled") >> disabled;
  if (disabled.empty() || disabled == "0") {
    CHECK(contains(line_of(text, 1), "seccomp"));
    CHECK(contains(line_of(text, 1), "io_uring_setup, io_uring_enter and io_uring_register"));
  } else {
    CHECK(contains(line_of(text, 1), "sysctl kernel.io_uring_disabled=0"));
  }
  CHECK(contains(line_of(text, 2), "io_uring on Linux "));
}

TEST_CASE("capabilities: a system without io_uring is told to get another kernel or profile") {
  std::string text = probe_under_filter(ENOSYS);
  if (text.empty()) return;
  CHECK(line_of(text, 0) ==
        "io_uring is not available here: io_uring_setup failed: Function not implemented.");
  CHECK(contains(line_of(text, 1), "Linux 6.1 or newer"));
  CHECK(contains(line_of(text, 1), "seccomp"));
}

TEST_CASE("capabilities: a kernel that does not know the flags is too old") {
  std::string text = probe_under_filter(EINVAL);
  if (text.empty()) return;
  CHECK(contains(line_of(text, 0), "Invalid argument"));
  CHECK(contains(line_of(text, 1), "older than 6.1"));
}

TEST_CASE("capabilities: every errno of a failed call has a remedy, on one line") {
  for (int error : {EPERM, EACCES, ENOSYS, EINVAL, ENOMEM, EMFILE, ENFILE, EBADF}) {
    Refusal refusal = explain_refusal("io_uring_setup", error);
    CHECK(static_cast<bool>(refusal));
    CHECK_FALSE(refusal.remedy.empty());
    CHECK_FALSE(contains(refusal.what + refusal.remedy, "\n"));
    CHECK(refusal.what.ends_with("."));
    CHECK(refusal.remedy.ends_with("."));
  }
  CHECK(contains(explain_refusal("x", ENOMEM).remedy, "LimitMEMLOCK"));
  CHECK(contains(explain_refusal("x", EMFILE).remedy, "LimitNOFILE"));
}

TEST_CASE("capabilities: a reactor where io_uring is refused says the same and can be destroyed") {
  Loopback loop;
  if (!loop.open()) return;  // elsewhere the refusal is what is shown as the reason of the skip
  CapabilityReport report = probe_capabilities();
  CHECK_FALSE(report.refusal);
  CHECK(report.kernel != "");
  std::string table = report.table();
  for (const Capability& capability : report.capabilities) {
    CHECK(contains(table, capability.name.c_str()));
    if (capability.required) CHECK(capability.present);
  }
  CHECK_FALSE(contains(table, "MISSING"));
}

// A connected TCP pair; the sending end is returned first.
std::pair<int, int> tcp_pair() {
  RawSocket listener;
  Address address = loopback_address();
  REQUIRE(bind(listener.fd(), address.get(), address.size) == 0);
  REQUIRE(listen(listener.fd(), 1) == 0);
  socklen_t size = sizeof(address.storage);
  getsockname(listener.fd(), reinterpret_cast<sockaddr*>(&address.storage), &size);
  int sender = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(connect(sender, address.get(), address.size) == 0);
  int receiver = accept(listener.fd(), nullptr, nullptr);
  REQUIRE(receiver >= 0);
  return {sender, receiver};
}

TEST_CASE("capabilities: where the self-test trusts silence, silence on TCP means all was taken") {
  CapabilityReport report = probe_capabilities();
  if (!report.optimistic_send) {
    hyperion::test::skip_case("this kernel does not keep the rule of optimistic sends");
    return;
  }
  io_uring ring{};
  REQUIRE(set_up_ring(&ring, 8).error == 0);
  Random random(17);
  for (int round = 0; round < 20; ++round) {
    auto [sender, receiver] = tcp_pair();
    std::string bytes(2'000'000, 'x');
    uint64_t sent = 0;
    uint64_t received = 0;
    int full = 0;
    int partial = 0;
    while (full < 3) {
      size_t size = 1 + random.below(uint64_t{1} << (1 + random.below(20)));
      io_uring_sqe* sqe = io_uring_get_sqe(&ring);
      io_uring_prep_send(sqe, sender, bytes.data(), size,
                         MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
      sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
      // As the reactor does it when the queue is full, and as it does before it sleeps.
      random.chance(1, 2) ? io_uring_submit(&ring) : io_uring_submit_and_get_events(&ring);
      io_uring_cqe* cqe = nullptr;
      if (io_uring_peek_cqe(&ring, &cqe) != 0) {
        sent += size;
        continue;
      }
      if (cqe->res > 0) {
        CHECK(static_cast<size_t>(cqe->res) < size);
        sent += static_cast<uint64_t>(cqe->res);
        ++partial;
      } else {
        REQUIRE(cqe->res == -EAGAIN);
        ++full;
        ssize_t taken = recv(receiver, bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (taken > 0) received += static_cast<uint64_t>(taken);
      }
      io_uring_cqe_seen(&ring, cqe);
    }
    shutdown(sender, SHUT_WR);
    ssize_t taken = 0;
    while ((taken = recv(receiver, bytes.data(), bytes.size(), 0)) > 0) {
      received += static_cast<uint64_t>(taken);
    }
    CHECK(received == sent);
    CHECK(full == 3);
    close(sender);
    close(receiver);
  }
  io_uring_queue_exit(&ring);
}

}  // namespace
}  // namespace hyperion::io
