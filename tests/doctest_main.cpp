// The main function of every test binary, and the last line all suites share:
// "N passed, N failed, N skipped". ./dev test adds those lines up.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include <doctest/doctest.h>

#include "support/shared_data.h"

namespace {

struct Counts {
  unsigned passed = 0;
  unsigned failed = 0;
  unsigned skipped = 0;
};

Counts counts;
const char* running_case = "";
bool running_case_skipped = false;

void print_skip(const char* name, const std::string& reason) {
  std::printf("skip: %s -- %s\n", name, reason.c_str());
}

// Counts cases as they end. Prints nothing of its own: the console reporter does.
class CountingListener : public doctest::IReporter {
 public:
  explicit CountingListener(const doctest::ContextOptions&) {}

  void test_case_start(const doctest::TestCaseData& data) override {
    running_case = data.m_name;
    running_case_skipped = false;
  }
  void test_case_end(const doctest::CurrentTestCaseStats& stats) override {
    if (!stats.testCaseSuccess) {
      ++counts.failed;
    } else if (running_case_skipped) {
      ++counts.skipped;
    } else {
      ++counts.passed;
    }
  }
  void test_case_skipped(const doctest::TestCaseData& data) override {
    if (!data.m_skip) return;  // Filtered out by the command line: not part of this run.
    ++counts.skipped;
    print_skip(data.m_name, "marked to be skipped");
  }

  void report_query(const doctest::QueryData&) override {}
  void test_run_start() override {}
  void test_run_end(const doctest::TestRunStats&) override {}
  void test_case_reenter(const doctest::TestCaseData&) override {}
  void test_case_exception(const doctest::TestCaseException&) override {}
  void subcase_start(const doctest::SubcaseSignature&) override {}
  void subcase_end() override {}
  void log_assert(const doctest::AssertData&) override {}
  void log_message(const doctest::MessageData&) override {}
};

REGISTER_LISTENER("counting", 1, CountingListener);

}  // namespace

namespace hyperion::test {

void skip_case(std::string_view reason) {
  if (!running_case_skipped) print_skip(running_case, std::string(reason));
  running_case_skipped = true;
}

std::optional<std::filesystem::path> shared_data(std::string_view relative) {
  const char* root = std::getenv("HYPERION_SHARED");
  if (root == nullptr || *root == '\0') {
    // .ci/run looks for these words.
    skip_case("HYPERION_SHARED is not set");
    return std::nullopt;
  }
  std::filesystem::path path = std::filesystem::path(root) / relative;
  if (!std::filesystem::exists(path)) {
    const std::string message = "HYPERION_SHARED has no " + std::string(relative);
    FAIL_CHECK(message);
    return std::nullopt;
  }
  return path;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string message = "cannot read " + path.string();
  REQUIRE_MESSAGE(file.good(), message);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace hyperion::test

int main(int argument_count, char** arguments) {
  // Line by line, so that what was printed before a crash is in the log.
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  doctest::Context context;
  context.applyCommandLine(argument_count, arguments);
  const int result = context.run();
  if (context.shouldExit()) return result;  // Asked to list the cases, not to run them.
  std::printf("%u passed, %u failed, %u skipped\n", counts.passed, counts.failed, counts.skipped);
  return result;
}
