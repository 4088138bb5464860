// One connection to the simulated providers: requests in, answers out, with what goes wrong.
//
// Owned by a Simulator (slab), on its thread. Reads with the strict parser, has the dialect word an
// answer, then sends it: at once, after a delay, event by event with gaps, byte by byte, or broken
// in the way the request's fault says. A request that comes while another is answered waits, with
// reading paused. When the peer goes, so does the connection, in the same turn; what was sent of a
// stream by then is billed. connection.cpp reads and decides, delivery.cpp sends. Memory: the body
// of the current request (bounded by http::Limits), and an unsent answer only while it is delayed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "base/intrusive_list.h"
#include "http/head_writer.h"
#include "http/request_parser.h"
#include "io/runtime.h"
#include "simulator/damage.h"
#include "simulator/dialect.h"
#include "simulator/outages.h"

namespace hyperion::simulator {

class Simulator;

struct ConnectionTag {};

class Connection final : public ListNode<ConnectionTag>,
                         private io::StreamHandler,
                         private io::Deferred,
                         private http::RequestParser::BodySink {
 public:
  Connection(Simulator& simulator, io::Stream* stream);
  ~Connection();

  void start();
  void terminate(bool with_reset = false);

 private:
  enum class Phase : uint8_t {
    reading,     // between requests, or within one
    waiting,     // the whole answer is in pending_, its delay runs
    streaming,   // events are being written
    dribbling,   // pending_ leaves byte by byte
    commenting,  // comments for ever
    silent,      // nothing more will come
    closing,     // the answer is out or on its way; what comes is discarded
    gone,        // terminated, waits for on_closed
  };
  // What follows the answer.
  enum class Ending : uint8_t { keep, close, silence };

  void on_read(std::string_view bytes) override;
  void on_end(Error error) override;
  void on_written() override;
  bool awaits_written() const override;
  void on_closed() override;
  bool on_body(std::string_view bytes) override;
  void run_deferred() override;

  void consume(std::string_view bytes);
  void hold_back(std::string_view bytes);
  void on_head();
  void on_complete();
  void on_rejected();
  void answer_own(std::string_view path);
  void answer_outages(http::Method method);
  void add_outage();
  void apply_outages(const http::RequestHead& head, std::string_view model, bool head_only);
  bool read_plan(Call& call, Answer& answer);
  void judge(Call& call, Answer& answer);
  void next_request();

  // delivery.cpp
  void deliver(const Call& call, Answer& answer);
  void deliver_plain(Answer& answer);
  void deliver_stream(Answer& answer);
  void deliver_comments();
  void deliver_garbage();
  void send_plain(const Answer& answer, std::string_view head, std::string_view body);
  http::HeadWriter begin_head(const Answer& answer) const;
  void write_retry_lines(http::HeadWriter& head, const Answer& answer) const;
  std::string_view end_head(http::HeadWriter& head, http::Framing framing, uint64_t length);
  bool emit(std::string_view bytes);
  void emit_event(std::string_view event);
  void pump();
  void end_stream();
  void send_stream_error();
  void charge_stream();
  void send_byte();
  void send_comment();
  bool wait(uint64_t after_ms, bool jitter);
  bool wait_for_token();
  void conclude();
  void begin_closing();
  void on_wait();

  // Pipelined bytes that wait for their turn.
  static constexpr size_t held_back_max_bytes = 1024 * 1024;
  // Unsent output beyond which a stream waits for its reader.
  static constexpr size_t backlog_max_bytes = 256 * 1024;
  // How long the peer may take to close after us.
  static constexpr uint64_t closing_ms = 2000;
  static constexpr uint64_t comment_gap_ms = 10;

  Simulator& simulator_;
  io::Stream* stream_;
  Phase phase_ = Phase::reading;
  Ending ending_ = Ending::keep;
  bool to_pending_ = false;  // what is emitted is collected for the dribble
  bool waited_ = false;      // for the next token
  bool chunked_ = false;
  http::RequestParser parser_;
  Arena arena_;
  ByteBuffer body_;
  FaultPlan plan_;
  Delays delays_;  // where the plan says nothing
  Destination destination_;
  Generation generation_;
  EventWriter write_event_ = nullptr;  // of the stream that is not billed yet
  uint32_t events_ = 0;                // of the current stream
  StoredGzip gzip_;
  uint64_t body_left_bytes_ = 0;  // until the cut
  std::string pending_;
  size_t pending_at_ = 0;
  std::string held_back_;
  io::MemberTimer<Connection, &Connection::on_wait> wait_{this};
};

}  // namespace hyperion::simulator
