#include "support/certificates.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <system_error>

#include <doctest/doctest.h>

#include "support/shared_data.h"

namespace hyperion::test {
namespace {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "hyperion-tls-XXXXXX").string();
    if (mkdtemp(pattern.data()) != nullptr) path = pattern;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path.empty()) std::filesystem::remove_all(path, ignored);
  }
  std::filesystem::path path;
};

}  // namespace

bool program_exists(const std::string& name) {
  const char* search = std::getenv("PATH");
  std::string_view rest = search == nullptr ? "" : search;
  while (!rest.empty()) {
    size_t end = std::min(rest.find(':'), rest.size());
    if (std::filesystem::exists(std::filesystem::path(rest.substr(0, end)) / name)) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

const std::filesystem::path& test_certificates() {
  static const std::filesystem::path nowhere;
  static TemporaryFolder folder;
  static bool made = false;
  const auto script = shared_data("suites/tls-badcerts/gen.sh");
  if (!script) return nowhere;
  if (!program_exists("openssl") || !program_exists("bash")) {
    skip_case("the programs openssl and bash are needed to make certificates");
    return nowhere;
  }
  if (!made) {
    std::string command =
        "bash '" + script->string() + "' '" + folder.path.string() + "' >/dev/null 2>&1";
    const int result = std::system(command.c_str());
    REQUIRE_MESSAGE(result == 0, "the script that makes certificates failed");
    made = true;
  }
  return folder.path;
}

}  // namespace hyperion::test
