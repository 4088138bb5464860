// The test data that is not part of this project.
//
// Suites of vectors and recorded answers live in a folder of their own, named by the environment
// variable HYPERION_SHARED. A test that needs some of it asks here. Where the variable is unset (a
// user's clone has no such folder) the running test case is counted as skipped, with its reason in
// the output; where it is set and the named file is missing, the case fails, because a suite that
// silently tests nothing is worse than none. Never falls back to a path of its own.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace hyperion::test {

// Where `relative` (as "suites/json-parsing") lies. Empty: the case is now counted as skipped or
// failed and should return:
//
//   const auto directory = shared_data("suites/json-parsing");
//   if (!directory) return;
std::optional<std::filesystem::path> shared_data(std::string_view relative);

// Counts the running case as skipped, for a reason that is not missing data: "io_uring is refused
// on this machine". Checks that fail in the same case still fail it.
void skip_case(std::string_view reason);

// The whole of a file, as bytes. Fails the running case when it cannot be read.
std::string read_file(const std::filesystem::path& path);

}  // namespace hyperion::test
