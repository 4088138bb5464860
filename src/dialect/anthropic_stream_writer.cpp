#include <new>

#include "dialect/anthropic_answer_writer.h"
#include "dialect/error_body.h"
#include "dialect/text.h"

namespace hyperion::dialect::anthropic {
namespace {

constexpr std::string_view broken = "The provider's answer broke off.";

class StreamWriter final : public AnswerWriter {
 public:
  using AnswerWriter::AnswerWriter;

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
    write_id(id);
    out_.member("type", "message");
    out_.member("role", "assistant");
    write_model(model);
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
    write_data(event, data);
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
    write_error_event(Wire::anthropic, answer, StreamForm::events, out_);
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

}  // namespace

AnswerEncoder* make_stream_writer(const AnswerContext& context, Arena& arena, json::Output& out) {
  void* place = arena.allocate(sizeof(StreamWriter), alignof(StreamWriter));
  return place != nullptr ? new (place) StreamWriter(context, arena, out) : nullptr;
}

}  // namespace hyperion::dialect::anthropic
