#include <cstring>
#include <new>

#include "dialect/anthropic_parts.h"
#include "dialect/error_body.h"
#include "dialect/text.h"
#include "json/escapes.h"

// Writes an answer as Anthropic's clients expect it: blocks with rising indexes, each begun and
// ended, then the reason to stop with the usage. Both come at the canonical `end` only, as other
// vendors tell the usage behind the reason.
//
// A signature that came with a call (Gemini's) has no place in a tool_use block. It goes into a
// redacted_thinking block right before it, which clients give back untouched and never show; the
// decoder of requests joins the two again.
namespace hyperion::dialect::anthropic {
namespace {

constexpr std::string_view broken = "The provider's answer broke off.";

const char* stop_reason_of(Finish finish) {
  switch (finish) {
    case Finish::stop: return "end_turn";
    case Finish::stop_sequence: return "stop_sequence";
    case Finish::length: return "max_tokens";
    case Finish::tool_calls: return "tool_use";
    case Finish::content_filter:
    case Finish::refusal: return "refusal";
    case Finish::pause: return "pause_turn";
    case Finish::malformed_call: return "end_turn";
  }
  return "end_turn";
}

class Encoder : public AnswerEncoder {
 public:
  Encoder(const AnswerContext& context, Arena& arena, json::Output& out)
      : context_(context), arena_(arena), out_(out) {}

  void on_event(const Event& event) final;

 protected:
  enum class Block : uint8_t { none, text, thinking };

  // What streams and plain answers write differently.
  virtual void write_start(std::string_view id, std::string_view model) = 0;
  virtual void begin_text() = 0;
  virtual void add_text(std::string_view text) = 0;
  virtual void begin_thinking() = 0;
  virtual void add_thinking(std::string_view text) = 0;
  virtual void end_block(const Event& event) = 0;  // of text, or of thinking with its signature
  virtual void write_redacted(const Event& event, std::string_view data) = 0;
  virtual void begin_tool(const Event& event) = 0;
  virtual void add_arguments(const Event& event) = 0;
  virtual void end_tool(const Event& event) = 0;
  virtual void write_end() = 0;
  virtual void write_error(const ProviderError& error) = 0;

  void start(const Event& event);
  void switch_to(Block block);
  void close();
  void give_text(const Event& event);
  void give_thinking(const Event& event);
  void end_thinking(const Event& event);
  void start_tool(const Event& event);
  void write_stop();
  void write_usage(bool all_required);

