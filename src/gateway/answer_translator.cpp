#include "gateway/answer_translator.h"

#include <cstring>
#include <utility>

#include "dialect/text.h"

namespace hyperion::gateway {

using dialect::Event;
using dialect::EventKind;
using dialect::Observation;

AnswerTranslator::~AnswerTranslator() {
  if (decoder_ != nullptr) decoder_->~AnswerDecoder();
  if (encoder_ != nullptr) encoder_->~AnswerEncoder();
}

bool AnswerTranslator::begin(dialect::Wire provider, dialect::Wire client,
                             const dialect::AnswerContext& context, Arena& arena) {
  shows_thinking_ = context.shows_thinking;
  encoder_ = dialect::language_of(client).make_encoder(context, arena, encoder_scratch_, out_);
  if (encoder_ == nullptr) return false;
  decoder_ = dialect::language_of(provider).make_decoder(arena, decoder_scratch_);
  return decoder_ != nullptr;
}

Observation AnswerTranslator::on_stream_event(const http::SseEvent& event) {
  if (!over_) decoder_->on_stream_event(event, *this);
  return take_seen();
}

Observation AnswerTranslator::on_stream_end() {
  if (!over_) decoder_->on_stream_end(*this);
  return take_seen();
}

Observation AnswerTranslator::on_answer(std::string_view body) {
  decoder_->on_answer(body, *this);
  return take_seen();
}

Observation AnswerTranslator::take_seen() { return std::exchange(seen_, Observation()); }

void AnswerTranslator::on_event(const Event& event) {
  if (over_) return;
  switch (event.kind) {
    case EventKind::error:
      over_ = true;
      seen_.error = true;
      if (event.error != nullptr) keep_error(*event.error);
      return;
    case EventKind::usage:
      if (event.usage != nullptr) usage_ = *event.usage;
      break;
    case EventKind::text:
    case EventKind::refusal: seen_.semantic |= !event.text.empty(); break;
    case EventKind::thinking: seen_.semantic |= shows_thinking_ && !event.text.empty(); break;
    case EventKind::tool_start:
    case EventKind::finish: seen_.semantic = true; break;
    case EventKind::end:
      over_ = true;
      seen_.finished = true;
      break;
    default: break;
  }
  encoder_->on_event(event);
}

// The event's texts end with the call; the message is wanted for the answer.
void AnswerTranslator::keep_error(const dialect::ProviderError& error) {
  std::string_view message = dialect::bounded_inside(error.message, message_max_bytes);
  if (!message.empty()) std::memcpy(message_, message.data(), message.size());
  error_ = error;
  error_.message = {message_, message.size()};
  error_.type = error_.code = error_.param = {};
}

}  // namespace hyperion::gateway
