// From a request's body to the decision which model answers it.
//
// Owned by the Gateway, one for each shard, and by `hyperion explain`; holds the memory that a
// decision takes, so that none is allocated. It reads the conversation, scores its turns, finds the
// operator's rule and asks the selection; what is wrong with the request becomes a Failure that
// names the field. It never sends anything and keeps nothing of a prompt: what stays of a decision
// are numbers. Under 3 us for ordinary prompts.
#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "gateway/endpoints.h"
#include "gateway/failure.h"
#include "json/body_scan.h"
#include "routing/decision.h"
#include "routing/decision_text.h"
#include "routing/window.h"

namespace hyperion::gateway {

// The name under which clients leave the choice to the gateway.
inline constexpr std::string_view automatic_model = "auto";

struct RouteRequest {
  std::string_view body;
  const json::Scan* scan = nullptr;
  const json::Scanner* scanner = nullptr;  // its last scan was of `body`
  const Endpoint* endpoint = nullptr;
  std::string_view requested;                  // the model's name
  const catalog::Deployment* asked = nullptr;  // what it stands for; nullptr of auto
  const config::Config* config = nullptr;
  const config::VirtualKey* key = nullptr;  // nullptr: everything is allowed
  std::span<const routing::Way> ways;       // by Deployment::index
  routing::Live live;
  bool assume_usable = false;
  bool explains = false;  // somebody will read the whole decision
};

class Router {
 public:
  explicit Router(const Clock& clock);
  ~Router();

  // The route that the request asks for: the client's word, else passthrough.
  static routing::Route route_of(const json::Options& options, std::string_view model);

  // A sum that a request names, in nano-dollars; -1 stays -1.
  static int64_t nano_usd(double usd);

  // Decides. False: `failure` says what is wrong with the request, or that nothing is left to
  // choose from. A request for passthrough is judged and keeps its model.
  bool route(const RouteRequest& request, Failure& failure);

  // What the request needs of whoever answers it, without a decision: a quarter of its time.
  routing::Demands demands(const RouteRequest& request);

  const routing::Decision& decision() const { return *decision_; }
  const routing::Question& question() const { return question_; }
  const routing::Field& field() const { return field_; }

 private:
  bool read_providers(const RouteRequest& request, Failure& failure);
  // `window`: of the last turn.
  void score_turns(const routing::Window& window, const config::Config& config,
                   std::string_view key);
  const routing::Rule* find_rule(const RouteRequest& request) const;
  bool tags_match(const RouteRequest& request, const routing::Rule& rule) const;
  Failure nothing_left() const;

  const Clock& clock_;
  std::unique_ptr<routing::Conversation> conversation_;
  std::unique_ptr<routing::Decision> decision_;
  routing::Question question_;
  routing::Field field_;
  catalog::DeploymentSet everything_;
};

routing::Stamps stamps_of(const config::Config& config);

// How a chat request of `endpoint` reaches each deployment, by Deployment::index.
std::vector<routing::Way> ways_from(const Endpoint& endpoint, const catalog::Catalog& catalog);

}  // namespace hyperion::gateway
