#include "translation/translation.h"

#include "dialect/language.h"
#include "gateway/answer_translator.h"
#include "http/sse_splitter.h"
#include "translation/allocations.h"

namespace hyperion::bench {

StreamTranslation::StreamTranslation(dialect::Wire provider, dialect::Wire client,
                                     std::string_view stream)
    : provider_(provider), client_(client) {
  http::SseSplitter splitter;
  while (const size_t size = splitter.find_event_end(stream)) {
    events_.push_back(stream.substr(0, size));
    stream.remove_prefix(size);
  }
}

void StreamTranslation::relay(std::string_view bytes) {
  bytes_out_ += bytes.size();
  memory_.body.append(bytes);
  memory_.body.clear();  // Sent.
}

bool StreamTranslation::translate(Takings* takings) {
  gateway::AnswerTranslator translator(memory_.blocks, memory_.budget);
  dialect::AnswerContext context;
  context.request_id = "req_01K9XW3YBENCH0000000000000";
  context.model = "bench-model";
  context.now_s = 1763994000;
  context.stream = true;
  context.include_usage = true;
  memory_.arena.reset();
  if (!translator.begin(provider_, client_, context, memory_.arena)) return false;
  http::SseSplitter splitter;
  bool finished = false;
  for (size_t i = 0; i < events_.size(); ++i) {
    const uint64_t allocations = allocations_count();
    const size_t blocks = memory_.blocks.in_use();
    const size_t arena_bytes = memory_.arena.used_bytes();
    const size_t size = splitter.find_event_end(events_[i]);
    const auto seen = translator.on_stream_event(http::parse_event(events_[i].substr(0, size)));
    if (seen.error || translator.out_of_memory()) return false;
    finished |= seen.finished;
    relay(translator.output());
    translator.clear_output();
    const uint64_t taken = allocations_count() - allocations;
    if (takings == nullptr) continue;
    takings->allocations_in_all += taken;
    if (i < steady_from || i >= steady_to) continue;
    ++takings->events;
    takings->allocations += taken;
    if (memory_.blocks.in_use() > blocks) takings->blocks += memory_.blocks.in_use() - blocks;
    takings->arena_bytes += memory_.arena.used_bytes() - arena_bytes;
  }
  finished |= translator.on_stream_end().finished;
  relay(translator.output());
  return finished;
}

bool StreamTranslation::pass_through() {
  const dialect::Language& language = dialect::language_of(provider_);
  http::SseSplitter splitter;
  dialect::Usage usage;
  bool committed = false;
  for (std::string_view event : events_) {
    const size_t size = splitter.find_event_end(event);
    const auto seen =
        language.observe_event(http::parse_event(event.substr(0, size)), committed, usage);
    if (seen.error) return false;
    committed |= seen.semantic;
    relay(event);
  }
  return committed && usage.known();
}

bool RequestTranslation::run(std::string_view body) {
  memory_.arena.reset();
  memory_.body.clear();
  dialect::Request request;
  dialect::RequestProblem problem;
  const dialect::Workspace workspace{memory_.arena, memory_.scratch};
  if (!dialect::language_of(client_).decode_request(body, workspace, request, problem)) {
    return false;
  }
  dialect::Notes notes(settings_, "bench");
  const dialect::Target target{target_, nullptr, "bench-model", settings_};
  json::Output out(memory_.body);
  return dialect::language_of(provider_).encode_request(request, target, workspace, out, notes) &&
         !out.failed();
}

}  // namespace hyperion::bench
