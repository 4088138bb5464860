#include "sim/translation.h"

#include <string_view>

#include "base/arena.h"
#include "dialect/language.h"
#include "http/sse_splitter.h"

namespace hyperion::sim {
namespace {

using dialect::Event;
using dialect::EventKind;
using dialect::Wire;

struct Memory {
  BlockPool blocks{4096, 16};
  MemoryBudget budget{64 << 20, 0};
  Arena arena{blocks, 16 << 20};
  ByteBuffer decoding{blocks, budget};
  ByteBuffer encoding{blocks, budget};
  ByteBuffer buffer{blocks, budget};
};

// One for all: it is empty between two translations.
Memory& memory() {
  static Memory one;
  one.arena.reset();
  one.buffer.clear();
  return one;
}

// As the gateway has it: an error is not the encoder's.
class Receiver final : public dialect::EventReceiver {
 public:
  Receiver(dialect::AnswerEncoder& encoder, Translation& translation)
      : encoder_(encoder), translation_(translation) {}

  void on_event(const Event& event) override {
    if (translation_.ended || translation_.failed) return;
    translation_.failed = event.kind == EventKind::error;
    translation_.ended = event.kind == EventKind::end;
    if (!translation_.failed) encoder_.on_event(event);
  }

 private:
  dialect::AnswerEncoder& encoder_;
  Translation& translation_;
};

void feed(dialect::AnswerDecoder& decoder, std::string_view bytes, bool over, Receiver& out) {
  http::SseSplitter splitter;
  while (const size_t size = splitter.find_event_end(bytes)) {
    decoder.on_stream_event(http::parse_event(bytes.substr(0, size)), out);
    bytes.remove_prefix(size);
  }
  if (over) decoder.on_stream_end(out);
}

}  // namespace

std::string name_of(const Way& way) {
  const char* how = way.array ? ", array" : way.stream ? ", streamed" : "";
  return std::string(dialect::name_of(way.client)) + " to " +
         std::string(dialect::name_of(way.provider)) + how;
}

std::string translated_request(const config::Config& config, const Way& way,
                               const catalog::Deployment& deployment, const std::string& body) {
  Memory& all = memory();
  dialect::Request request;
  dialect::RequestProblem problem;
  if (!dialect::language_of(way.client)
           .decode_request(body, {all.arena, all.decoding}, request, problem)) {
    return {};
  }
  request.stream = way.stream;
  const dialect::TranslationSettings& settings = config.settings.translation;
  dialect::Notes notes(settings, deployment.provider->name);
  json::Output out(all.buffer);
  const dialect::Target target{*deployment.provider, deployment.model, deployment.upstream_model,
                               settings};
  const bool good = dialect::language_of(way.provider)
                        .encode_request(request, target, {all.arena, all.decoding}, out, notes);
  return good && !out.failed() ? std::string(out.text()) : std::string();
}

Translation translated_answer(const Way& way, const std::string& upstream_model,
                              const std::string& request_body, const std::string& request_id,
                              const std::string& answer, bool over) {
  Memory& all = memory();
  dialect::Request request;
  dialect::RequestProblem problem;
  dialect::language_of(way.client)
      .decode_request(request_body, {all.arena, all.decoding}, request, problem);
  request.stream = way.stream;
  dialect::AnswerContext context;
  context.request = &request;
  context.request_id = request_id;
  context.model = upstream_model;
  context.stream = way.stream;
  context.include_usage = request.include_usage;
  context.json_array = way.array;
  json::Output out(all.buffer);
  Translation translation;
  dialect::AnswerEncoder* encoder =
      dialect::language_of(way.client).make_encoder(context, all.arena, all.encoding, out);
  dialect::AnswerDecoder* decoder =
      dialect::language_of(way.provider).make_decoder(all.arena, all.decoding);
  Receiver receiver(*encoder, translation);
  if (way.stream) {
    feed(*decoder, answer, over, receiver);
  } else {
    decoder->on_answer(answer, receiver);
  }
  decoder->~AnswerDecoder();
  encoder->~AnswerEncoder();
  translation.text = without_times(std::string(out.text()));
  return translation;
}

std::string without_times(std::string text) {
  for (const std::string_view mark : {"\"created\":", "\"created_at\":", "\"completed_at\":"}) {
    for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
      const size_t from = at + mark.size();
      size_t to = from;
      while (to < text.size() && text[to] >= '0' && text[to] <= '9') ++to;
      text.erase(from, to - from);
    }
  }
  return text;
}

}  // namespace hyperion::sim
