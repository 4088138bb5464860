// The parts of an attempt at a provider of another dialect than the client's: the request in the
// provider's words, the answer in the client's, and what was left out on the way.
#include "base/planted.h"
#include "dialect/gemini.h"
#include "dialect/language.h"
#include "gateway/attempt.h"
#include "gateway/exchange.h"
#include "gateway/gateway.h"

namespace hyperion::gateway {

bool Attempt::prepare(dialect::RequestProblem& problem) {
  const Crossing& crossing = leg_.crossing;
  if (!crossing.translates()) {
    plan_ = exchange_.plan_passthrough(leg_.resolution);
    return true;
  }
  const catalog::Deployment& place = deployment();
  const dialect::TranslationSettings& settings = exchange_.snapshot().config->settings.translation;
  dialect::Notes notes(settings, place.provider->name);
  json::Output out(request_body_);
  const bool good = encode_request(out, notes);
  exchange_.gateway().drop_scratch();
  problem = notes.problem;
  dialect::name_for_client(problem, exchange_.endpoint().wire);
  if (!good || out.failed()) {
    if (!problem) dialect::refuse_for_memory(problem);
    return false;
  }
  if (crossing.kind == Crossing::Kind::embeddings) {
    dropped_ = arena_.copy(notes.dropped());
    return true;
  }
  const dialect::Request& request = exchange_.canonical();
  for (const dialect::Word* word = request.unknown.first; word != nullptr; word = word->next)
    notes.drop(word->plain);
  dropped_ = arena_.copy(notes.dropped());
  adjusted_ = arena_.copy(notes.adjusted());
  if (crossing.kind == Crossing::Kind::counted) return true;
  dialect::AnswerContext context;
  context.request = &request;
  context.request_id = exchange_.request_id();
  context.model = trace_.model;
  context.now_s = static_cast<int64_t>(exchange_.gateway().runtime().clock.wall_ns() / ns_per_s);
  context.stream = exchange_.wants_stream();
  context.include_usage = request.include_usage;
  context.legacy_functions = request.legacy_functions;
  // The conf decides where the client's dialect has no word for it.
  const bool asked = request.thinking_shown == dialect::Flag::yes;
  const bool unsaid = request.thinking_shown == dialect::Flag::unset;
  context.shows_thinking = asked || (unsaid && settings.reasoning_content);
  // Neither left unsaid nor off.
  const int64_t budget = request.thinking_budget_tokens;
  context.thinking_asked = budget > 0 || budget == -2;
  context.json_array = exchange_.wants_array();
  if (translator_.begin(crossing.upstream, exchange_.endpoint().wire, context, arena_)) return true;
  return dialect::refuse_for_memory(problem);
}

bool Attempt::encode_request(json::Output& out, dialect::Notes& notes) {
  const catalog::Deployment& place = deployment();
  const dialect::Target target{*place.provider, place.model, trace_.model,
                               exchange_.snapshot().config->settings.translation};
  const dialect::Workspace workspace{arena_, exchange_.gateway().scratch()};
  switch (leg_.crossing.kind) {
    case Crossing::Kind::embeddings:
      return dialect::gemini::encode_embeddings(exchange_.client_body(), target, out,
                                                embedding_form_, notes);
    case Crossing::Kind::counted:
      return dialect::gemini::encode_count_tokens(exchange_.canonical(), target, workspace, out,
                                                  notes);
    default:
      return dialect::language_of(leg_.crossing.upstream)
          .encode_request(exchange_.canonical(), target, workspace, out, notes);
  }
}

// The whole answer in the client's dialect; `answer` is a view of what was written.
dialect::Observation Attempt::translate_answer(std::string_view body, std::string_view& answer) {
  dialect::Observation seen;
  json::Output out(request_body_);
  switch (leg_.crossing.kind) {
    case Crossing::Kind::embeddings:
      // The request has gone: its memory serves the answer.
      request_body_.clear();
      seen.finished =
          dialect::gemini::write_embeddings(body, embedding_form_, trace_.model, out, usage_);
      answer = out.text();
      return seen;
    case Crossing::Kind::counted: {
      request_body_.clear();
      const int64_t tokens = dialect::gemini::read_total_tokens(body);
      out.begin_object();
      out.member("input_tokens", tokens);
      out.end_object();
      seen.finished = tokens >= 0 && !out.failed();
      answer = out.text();
      return seen;
    }
    default:
      seen = translator_.on_answer(body);
      usage_ = translator_.usage();
      answer = translator_.output();
      return seen;
  }
}

// Queues what the translator has written. False: out of memory.
bool Attempt::relay_translated() {
  if (translator_.out_of_memory()) return false;
  if (translator_.output().empty()) return true;
  const bool queued = relay_bytes(translator_.output());
  if (!HYPERION_PLANTED(translated_twice)) translator_.clear_output();
  return queued;
}

bool Attempt::translates() const { return leg_.crossing.translates(); }

// What of the request had no effect: options of our own, and what the translation left out.
void Attempt::write_dropped(http::HeadWriter& head) {
  std::string_view options = exchange_.dropped_options();
  if (options.empty() && dropped_.empty()) return;
  std::string_view names = options.empty() ? dropped_ : options;
  if (!options.empty() && !dropped_.empty()) {
    names = arena_.copy(options);
    if (!arena_.append(names, ", ") || !arena_.append(names, dropped_)) names = options;
  }
  head.header("x-hyperion-dropped-params", names);
}

std::string_view Attempt::content_type_of_translation() const {
  const bool events = exchange_.wants_stream() && !exchange_.wants_array();
  return events ? "text/event-stream; charset=utf-8" : "application/json";
}

}  // namespace hyperion::gateway
