// One connection to a provider: connecting, idle in its pool, or carrying one exchange at a time.
//
// Owned by a Pool (slab), lent to an attempt of the gateway. It writes nothing by itself: the
// borrower appends a request to `output` and flushes. It parses the response strictly and hands
// over head, body bytes and end. It is reused only if the response was complete, kept alive,
// without surplus bytes, and the whole request had been taken; an idle one that says anything is
// closed at once. Whatever a provider sends is handled, never asserted on.
//
// Request bytes queued by reference must stay readable until the connection is done with them. So
// each lending ends with one of: `released` true in the last callback (or returned by `abandon`),
// or later `on_released`.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/intrusive_list.h"
#include "http/response_parser.h"
#include "io/runtime.h"
#include "io/stream.h"

namespace hyperion::upstream {

class Pool;

// The borrower's side of a connection.
class ResponseHandler {
 public:
  virtual void on_response_head(const http::ResponseHead& head) = 0;
  virtual void on_response_body(std::string_view bytes) = 0;  // decoded; valid during the call
  // The last callbacks. The connection has gone back to its pool or is closing: don't touch it.
  virtual void on_response_complete(bool released) = 0;
  virtual void on_response_failed(Error error, bool released) = 0;
  // Only after `released` was false.
  virtual void on_released() = 0;

 protected:
  ~ResponseHandler() = default;
};

struct IdleTag {};
struct OwnedTag {};

class Connection final : public ListNode<IdleTag>,
                         public ListNode<OwnedTag>,
                         private io::StreamHandler,
                         private http::ResponseParser::BodySink {
 public:
  explicit Connection(Pool& pool);

  // For the borrower ------------------------------------------------------------------------
  // Starts an exchange: `arena` holds the response head and lives until the last callback.
  void begin(ResponseHandler* handler, Arena& arena);
  io::WriteQueue& output() { return stream_->output(); }
  void flush() { stream_->flush(); }
  // Back-pressure; the end of the exchange ends it too.
  void pause_reading();
  void resume_reading();
  // Gives the exchange up and closes. No callback follows but, if it returns false, `on_released`.
  bool abandon();
  // It had served or been idle before this request: the provider may have closed it meanwhile.
  bool reused() const { return was_idle_ || requests_ > 1; }
  void note_idle() { was_idle_ = true; }

  // For the pool ----------------------------------------------------------------------------
  // Opens a stream to the address of that number; false if none could be made.
  bool connect(const io::Address& address, uint32_t address_number, uint32_t tries);
  void close();
  uint32_t address_number() const { return address_number_; }
  uint32_t tries() const { return tries_; }
  uint32_t requests() const { return requests_; }
  void arm_idle_timer(uint64_t after_ms);

 private:
  enum class State : uint8_t { connecting, idle, in_use, closing };

  void on_open() override;
  void on_read(std::string_view bytes) override;
  void on_end(Error error) override;
  void on_written() override;
  bool awaits_written() const override { return false; }
  void on_closed() override;
  bool on_body(std::string_view bytes) override;
  void on_timer();
  void parse(std::string_view bytes);
  void complete(bool surplus);
  void fail(Error error);
  // Ends the lending; true if nothing of the request is referenced any more.
  bool detach();

  Pool& pool_;
  io::Stream* stream_ = nullptr;
  ResponseHandler* handler_ = nullptr;
  ResponseHandler* releasing_ = nullptr;  // waits for on_released
  Arena* arena_ = nullptr;
  State state_ = State::connecting;
  uint32_t address_number_ = 0;
  uint32_t tries_ = 0;
  uint32_t requests_ = 0;
  bool answered_ = false;      // some byte of the current response came
  bool request_left_ = false;  // some byte of the current request has left
  bool paused_ = false;
  bool was_idle_ = false;
  http::Limits limits_;  // a copy: those of the pool may change beneath a half-read response
  http::ResponseParser parser_;
  io::MemberTimer<Connection, &Connection::on_timer> timer_{this};  // connect deadline, idle age
};

}  // namespace hyperion::upstream
