#include "io/mailbox.h"

#include <array>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "loopback.h"

namespace hyperion::io {
namespace {

using namespace test;

TEST_CASE("mailbox: messages of several threads all run on the shard, in order for each") {
  Loopback loop;
  if (!loop.open()) return;
  Mailbox mailbox;
  mailbox.start(loop.reactor());
  constexpr int posters = 4;
  constexpr int count = 2000;
  std::thread::id shard = std::this_thread::get_id();
  std::array<int, posters> next{};
  int run = 0;
  std::vector<std::thread> threads;
  for (int poster = 0; poster < posters; ++poster) {
    threads.emplace_back([&, poster] {
      for (int i = 0; i < count; ++i) {
        mailbox.post([&, poster, i] {
          CHECK(std::this_thread::get_id() == shard);
          CHECK(next[static_cast<size_t>(poster)] == i);
          ++next[static_cast<size_t>(poster)];
          ++run;
        });
      }
    });
  }
  CHECK(loop.run_until([&] { return run == posters * count; }));
  for (std::thread& thread : threads) thread.join();
  mailbox.stop();
  REQUIRE(loop.run_until([&] { return mailbox.stopped(); }));
}

TEST_CASE("mailbox: a message may post another and stop the mailbox") {
  Loopback loop;
  if (!loop.open()) return;
  Mailbox mailbox;
  int run = 0;
  mailbox.post([&] {
    ++run;
    mailbox.post([&] {
      ++run;
      mailbox.stop();
    });
  });
  mailbox.start(loop.reactor());  // posted before: not lost
  REQUIRE(loop.run_until([&] { return mailbox.stopped(); }));
  CHECK(run == 2);
}

TEST_CASE("mailbox: what was never run is freed with the mailbox") {
  auto token = std::make_shared<int>(0);
  {
    Mailbox mailbox;
    mailbox.stop();
    for (int i = 0; i < 3; ++i) mailbox.post([token] {});
    CHECK(token.use_count() == 4);
  }
  CHECK(token.use_count() == 1);
}

TEST_CASE("mailbox: two shards talk to each other") {
  constexpr int rounds = 300;
  Loopback here;
  if (!here.open()) return;
  Mailbox to_here;
  Mailbox to_there;
  to_here.start(here.reactor());
  int rounds_done = 0;
  Reactor* there = nullptr;  // of the other thread, which alone uses it
  std::thread other([&] {
    Reactor reactor({}, 2);
    if (reactor.open()) return;
    there = &reactor;
    to_there.start(reactor);
    reactor.run();
    to_there.stop();
    while (!to_there.stopped()) reactor.turn();
  });
  std::function<void()> ping = [&] {
    to_there.post([&] {
      to_here.post([&] {
        if (++rounds_done < rounds) ping();
      });
    });
  };
  ping();
  CHECK(here.run_until([&] { return rounds_done == rounds; }));
  to_there.post([&] { there->stop(); });
  other.join();
  to_here.stop();
  REQUIRE(here.run_until([&] { return to_here.stopped(); }));
}

}  // namespace
}  // namespace hyperion::io