  const AnswerContext context_;
  Arena& arena_;
  json::Output& out_;
  bool started_ = false;
  bool over_ = false;
  Block block_ = Block::none;
  bool tools_seen_ = false;
  bool refused_ = false;
  Finish finish_ = Finish::stop;
  std::string_view finish_text_;  // in the arena
  Usage usage_;
};

void Encoder::on_event(const Event& event) {
  // There is one choice: another one was never asked for.
  if (over_ || event.choice != 0) return;
  switch (event.kind) {
    case EventKind::start: start(event); return;
    case EventKind::usage:
      if (event.usage != nullptr) usage_ = *event.usage;
      return;
    case EventKind::citation: return;  // a URL alone makes none of Anthropic's citations
    case EventKind::finish:
      finish_ = event.finish;
      finish_text_ = arena_.copy(event.text);
      return;
    case EventKind::error: {
      over_ = true;
      const ProviderError unknown;
      write_error(event.error != nullptr ? *event.error : unknown);
      return;
    }
    default: break;
  }
  if (!started_) start(Event{});
  switch (event.kind) {
    case EventKind::refusal: refused_ = true; [[fallthrough]];
    case EventKind::text: give_text(event); return;
    case EventKind::thinking: give_thinking(event); return;
    case EventKind::thinking_end: end_thinking(event); return;
    case EventKind::redacted_thinking:
      close();
      write_redacted(event, event.text);
      return;
    case EventKind::tool_start: start_tool(event); return;
    case EventKind::tool_arguments: add_arguments(event); return;
    case EventKind::tool_end: end_tool(event); return;
    case EventKind::end:
      close();
      over_ = true;
      write_end();
      return;
    default: return;
  }
}

void Encoder::start(const Event& event) {
  if (started_) return;
  started_ = true;
  write_start(event.id, event.model);
}

void Encoder::switch_to(Block block) {
  if (block_ == block) return;
  close();
  block_ = block;
  if (block == Block::text) begin_text();
  if (block == Block::thinking) begin_thinking();
}

void Encoder::close() {
  if (block_ == Block::none) return;
  end_block(Event{});
  block_ = Block::none;
}

void Encoder::give_text(const Event& event) {
  if (event.text.empty()) return;
  switch_to(Block::text);
  add_text(event.text);
}

void Encoder::give_thinking(const Event& event) {
  if (event.text.empty() || !context_.shows_thinking) return;
  switch_to(Block::thinking);
  add_thinking(event.text);
}

// A signature without its text is what Anthropic itself sends where thinking is not shown.
void Encoder::end_thinking(const Event& event) {
  if (block_ != Block::thinking && event.signature.empty()) return;
  switch_to(Block::thinking);
  end_block(event);
  block_ = Block::none;
}

void Encoder::start_tool(const Event& event) {
  close();
  tools_seen_ = true;
  if (!event.signature.empty()) write_redacted(event, event.signature);
  begin_tool(event);
}

// "stop_reason": ..., "stop_sequence": ..., and "stop_details" of a refusal.
void Encoder::write_stop() {
  Finish finish = finish_;
  // Some vendors say `stop` where there are calls to be made; clients go by this field.
  if (finish == Finish::stop && tools_seen_) finish = Finish::tool_calls;
  if (finish == Finish::stop && refused_) finish = Finish::refusal;
  const std::string_view reason = stop_reason_of(finish);
  out_.member("stop_reason", reason);
  out_.key("stop_sequence");
  if (finish == Finish::stop_sequence) {
    out_.raw_string(finish_text_);
  } else {
    out_.null();
  }
  if (reason != "refusal") return;
  out_.key("stop_details");
  out_.begin_object();
  out_.member("type", "refusal");
  out_.key("category");
  out_.null();
  out_.key("explanation");
  if (finish == Finish::refusal && !finish_text_.empty()) {
    out_.raw_string(finish_text_);
  } else {
    out_.null();
  }
  out_.end_object();
}

// A number that is not known is left out, or null where the key must be there. Where Anthropic's
// schema wants a number and nothing else (`output_tokens`, and `input_tokens` of a message), an
// unknown one is written as 0: its clients fail on null.
void Encoder::write_usage(bool all_required) {
  const TokenCounts counts = TokenCounts::of(usage_);
  out_.key("usage");
  out_.begin_object();
  if (counts.input >= 0 || all_required)
    out_.member("input_tokens", counts.input >= 0 ? counts.input : int64_t{0});
  if (counts.cache_creation >= 0) out_.member("cache_creation_input_tokens", counts.cache_creation);
  if (counts.cache_read >= 0) out_.member("cache_read_input_tokens", counts.cache_read);
  if (all_required && counts.cache_creation_1h > 0) {
    out_.key("cache_creation");
    out_.begin_object();
    out_.member("ephemeral_5m_input_tokens", counts.cache_creation_5m);
    out_.member("ephemeral_1h_input_tokens", counts.cache_creation_1h);
    out_.end_object();
  }
  out_.member("output_tokens", counts.output >= 0 ? counts.output : int64_t{0});
  if (counts.thinking >= 0) {
    out_.key("output_tokens_details");
    out_.begin_object();
    out_.member("thinking_tokens", counts.thinking);
    out_.end_object();
  }
  out_.end_object();
}

void write_id(json::Output& out, std::string_view id, const AnswerContext& context) {
  out.key("id");
  if (!id.empty()) return out.raw_string(id);
  out.open_string();
  out.add_plain("msg_");
  out.add_plain(context.request_id);
  out.close_string();
}

void write_model(json::Output& out, std::string_view model, const AnswerContext& context) {
  out.key("model");
  if (!model.empty()) return out.raw_string(model);
  out.string(context.model);
}

void write_data(json::Output& out, const Event& event, std::string_view data) {
  out.key("data");
  out.open_string();
  add_signature(out, data, event.signature_of, Maker::anthropic);
  out.close_string();
}

class StreamEncoder final : public Encoder {
 public:
  using Encoder::Encoder;

 private:
  // So many calls can be open at once; vendors send them one after another.
  static constexpr size_t open_tools_max = 32;
  struct OpenTool {
    uint32_t tool = 0;
    uint32_t index = 0;
  };

