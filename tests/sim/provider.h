// A simulated provider behind one connection: takes requests, behaves well or badly.
//
// Which provider it is follows from the port. It checks what it gets (strictly parsed, the path of
// its dialect, one of its keys, a model that it has) and answers by a Behaviour drawn for each
// request, or as the climate of the world has it. What it got and sent for which request is written
// into the book, in words that no other attempt uses.
#pragma once

#include <memory>
#include <string>

#include "base/byte_buffer.h"
#include "config/config.h"
#include "http/request_parser.h"
#include "resilience/health.h"
#include "sim/book.h"
#include "sim/climate.h"
#include "sim/words.h"
#include "sim/world.h"

namespace hyperion::sim {

// What all providers of a world share.
struct Surroundings {
  World& world;
  Book& book;
  const Climate& climate;
  const config::Config& config;
  const resilience::Health* health = nullptr;  // the gateway's
};

class Provider final : public SimPeer, private http::RequestParser::BodySink {
 public:
  Provider(const Surroundings& surroundings, SimStream& stream, size_t index);
  ~Provider() override;

  void on_bytes(std::string_view bytes) override;
  void on_gateway_closed(bool reset) override;

 private:
  bool on_body(std::string_view bytes) override;
  void on_request();
  Behaviour choose(bool stream);
  Behaviour choose_in(const Outage& outage);
  void draw_refusal();
  const Refusal* refusal_of(const Outage& outage) const;
  Served& served() { return book_.tries[number_][served_index_]; }
  // False: it was all there is to say.
  bool begin_answer(Behaviour behaviour);
  void write_down(bool stream);
  // How it is asked: from the head of the request.
  void read_head();
  bool asked_for_stream() const;
  std::string asked_model() const;
  void answer_plain(Behaviour behaviour);
  void answer_stream(Behaviour behaviour);
  // False: it does not come to the end of its answer.
  bool answer_pieces(Behaviour behaviour, Speaker& speaker);
  void wait(uint64_t ns);
  void say_failure(Speaker& speaker);
  std::string words_id() const;
  char letter() const;
  // Whatever is to happen before the closing.
  bool spoil_end(Behaviour behaviour, Speaker& speaker);
  // Sends `bytes` some time after what was sent before; `body` is what of it a client may see;
  // with `last` the answer is complete.
  void send(std::string bytes, std::string body = {}, bool last = false);
  void send_chunk(const std::string& body);
  void end_connection(bool reset);
  void then(std::function<void()> action);

  const Surroundings& around_;
  World& world_;
  SimStream& stream_;
  Book& book_;
  const size_t index_;
  http::Limits limits_;
  http::RequestParser parser_;
  Arena arena_;
  std::string body_;
  dialect::Wire wire_ = dialect::Wire::openai_chat;
  std::string target_;
  uint8_t key_ = 0;
  const Refusal* refusal_ = nullptr;  // of the answer to come
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
