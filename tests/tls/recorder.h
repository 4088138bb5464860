// The user of a stream in tests: keeps what came, and checks the rules of io/stream.h.
//
// What a test does to the stream it does through `as_user`, so that a callback that comes from
// inside a user's call fails the test. A second on_end, a read after the end, any callback but
// on_closed after `terminate`: all fail the test that uses it.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "base/error.h"
#include "io/stream.h"

namespace hyperion::test {

class Recorder final : public io::StreamHandler {
 public:
  io::Stream* stream = nullptr;
  std::string received;
  Error end;
  int opens = 0;
  int ends = 0;
  int writtens = 0;
  int closes = 0;
  size_t reads = 0;
  // Run inside the callbacks, after the recording.
  std::function<void()> when_open, when_read, when_end, when_written;

  // Does `what` as the user of the stream; no callback may come meanwhile.
  void as_user(const std::function<void()>& what) {
    bool outer = in_user_call_;
    in_user_call_ = true;
    what();
    in_user_call_ = outer;
  }
  void send(std::string_view bytes) {
    as_user([&] {
      REQUIRE(stream->output().append_copy(bytes));
      stream->flush();
    });
  }
  void terminate() {
    as_user([&] { stream->terminate(); });
  }
  bool alive() const { return stream != nullptr; }

  void on_open() override {
    check_callback();
    ++opens;
    run(when_open);
  }
  void on_read(std::string_view bytes) override {
    check_callback();
    CHECK(!bytes.empty());
    CHECK(ends == 0);
    ++reads;
    received += bytes;
    run(when_read);
  }
  void on_end(Error error) override {
    check_callback();
    CHECK(error.code != ErrorCode::none);
    ++ends;
    end = error;
    CHECK(ends == 1);
    run(when_end);
  }
  void on_written() override {
    check_callback();
    ++writtens;
    run(when_written);
  }
  void on_closed() override {
    CHECK(stream != nullptr);
    CHECK(stream->terminated());
    CHECK(!in_user_call_);
    ++closes;
    CHECK(closes == 1);
    stream = nullptr;
  }

 private:
  void check_callback() {
    REQUIRE(stream != nullptr);
    CHECK(!in_user_call_);
    CHECK(!stream->terminated());
    CHECK(closes == 0);
  }
  // A hook may replace itself.
  static void run(std::function<void()>& hook) {
    if (!hook) return;
    std::function<void()> copy = hook;
    copy();
  }

  bool in_user_call_ = false;
};

}  // namespace hyperion::test
