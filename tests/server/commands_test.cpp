#include "server/commands.h"

#include <unistd.h>

#include <cstdio>
#include <string>

#include <doctest/doctest.h>

#include "config/config.h"
#include "tls/sha256.h"

using namespace hyperion;
using server::Arguments;

namespace {

// What a command prints, on one of the two standard streams.
class Captured {
 public:
  explicit Captured(FILE* stream) : stream_(stream), file_(std::tmpfile()) {
    REQUIRE(file_ != nullptr);
    std::fflush(stream_);
    saved_ = dup(fileno(stream_));
    dup2(fileno(file_), fileno(stream_));
  }
  ~Captured() { restore(); }
  Captured(const Captured&) = delete;
  Captured& operator=(const Captured&) = delete;

  std::string text() {
    restore();
    std::rewind(file_);
    std::string all;
    char bytes[4096];
    while (size_t size = std::fread(bytes, 1, sizeof(bytes), file_)) all.append(bytes, size);
    std::fclose(file_);
    file_ = nullptr;
    return all;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    std::fflush(stream_);
    dup2(saved_, fileno(stream_));
    close(saved_);
    saved_ = -1;
  }

  FILE* stream_;
  FILE* file_;
  int saved_ = -1;
};

struct Ran {
  int code;
  std::string out;
  std::string err;
};

template <class Command>
Ran run(Command command) {
  Captured out(stdout);
  Captured err(stderr);
  const int code = command();
  std::string error_text = err.text();
  return {code, out.text(), error_text};
}

Ran run_key(const Arguments& arguments) {
  return run([&] { return server::run_key(arguments); });
}

std::string between(const std::string& text, const std::string& before, const std::string& after) {
  const size_t begin = text.find(before);
  if (begin == std::string::npos) return {};
  const size_t from = begin + before.size();
  return text.substr(from, text.find(after, from) - from);
}

// The line of the key itself.
std::string key_in(const std::string& out) { return between(out, "\n\n  ", "\n"); }

struct Option {
  bool good;
  std::string path;
  std::string err;
};

Option conf_option(const Arguments& arguments) {
  Option option;
  std::string_view path = "before";
  option.err = run([&] {
                 option.good = server::read_conf_option(arguments, "serve", path);
                 return 0;
               }).err;
  option.path = path;
  return option;
}

}  // namespace

TEST_CASE("the conf is named by -c or --conf, the last one counts") {
  CHECK(conf_option({}).good);
  CHECK(conf_option({}).path == "before");
  CHECK(conf_option({"-c", "a.toml"}).path == "a.toml");
  CHECK(conf_option({"--conf", "b.toml"}).path == "b.toml");
  CHECK(conf_option({"-c", "a.toml", "--conf", "b.toml"}).path == "b.toml");
  CHECK(conf_option({"-c", "-c"}).path == "-c");
  CHECK(conf_option({"-c", "a.toml"}).err.empty());
}

TEST_CASE("anything else on the command line is refused by name, with the usage") {
  const Option missing = conf_option({"-c"});
  CHECK_FALSE(missing.good);
  CHECK(missing.err.find("a file must follow `-c`") != std::string::npos);
  for (const char* argument : {"a.toml", "--config", "-x", "", "-ca.toml"}) {
    CAPTURE(argument);
    const Option option = conf_option({argument});
    CHECK_FALSE(option.good);
    CHECK(option.err.find("unknown argument `" + std::string(argument) + "`") != std::string::npos);
    CHECK(option.err.find("Usage: hyperion serve -c FILE") != std::string::npos);
  }
  CHECK_FALSE(conf_option({"-c", "a.toml", "more"}).good);
}

TEST_CASE("a created key is shown once with the hash that stands for it") {
  const Ran ran = run_key({"create", "team-1"});
  CHECK(ran.code == 0);
  CHECK(ran.err.empty());
  const std::string key = key_in(ran.out);
  CHECK(key.starts_with("sk_live_team-1_"));
  CHECK(key.size() == std::string("sk_live_team-1_").size() + 48);
  const auto hex = tls::hex_of(tls::sha256(key));
  CHECK(between(ran.out, "hash = \"sha256:", "\"") == std::string(hex.data(), hex.size()));
  CHECK(between(ran.out, "id = \"", "\"") == "team-1");
  // Once: the random part is nowhere else.
  const std::string random = key.substr(key.rfind('_') + 1);
  CHECK(ran.out.find(random) == ran.out.rfind(random));
  CHECK(ran.out.find("test = true") == std::string::npos);
}

TEST_CASE("a test key says so in its name and in the conf") {
  const Ran ran = run_key({"create", "--test"});
  CHECK(ran.code == 0);
  CHECK(key_in(ran.out).starts_with("sk_test_key-1_"));
  CHECK(ran.out.ends_with("test = true\n"));
  CHECK(key_in(run_key({"create", "a", "--test"}).out).starts_with("sk_test_a_"));
}

TEST_CASE("two keys are never the same") {
  CHECK(key_in(run_key({"create"}).out) != key_in(run_key({"create"}).out));
}

TEST_CASE("what is printed for the conf is taken by the conf, and the key is known by it") {
  for (const std::string& id : {std::string("a"), std::string("7"), std::string(63, 'k')}) {
    CAPTURE(id);
    const Ran ran = run_key({"create", id});
    REQUIRE(ran.code == 0);
    const std::string text = ran.out.substr(ran.out.find("[[keys]]"));
    const config::LoadOutcome outcome = config::load_text(text, "test.toml");
    REQUIRE(outcome.errors.empty());
    REQUIRE(outcome.config != nullptr);
    const config::VirtualKey* key = outcome.config->keys.find(tls::sha256(key_in(ran.out)));
    REQUIRE(key != nullptr);
    CHECK(key->id == id);
  }
}

TEST_CASE("an id that the conf would not take makes no key") {
  const std::string too_long(64, 'k');
  for (const Arguments& arguments : {
           Arguments{},
           Arguments{"delete"},
           Arguments{"create", "Team"},
           Arguments{"create", "a b"},
           Arguments{"create", "a\"b"},
           Arguments{"create", "a\nb"},
           Arguments{"create", "--live"},
           Arguments{"create", "a", "b"},
           Arguments{"create", "--test", "-"},
           Arguments{"create", too_long},
       }) {
    const Ran ran = run_key(arguments);
    CHECK(ran.code == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err.find("Usage: hyperion key create") != std::string::npos);
  }
}