  void write_start(std::string_view id, std::string_view model) override {
    begin("message_start");
    out_.key("message");
    out_.begin_object();
    write_id(out_, id, context_);
    out_.member("type", "message");
    out_.member("role", "assistant");
    write_model(out_, model, context_);
    out_.key("content");
    out_.begin_array();
    out_.end_array();
    out_.key("stop_reason");
    out_.null();
    out_.key("stop_sequence");
    out_.null();
    // What is not known yet comes with message_delta, whose numbers replace these.
    write_usage(true);
    out_.end_object();
    end();
  }

  void begin_text() override {
    begin_block("text");
    out_.member("text", "");
    end_start();
  }
  void add_text(std::string_view text) override { add_delta(index_, "text_delta", "text", text); }
  void begin_thinking() override {
    begin_block("thinking");
    out_.member("thinking", "");
    out_.member("signature", "");
    end_start();
  }
  void add_thinking(std::string_view text) override {
    add_delta(index_, "thinking_delta", "thinking", text);
  }

  void end_block(const Event& event) override {
    if (block_ == Block::thinking && !event.signature.empty()) {
      begin_delta(index_, "signature_delta");
      out_.key("signature");
      out_.open_string();
      add_signature(out_, event.signature, event.signature_of, Maker::anthropic);
      out_.close_string();
      end_delta();
    }
    stop_block(index_);
  }

  void write_redacted(const Event& event, std::string_view data) override {
    begin_block("redacted_thinking");
    write_data(out_, event, data);
    end_start();
    stop_block(index_);
  }

  void begin_tool(const Event& event) override {
    if (open_tools_count_ == open_tools_max) close_tool(0);
    begin_block("tool_use");
    out_.member_raw("id", event.id);
    out_.member_raw("name", event.name);
    out_.key("input");
    out_.begin_object();
    out_.end_object();
    end_start();
    open_tools_[open_tools_count_++] = {event.tool, index_};
  }

  void add_arguments(const Event& event) override {
    const size_t at = find_tool(event.tool);
    if (at == open_tools_count_ || event.text.empty()) return;
    add_delta(open_tools_[at].index, "input_json_delta", "partial_json", event.text);
  }

  void end_tool(const Event& event) override {
    const size_t at = find_tool(event.tool);
    if (at != open_tools_count_) close_tool(at);
  }

  void write_end() override {
    while (open_tools_count_ > 0) close_tool(0);
    begin("message_delta");
    out_.key("delta");
    out_.begin_object();
    write_stop();
    out_.end_object();
    write_usage(false);
    end();
    begin("message_stop");
    end();
  }

  void write_error(const ProviderError& error) override {
    const ErrorTraits& traits = traits_of(error.kind);
    ErrorAnswer answer;
    answer.status = traits.status;
    answer.code = traits.code != nullptr ? std::string_view(traits.code) : std::string_view();
    // What a provider says of our own key is not for the client.
    const bool of_our_key = traits.key_fault && error.kind != ErrorKind::rate_limit;
    const bool told = !error.message.empty() && !of_our_key;
    answer.message = told ? error.message : broken;
    answer.message_is_raw = told;
    answer.request_id = context_.request_id;
    write_error_event(Wire::anthropic, answer, false, out_);
  }

  size_t find_tool(uint32_t tool) const {
    size_t at = 0;
    while (at < open_tools_count_ && open_tools_[at].tool != tool) ++at;
    return at;
  }

  void close_tool(size_t at) {
    stop_block(open_tools_[at].index);
    --open_tools_count_;
    for (; at < open_tools_count_; ++at) open_tools_[at] = open_tools_[at + 1];
  }

  void begin(std::string_view type) {
    begin_event(out_, type);
    out_.begin_object();
    out_.member("type", type);
  }
  void end() {
    out_.end_object();
    end_event(out_);
  }

  void begin_block(std::string_view type) {
    index_ = blocks_count_++;
    begin("content_block_start");
    out_.member("index", int64_t{index_});
    out_.key("content_block");
    out_.begin_object();
    out_.member("type", type);
  }
  void end_start() {
    out_.end_object();
    end();
  }
  void stop_block(uint32_t index) {
    begin("content_block_stop");
    out_.member("index", int64_t{index});
    end();
  }

