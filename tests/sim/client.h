// A simulated client on one connection: sends requests well or badly, and has the answers judged.
//
// It speaks one dialect and asks for models that are served by providers of every dialect, with
// fallbacks and limits of its own or without, so that its requests are passed through or
// translated, and moved. For each request it gets one answer (judge.h says which), in order;
// everything else is a violation.
#pragma once

#include <string>
#include <vector>

#include "http/response_parser.h"
#include "sim/asked.h"
#include "sim/judge.h"
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
  SimClient(World& world, Court& court, uint32_t number, Manner manner);

  void connect_to(SimStream& stream);
  void start();
  void on_bytes(std::string_view bytes) override;
  void on_gateway_closed(bool reset) override;

  Manner manner() const { return manner_; }
  bool left() const { return left_; }
  // After the end of the run: has everything been answered that had to be?
  void judge_end() const;
  const std::vector<Asked>& requests() const { return requests_; }

 private:
  bool on_body(std::string_view bytes) override;
  // Of a request's body what follows the model's name, or is all of it.
  std::string compose_rest(const Asked& request);
  std::string compose_head(const Asked& request) const;
  std::string compose(Asked& request);
  void send_next();
  void send(const std::string& bytes);
  void leave(bool reset);
  void judge_answer();
  void judge_body(const Asked& request, bool whole) const;

  World& world_;
  Court& court_;
  uint32_t number_;
  Manner manner_;
  dialect::Wire wire_;
  SimStream* stream_ = nullptr;
  std::vector<Asked> requests_;
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
