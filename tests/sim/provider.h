// A simulated provider behind one connection: takes requests, behaves well or badly.
//
// Which dialect it speaks follows from the path it is asked on. It checks what it gets (strictly
// parsed, the key, the model) and answers by a Behaviour drawn for each request. What it got and
// sent for which request is kept in the scenario's book, against which the clients check what
// reached it and them.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/byte_buffer.h"
#include "dialect/wire.h"
#include "http/request_parser.h"
#include "sim/words.h"
#include "sim/world.h"

namespace hyperion::sim {

// What can go wrong on the provider's side of one exchange. The names are the rows of the coverage
// table.
enum class Behaviour : uint8_t {
  plain,
  plain_chunked,
  plain_until_close,
  plain_large,
  error_status,
  stream,
  stream_large,
  informational,  // a 102 before the answer
  early_answer,   // answers before the body was read
  cut_head,
  cut_plain,
  cut_event,
  cut_between_events,
  no_end_marker,
  reset_before,
  reset_within,
  reset_on_reuse,
  stall_head,
  stall_tokens,
  comments_only,
  garbage,
  two_lengths,
  short_body,
  surplus,
  huge_head,
  huge_event,
  error_event,
  close_after,  // a good answer, then the connection ends without having said so
  count,
};
const char* name_of(Behaviour behaviour);
// The provider kept to the protocol and finished: the client must get the whole answer.
bool is_good(Behaviour behaviour);

// One request as the provider saw it, and its answer as far as it was sent.
struct Served {
  Behaviour behaviour = Behaviour::plain;
  dialect::Wire wire = dialect::Wire::openai_chat;
  bool stream = false;
  bool array = false;  // of Gemini's, without SSE
  std::string request_body;
  std::string answer_body;  // decoded: what a client may see, at most
  uint16_t status = 200;
  bool finished = false;  // the provider sent everything it wanted to
  // Surplus bytes of the answer before were still on their way: the gateway takes them for this
  // one's, as nobody could tell.
  bool behind_surplus = false;
  bool answer_seen = false;  // some byte of it had reached the gateway when the connection ended
};

// All that providers served, by the number that the client put into its request.
using Book = std::map<std::string, std::vector<Served>>;

class Provider final : public SimPeer, private http::RequestParser::BodySink {
 public:
  Provider(World& world, SimStream& stream, Book& book, bool only_good);
  ~Provider() override;

  void on_bytes(std::string_view bytes) override;
  void on_gateway_closed(bool reset) override;

 private:
  bool on_body(std::string_view bytes) override;
  void on_request();
  Behaviour choose(bool stream);
  // Which dialect, and how: from the head of the request.
  void read_head();
  bool asked_for_stream() const;
  std::string asked_model() const;
  void answer_plain(Behaviour behaviour);
  void answer_stream(Behaviour behaviour);
  // False: it does not come to the end of its answer.
  bool answer_pieces(Behaviour behaviour, Speaker& speaker);
  // Whatever is to happen before the closing.
  bool spoil_end(Behaviour behaviour, Speaker& speaker);
  // Sends `bytes` some time after what was sent before; `body` is what of it a client may see;
  // with `last` the answer is complete.
  void send(std::string bytes, std::string body = {}, bool last = false);
  void send_chunk(const std::string& body);
  void end_connection(bool reset);
  void then(std::function<void()> action);

  World& world_;
  SimStream& stream_;
  Book& book_;
  bool only_good_;
  http::Limits limits_;
  http::RequestParser parser_;
  Arena arena_;
  std::string body_;
  dialect::Wire wire_ = dialect::Wire::openai_chat;
  std::string target_;
  bool array_ = false;
  uint32_t requests_ = 0;
  bool busy_ = false;
  bool closed_ = false;
  bool ended_ = false;  // its side of the connection is over: it reads no more requests
  uint64_t busy_until_ns_ = 0;
  uint64_t sent_bytes_ = 0;
  uint64_t delivered_at_request_ = 0;
  uint64_t surplus_at_ = 0;  // of sent_bytes_, where bytes end that belong to no answer; 0: none
  std::shared_ptr<bool> alive_;
  std::string number_;
  size_t served_index_ = 0;
};

}  // namespace hyperion::sim