  void begin_delta(uint32_t index, std::string_view type) {
    begin("content_block_delta");
    out_.member("index", int64_t{index});
    out_.key("delta");
    out_.begin_object();
    out_.member("type", type);
  }
  void end_delta() {
    out_.end_object();
    end();
  }
  void add_delta(uint32_t index, std::string_view type, std::string_view name,
                 std::string_view text) {
    begin_delta(index, type);
    out_.member_raw(name, text);
    end_delta();
  }

  uint32_t blocks_count_ = 0;
  uint32_t index_ = 0;  // of the open block of text or thinking
  OpenTool open_tools_[open_tools_max];
  size_t open_tools_count_ = 0;
};

// The content is written as it comes, the rest around it: nothing is gathered elsewhere. After an
// error all of it is taken back.
class PlainEncoder final : public Encoder {
 public:
  PlainEncoder(const AnswerContext& context, Arena& arena, json::Output& out)
      : Encoder(context, arena, out), begin_size_(out.buffer().size()) {}

 private:
  void write_start(std::string_view id, std::string_view model) override {
    out_.begin_object();
    write_id(out_, id, context_);
    out_.member("type", "message");
    out_.member("role", "assistant");
    write_model(out_, model, context_);
    out_.key("content");
    out_.begin_array();
  }

  void begin_block(const char* type) {
    close_tool();
    out_.begin_object();
    out_.member("type", type);
  }

  void begin_text() override {
    begin_block("text");
    out_.key("text");
    out_.open_string();
  }
  void add_text(std::string_view text) override { out_.add_raw(text); }
  void begin_thinking() override {
    begin_block("thinking");
    out_.key("thinking");
    out_.open_string();
  }
  void add_thinking(std::string_view text) override { out_.add_raw(text); }

  void end_block(const Event& event) override {
    out_.close_string();
    if (block_ == Block::thinking) {
      out_.key("signature");
      out_.open_string();
      add_signature(out_, event.signature, event.signature_of, Maker::anthropic);
      out_.close_string();
    } else {
      out_.key("citations");
      out_.null();
    }
    out_.end_object();
  }

  void write_redacted(const Event& event, std::string_view data) override {
    begin_block("redacted_thinking");
    write_data(out_, event, data);
    out_.end_object();
  }

  void begin_tool(const Event& event) override {
    begin_block("tool_use");
    out_.member_raw("id", event.id);
    out_.member_raw("name", event.name);
    out_.key("input");
    out_.value({});
    tool_open_ = true;
    tool_ = event.tool;
    input_begin_ = out_.buffer().size();
  }

  void add_arguments(const Event& event) override {
    if (tool_open_ && event.tool == tool_) out_.add_raw(event.text);
  }

  void end_tool(const Event& event) override {
    if (event.tool == tool_) close_tool();
  }

  // The fragments stand in the output, escaped; the object they make takes their place. What is no
  // object (a call cut off, or a model's nonsense) cannot be said in this dialect: an empty one.
  void close_tool() {
    if (!tool_open_) return;
    tool_open_ = false;
    ByteBuffer& buffer = out_.buffer();
    if (out_.failed()) return;
    const size_t size = buffer.size() - input_begin_;
    char* plain = buffer.extend(size);
    if (plain == nullptr) return out_.fail();
    char* escaped = plain - size;
    const size_t plain_size = json::unescape({escaped, size}, plain, size);
    const bool good = is_json_object({plain, plain_size});
    if (good) std::memmove(escaped, plain, plain_size);
    buffer.shorten(2 * size - (good ? plain_size : 0));
    if (!good) out_.add_raw("{}");
    out_.end_object();
  }

  void write_end() override {
    close_tool();
    out_.end_array();
    write_stop();
    write_usage(true);
    out_.end_object();
  }

  void write_error(const ProviderError&) override {
    out_.buffer().shorten(out_.buffer().size() - begin_size_);
  }

  size_t begin_size_;
  bool tool_open_ = false;
  uint32_t tool_ = 0;
  size_t input_begin_ = 0;
};

template <class T>
AnswerEncoder* make_one(const AnswerContext& context, Arena& arena, json::Output& out) {
  void* place = arena.allocate(sizeof(T), alignof(T));
  return place != nullptr ? new (place) T(context, arena, out) : nullptr;
}

}  // namespace

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer&,
                            json::Output& out) {
  return context.stream ? make_one<StreamEncoder>(context, arena, out)
                        : make_one<PlainEncoder>(context, arena, out);
}

}  // namespace hyperion::dialect::anthropic
