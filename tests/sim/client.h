// A simulated client on one connection: sends requests well or badly, and judges what comes back.
//
// It knows what it may get: for each request one answer, whose body is what one provider answered
// to that very request (whole, if framed as whole), or an error of Hyperion's own. Everything else
// is a violation.
#pragma once

#include <string>
#include <vector>

#include "http/response_parser.h"
#include "sim/provider.h"
#include "sim/world.h"

namespace hyperion::sim {

enum class Manner : uint8_t {
  good,
  pipelining,
  chunked_body,
  expects_continue,
  bad_json,
  unknown_model,
  no_key,
  malformed,
  slow_body,
  half_head,
  leaves,
  resets,
  slow_reader,
  half_closes,
  own_keys,
  count,
};
const char* name_of(Manner manner);

class SimClient final : public SimPeer, private http::ResponseParser::BodySink {
 public:
  SimClient(World& world, Book& book, uint32_t number, Manner manner);

  void connect_to(SimStream& stream);
  void start();
  void on_bytes(std::string_view bytes) override;
  void on_gateway_closed(bool reset) override;

  Manner manner() const { return manner_; }
  bool left() const { return left_; }
  // After the end of the run: has everything been answered that had to be?
  void judge_end() const;
  size_t answers() const { return answers_; }

 private:
  struct Request {
    std::string number;
    std::string body;      // as sent
    std::string expected;  // as a provider must get it
    bool stream = false;
    bool must_fail = false;
  };

  bool on_body(std::string_view bytes) override;
  std::string compose(Request& request);
  void send_next();
  void send(const std::string& bytes);
  void leave(bool reset);
  void judge_answer();
  void judge_body(const Request& request, bool whole) const;

  World& world_;
  Book& book_;
  uint32_t number_;
  Manner manner_;
  SimStream* stream_ = nullptr;
  std::vector<Request> requests_;
  size_t sent_ = 0;
  size_t answers_ = 0;
  bool left_ = false;
  bool closed_ = false;
  bool expecting_ = false;
  http::Limits limits_;
  http::ResponseParser parser_;
  Arena arena_;
  std::string answer_body_;
};

}  // namespace hyperion::sim
