#include "io/capabilities.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <liburing.h>

#include "io/receive_buffers.h"
#include "io/ring_setup.h"

namespace hyperion::io {
namespace {

std::string read_line(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char text[64] = {};
  ssize_t size = read(fd, text, sizeof(text) - 1);
  close(fd);
  if (size <= 0) return {};
  while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == ' ')) --size;
  return {text, static_cast<size_t>(size)};
}

// Sends `size` bytes optimistically; returns 1 if the kernel stayed silent, else 0, and its result
// in `result`.
int try_optimistic_send(io_uring* ring, int fd, const char* bytes, size_t size, int& result) {
  io_uring_sqe* sqe = io_uring_get_sqe(ring);
  io_uring_prep_send(sqe, fd, bytes, size, MSG_DONTWAIT | MSG_WAITALL | MSG_NOSIGNAL);
  sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
  sqe->user_data = 7;
  io_uring_submit_and_get_events(ring);
  io_uring_cqe* cqe = nullptr;
  if (io_uring_peek_cqe(ring, &cqe) != 0) return 1;
  result = cqe->res;
  io_uring_cqe_seen(ring, cqe);
  return 0;
}

// The rule the send path stands on: silence after the call returned means that everything was
// taken, and a full socket or a partial write is always reported.
bool test_optimistic_send(io_uring* ring) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) return false;
  static char bytes[64 * 1024];
  int result = 0;
  bool good = try_optimistic_send(ring, pair[0], bytes, 100, result) == 1;
  size_t sent = 100;
  bool reported = false;
  for (int i = 0; good && i < 1000 && !reported; ++i) {
    if (try_optimistic_send(ring, pair[0], bytes, sizeof(bytes), result) == 1) {
      sent += sizeof(bytes);
      continue;
    }
    reported = true;
    if (result > 0) sent += static_cast<size_t>(result);
    good = result == -EAGAIN || (result > 0 && result < static_cast<int>(sizeof(bytes)));
  }
  size_t received = 0;
  ssize_t size = 0;
  while ((size = recv(pair[1], bytes, sizeof(bytes), MSG_DONTWAIT)) > 0) {
    received += static_cast<size_t>(size);
  }
  close(pair[0]);
  close(pair[1]);
  return good && reported && received == sent;
}

}  // namespace

Refusal explain_refusal(const char* call, int error) {
  Refusal refusal;
  refusal.what = std::string("io_uring is not available here: ") + call +
                 " failed: " + std::strerror(error) + ".";
  std::string disabled = read_line("/proc/sys/kernel/io_uring_disabled");
  switch (error) {
    case EPERM:
    case EACCES:
      refusal.remedy =
          !disabled.empty() && disabled != "0"
              ? "Run `sysctl kernel.io_uring_disabled=0` (now " + disabled + "), then start again."
              : "A seccomp filter forbids it: allow io_uring_setup, io_uring_enter and "
                "io_uring_register "
                "(conf/seccomp.json has the lines for containers).";
      break;
    case ENOSYS:
      refusal.remedy =
          "Use Linux 6.1 or newer with io_uring built in; in a container, allow io_uring_setup, "
          "io_uring_enter and io_uring_register in its seccomp profile.";
      break;
    case EINVAL:
      refusal.remedy =
          "The kernel is older than 6.1 (DEFER_TASKRUN is needed): boot Linux 6.1 or newer.";
      break;
    case ENOMEM:
      refusal.remedy =
          "Raise the locked-memory limit (`ulimit -l`, or LimitMEMLOCK= in the systemd unit) or "
          "lower "
          "server.ring_entries.";
      break;
    case EMFILE:
    case ENFILE:
      refusal.remedy =
          "Raise the open-file limit (`ulimit -n`, or LimitNOFILE= in the systemd unit).";
      break;
    default:
      refusal.remedy =
          "Check `dmesg` and that the kernel is Linux 6.1 or newer with io_uring enabled.";
  }
  return refusal;
}

CapabilityReport probe_capabilities() {
  CapabilityReport report;
  utsname name{};
  uname(&name);
  report.kernel = name.release;
  io_uring ring{};
  RingSetup setup = set_up_ring(&ring, 64);
  if (setup.error != 0) {
    report.refusal = explain_refusal("io_uring_setup", setup.error);
    return report;
  }
  auto add = [&](const char* what, bool present, bool required, const char* note) {
    report.capabilities.push_back({what, present, required, note});
    if (required && !present && !report.refusal) {
      report.refusal = {std::string("io_uring lacks what Hyperion needs: ") + what + " is missing.",
                        "Boot Linux 6.1 or newer."};
    }
  };
  add("DEFER_TASKRUN, SINGLE_ISSUER", true, true, "completions run when the shard asks (6.1)");
  add("no submission array", setup.no_sqarray, false, "one indirection less (6.6)");
  io_uring_probe* probe = io_uring_get_probe_ring(&ring);
  auto has = [&](int opcode) {
    return probe != nullptr && io_uring_opcode_supported(probe, opcode) != 0;
  };
  add("accept, connect, receive, send",
      has(IORING_OP_ACCEPT) && has(IORING_OP_CONNECT) && has(IORING_OP_RECV) &&
          has(IORING_OP_SENDMSG),
      true, "");
  add("cancellation", has(IORING_OP_ASYNC_CANCEL), true, "");
  add("wait with a time-out argument", (ring.features & IORING_FEAT_EXT_ARG) != 0, true, "(5.11)");
  add("no dropped completions", (ring.features & IORING_FEAT_NODROP) != 0, true, "(5.5)");
  add("silent success", (ring.features & IORING_FEAT_CQE_SKIP) != 0, true, "(5.17)");
  if (probe != nullptr) io_uring_free_probe(probe);
  {
    ReceiveBuffers buffers;
    add("provided buffer ring", buffers.open(&ring, 2, 4096) == 0, true,
        "idle connections hold no memory (5.19)");
  }
  report.optimistic_send = !report.refusal && test_optimistic_send(&ring);
  add("optimistic send", report.optimistic_send, false,
      "one wake-up less for each send; tested now");
  io_uring_queue_exit(&ring);
  return report;
}

std::string CapabilityReport::table() const {
  std::string text = "io_uring on Linux " + kernel + "\n";
  if (capabilities.empty() && refusal) return text;
  for (const Capability& capability : capabilities) {
    std::string line = "  " + capability.name;
    line.resize(line.size() < 36 ? 36 : line.size() + 1, ' ');
    line += capability.present ? "yes" : (capability.required ? "MISSING" : "no");
    if (!capability.note.empty()) line += "  " + capability.note;
    text += line + "\n";
  }
  return text;
}

}  // namespace hyperion::io
