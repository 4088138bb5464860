// Turns a provider's answer into the client's dialect while it comes.
//
// Part of an attempt, unused (and free) in passthrough. It drives the decoder of the provider's
// dialect, looks at every event on its way (first semantic token, usage, finish, errors: the same
// Observation as in passthrough), and lets the encoder of the client's dialect write. Errors stop
// here: before the commit the attempt fails with them, after it the attempt writes the error event.
// What was written waits in `output` until the attempt has relayed it. False or `out_of_memory`
// means that the shard has none left; nothing is allocated in the steady state.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "dialect/language.h"

namespace hyperion::gateway {

class AnswerTranslator final : private dialect::EventReceiver {
 public:
  AnswerTranslator(BlockPool& blocks, MemoryBudget& budget)
      : decoder_scratch_(blocks, budget), encoder_scratch_(blocks, budget), text_(blocks, budget) {}
  ~AnswerTranslator();

  // False: no memory. `context` is read at once, its views must outlive the answer.
  bool begin(dialect::Wire provider, dialect::Wire client, const dialect::AnswerContext& context,
             Arena& arena);
  bool active() const { return decoder_ != nullptr; }

  dialect::Observation on_stream_event(const http::SseEvent& event);
  // The provider's stream is over: `finished` or `error`.
  dialect::Observation on_stream_end();
  dialect::Observation on_answer(std::string_view body);

  const dialect::Usage& usage() const { return usage_; }
  // What the provider said went wrong, once an observation had `error`. Its message is bounded.
  const dialect::ProviderError& error() const { return error_; }
  // Of an error whose message must not be shown.
  void forget_message() { error_.message = {}; }

  std::string_view output() const { return text_.view(); }
  void clear_output() { text_.clear(); }
  bool out_of_memory() const { return out_.failed(); }

 private:
  void on_event(const dialect::Event& event) override;
  dialect::Observation take_seen();
  void keep_error(const dialect::ProviderError& error);

  static constexpr size_t message_max_bytes = 512;

  dialect::AnswerDecoder* decoder_ = nullptr;
  dialect::AnswerEncoder* encoder_ = nullptr;
  bool shows_thinking_ = true;
  bool over_ = false;  // end or error came
  dialect::Observation seen_;
  dialect::Usage usage_;
  dialect::ProviderError error_;
  ByteBuffer decoder_scratch_;
  ByteBuffer encoder_scratch_;
  ByteBuffer text_;
  json::Output out_{text_};
  char message_[message_max_bytes];
};

}  // namespace hyperion::gateway
