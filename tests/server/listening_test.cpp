#include "server/listening.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>
#include <set>

#include <doctest/doctest.h>

#include "io/listener.h"

namespace hyperion::server {
namespace {

io::Address address(const std::string& text) { return io::Address::parse(text).value(); }

config::Settings settings_of(const std::vector<std::string>& listen) {
  config::Settings settings;
  settings.server.listen.clear();
  for (const std::string& text : listen) settings.server.listen.push_back(address(text));
  settings.admin.listen.size = 0;
  return settings;
}

std::set<int> descriptors(const ListeningSockets& sockets, size_t shard_count) {
  std::set<int> all;
  for (size_t i = 0; i < shard_count; ++i) {
    for (const ListeningSocket& socket : sockets.of_shard(i)) CHECK(all.insert(socket.fd).second);
  }
  return all;
}

bool can_connect(const io::Address& to) {
  int fd = socket(to.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool connected = connect(fd, to.get(), to.size) == 0;
  close(fd);
  return connected;
}

// What a successor gets: the same sockets under other numbers.
std::vector<HeldAddress> passed_on(const ListeningSockets& sockets) {
  std::vector<HeldAddress> held = sockets.held();
  for (HeldAddress& one : held) {
    for (int& fd : one.sockets) fd = dup(fd);
  }
  return held;
}

void close_all(const ListeningSockets& sockets, size_t shard_count) {
  for (int fd : descriptors(sockets, shard_count)) close(fd);
}

}  // namespace

TEST_CASE("listening: every shard has a socket of its own, and none listens before it is said") {
  ListeningSockets sockets;
  REQUIRE(sockets.open(settings_of({"127.0.0.1:0"}), 3) == "");
  CHECK(descriptors(sockets, 3).size() == 3);
  for (size_t i = 0; i < 3; ++i) CHECK(sockets.of_shard(i).size() == 1);
  io::Address bound = io::Listener::address_of(sockets.of_shard(0)[0].fd);
  CHECK(sockets.texts()[0] == "http://" + bound.text());
  CHECK_FALSE(can_connect(bound));
  CHECK(sockets.listen(16) == "");
  CHECK(can_connect(bound));
  close_all(sockets, 3);
}

TEST_CASE("listening: every inherited socket is accepted from, by more shards and by fewer") {
  for (size_t before : {1, 2, 5}) {
    for (size_t now : {1, 2, 3, 5}) {
      ListeningSockets old;
      REQUIRE(old.open(settings_of({"127.0.0.1:0"}), before) == "");
      REQUIRE(old.listen(16) == "");
      std::vector<HeldAddress> inherited = passed_on(old);
      ListeningSockets fresh(inherited);
      REQUIRE(fresh.open(settings_of({"127.0.0.1:0"}), now) == "");
      CHECK(fresh.taken() == std::vector<bool>{true});
      std::set<int> used = descriptors(fresh, now);
      CHECK(used.size() == std::max(before, now));
      for (int fd : inherited[0].sockets) CHECK(used.count(fd) == 1);
      for (size_t i = 0; i < now; ++i) CHECK_FALSE(fresh.of_shard(i).empty());
      CHECK(fresh.texts() == old.texts());
      // The next process gets them all.
      CHECK(fresh.held()[0].sockets.size() == used.size());
      close_all(old, before);
      close_all(fresh, now);
    }
  }
}

TEST_CASE("listening: of two addresses with port 0 each service gets its own back") {
  config::Settings settings = settings_of({"127.0.0.1:0"});
  settings.admin.listen = address("127.0.0.1:0");
  ListeningSockets old;
  REQUIRE(old.open(settings, 1) == "");
  std::vector<HeldAddress> inherited = passed_on(old);
  std::swap(inherited[0], inherited[1]);
  ListeningSockets fresh(inherited);
  REQUIRE(fresh.open(settings, 1) == "");
  CHECK(fresh.texts() == old.texts());
  close_all(old, 1);
  close_all(fresh, 1);
}

TEST_CASE("listening: an address that the conf has no more is left to the process before") {
  ListeningSockets old;
  REQUIRE(old.open(settings_of({"127.0.0.1:0", "127.0.0.2:0"}), 2) == "");
  std::vector<HeldAddress> inherited = passed_on(old);
  ListeningSockets fresh(inherited);
  REQUIRE(fresh.open(settings_of({"127.0.0.2:0"}), 2) == "");
  CHECK(fresh.taken() == std::vector<bool>{false, true});
  CHECK(fcntl(inherited[0].sockets[0], F_GETFD) == -1);
  close_all(old, 2);
  close_all(fresh, 2);
}

TEST_CASE("listening: a path is removed by the last process that serves it, and only then") {
  std::string path = std::filesystem::temp_directory_path() /
                     ("listening_test." + std::to_string(getpid()) + ".socket");
  config::Settings settings = settings_of({"unix:" + path});
  std::vector<HeldAddress> inherited;
  {
    ListeningSockets old;
    REQUIRE(old.open(settings, 2) == "");
    REQUIRE(old.listen(16) == "");
    inherited = passed_on(old);
    REQUIRE(inherited[0].sockets.size() == 1);
    {
      ListeningSockets failed(passed_on(old));
      REQUIRE(failed.open(settings, 2) == "");
      close_all(failed, 2);
    }
    CHECK(can_connect(address("unix:" + path)));
    old.leave({true});
    close_all(old, 2);
  }
  CHECK(can_connect(address("unix:" + path)));
  {
    ListeningSockets fresh(inherited);
    REQUIRE(fresh.open(settings, 2) == "");
    REQUIRE(fresh.listen(16) == "");
    close_all(fresh, 2);
  }
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("listening: a port of another program is told") {
  int other = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  io::Address wanted = address("127.0.0.1:0");
  REQUIRE(bind(other, wanted.get(), wanted.size) == 0);
  REQUIRE(listen(other, 1) == 0);
  ListeningSockets sockets;
  std::string text = io::Listener::address_of(other).text();
  std::string problem = sockets.open(settings_of({text}), 1);
  CHECK(problem.find(text + ": Address already in use") != std::string::npos);
  close(other);
}

}  // namespace hyperion::server
