// The process's own environment and files, as loading sees them.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "config/config.h"
#include "config/document.h"

namespace hyperion::config {
namespace {

// systemd's LoadCredential= keeps its files in a folder that only the service can enter, with modes
// that may show a group.
bool is_systemd_credential(const std::string& path) {
  const char* folder = std::getenv("CREDENTIALS_DIRECTORY");
  return folder != nullptr && *folder == '/' && path.starts_with(std::string(folder) + "/") &&
         path.find("/../") == std::string::npos;
}

bool check_readers(const std::string& path, const struct stat& status, Readers readers,
                   std::string& problem) {
  if (readers == Readers::anybody || is_systemd_credential(path)) return true;
  const mode_t forbidden = readers == Readers::owner_only ? 077 : 007;
  if ((status.st_mode & forbidden) == 0) return true;
  problem = path + " holds a secret and others than its owner may read it: chmod " +
            (readers == Readers::owner_only ? "600 " : "o= ") + path;
  return false;
}

std::optional<std::string> read_all(int fd, const std::string& path, std::string& problem) {
  std::string text;
  char buffer[16 * 1024];
  while (true) {
    const ssize_t size = read(fd, buffer, sizeof(buffer));
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) problem = path + " cannot be read: " + std::strerror(errno);
    if (size <= 0) break;
    text.append(buffer, static_cast<size_t>(size));
    if (text.size() <= document_size_max_bytes) continue;
    problem = path + " is larger than 4 MiB";
    break;
  }
  wipe_memory(buffer, sizeof(buffer));
  if (problem.empty()) return text;
  wipe_memory(text.data(), text.size());
  return std::nullopt;
}

std::optional<std::string> read_regular_file(const std::string& path, Readers readers,
                                             std::string& problem) {
  problem.clear();
  // Not blocking: a pipe in the place of a file must not hold the reload for ever.
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) {
    problem = path + " cannot be read: " + std::strerror(errno);
    return std::nullopt;
  }
  struct stat status {};
  std::optional<std::string> text;
  if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    problem = path + " is not a regular file";
  } else if (check_readers(path, status, readers, problem)) {
    text = read_all(fd, path, problem);
  }
  close(fd);
  return text;
}

std::optional<std::string> environment_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

}  // namespace

Surroundings Surroundings::of_process() {
  Surroundings surroundings;
  surroundings.environment = environment_of_process;
  surroundings.read_file = read_regular_file;
  return surroundings;
}

}  // namespace hyperion::config
