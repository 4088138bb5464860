// The certificates of the `tls-badcerts` cases, made anew for a test run.
//
// The suite's own script makes them with the openssl program (about 1.5 s) into a temporary folder
// that is removed when the process ends. Keys in it are worth nothing and trusted by nobody. Where
// the shared data or openssl is missing the running case is counted as skipped.
#pragma once

#include <filesystem>
#include <string>

namespace hyperion::test {

// The folder with root.pem, <chain>.chain.pem and <chain>.key; empty: return from the case.
const std::filesystem::path& test_certificates();

// True if a program of that name is on the path.
bool program_exists(const std::string& name);

}  // namespace hyperion::test
