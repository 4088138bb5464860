// The commands of the binary: one function each, called by main with what follows the command's
// name.
//
// They print for people (errors on stderr say what to do) and return the exit code: 0 went well, 1
// did not, 2 wrong usage. Each parses its own options; none is interactive. They run on the main
// thread and may block.
#pragma once

#include <string_view>
#include <vector>

namespace hyperion::server {

using Arguments = std::vector<std::string_view>;

int run_serve(const Arguments& arguments);
int run_check(const Arguments& arguments);
int run_demo(const Arguments& arguments);
int run_simulate(const Arguments& arguments);
int run_key(const Arguments& arguments);
int run_explain(const Arguments& arguments);
int run_replay(const Arguments& arguments);
int run_feedback(const Arguments& arguments);

// The value after `-c` or `--conf`; empty if it is not given. False (and a message) on anything
// unknown.
bool read_conf_option(const Arguments& arguments, const char* command, std::string_view& path);

}  // namespace hyperion::server
