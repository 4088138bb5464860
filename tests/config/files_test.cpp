// Files as they lie on a disk: who may read them, and what is no file at all.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "config/support.h"

using namespace hyperion;
using namespace hyperion::config;
using namespace hyperion::test;

namespace {

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "hyperion-config-XXXXXX";
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }

  std::string write(const std::string& name, std::string_view text, mode_t mode) {
    const std::string path = path_ + "/" + name;
    std::ofstream(path) << text;
    chmod(path.c_str(), mode);
    return path;
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

std::string read(const std::string& path, Readers readers) {
  std::string problem;
  const auto text = Surroundings::of_process().read_file(path, readers, problem);
  CHECK(text.has_value() == problem.empty());
  return text ? *text : problem;
}

}  // namespace

TEST_CASE("a secret that others may read is refused with the command that helps") {
  Folder folder;
  for (const mode_t mode : {0600, 0400, 0700}) {
    CHECK(read(folder.write("a", "text", mode), Readers::owner_only) == "text");
  }
  for (const mode_t mode : {0640, 0604, 0644, 0660, 0601}) {
    const std::string path = folder.write("b", "text", mode);
    CHECK(contains(read(path, Readers::owner_only), "chmod 600 " + path));
    CHECK(read(path, Readers::anybody) == "text");
  }
  CHECK(read(folder.write("c", "text", 0640), Readers::not_the_world) == "text");
  const std::string path = folder.write("d", "text", 0644);
  CHECK(contains(read(path, Readers::not_the_world), "chmod o= " + path));
}

TEST_CASE("systemd's credentials may show a group") {
  Folder folder;
  const std::string path = folder.write("key", "text", 0440);
  CHECK(contains(read(path, Readers::owner_only), "chmod"));
  setenv("CREDENTIALS_DIRECTORY", folder.path().c_str(), 1);
  CHECK(read(path, Readers::owner_only) == "text");
  CHECK(contains(
      read(folder.path() + "/../" + folder.path().substr(folder.path().rfind('/') + 1) + "/key",
           Readers::owner_only),
      "chmod"));
  unsetenv("CREDENTIALS_DIRECTORY");
}

TEST_CASE("what is no regular file is refused and never waited for") {
  Folder folder;
  CHECK(contains(read(folder.path(), Readers::anybody), "is not a regular file"));
  const std::string pipe = folder.path() + "/pipe";
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(contains(read(pipe, Readers::anybody), "is not a regular file"));
  CHECK(contains(read("/dev/zero", Readers::anybody), "is not a regular file"));
  CHECK(contains(read(folder.path() + "/none", Readers::anybody), "No such file"));
  CHECK(contains(read(folder.write("large", std::string(5'000'000, 'x'), 0600), Readers::anybody),
                 "is larger than 4 MiB"));
}

TEST_CASE("paths in a conf are relative to its folder") {
  Folder folder;
  folder.write("key", "sk-from-file\n", 0600);
  folder.write("ca.pem", "", 0644);
  const std::string conf =
      folder.write("hyperion.toml",
                   "[tls]\nca_file = \"ca.pem\"\n[log]\ntarget = \"log\"\n"
                   "[[providers]]\nname = \"openai\"\napi_key_file = \"key\"\n",
                   0644);
  const auto outcome = load_file(conf);
  const std::string errors = joined(outcome.errors);
  REQUIRE_MESSAGE(outcome.config != nullptr, errors);
  CHECK(outcome.config->settings.tls.ca_file == folder.path() + "/ca.pem");
  CHECK(outcome.config->settings.log.target == folder.path() + "/log");
  CHECK(outcome.config->catalog.providers()[0].reveal_key(0) == "sk-from-file");
}

TEST_CASE("a conf that cannot be read is one error") {
  const auto outcome = load_file("/nowhere/hyperion.toml");
  CHECK(outcome.config == nullptr);
  REQUIRE(outcome.errors.size() == 1);
  CHECK(outcome.errors[0] == "/nowhere/hyperion.toml cannot be read: No such file or directory");
}
