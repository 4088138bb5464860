#include <cstring>
#include <new>

#include "dialect/anthropic_answer_writer.h"
#include "dialect/text.h"
#include "json/escapes.h"

namespace hyperion::dialect::anthropic {
namespace {

// The content is written as it comes, the rest around it: nothing is gathered elsewhere. After an
// error all of it is taken back.
class PlainWriter final : public AnswerWriter {
 public:
  PlainWriter(const AnswerContext& context, Arena& arena, json::Output& out)
      : AnswerWriter(context, arena, out), begin_size_(out.buffer().size()) {}

 private:
  void write_start(std::string_view id, std::string_view model) override {
    out_.begin_object();
    write_id(id);
    out_.member("type", "message");
    out_.member("role", "assistant");
    write_model(model);
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
    }
    out_.end_object();
  }

  void write_redacted(const Event& event, std::string_view data) override {
    begin_block("redacted_thinking");
    write_data(event, data);
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

}  // namespace

AnswerEncoder* make_plain_writer(const AnswerContext& context, Arena& arena, json::Output& out) {
  void* place = arena.allocate(sizeof(PlainWriter), alignof(PlainWriter));
  return place != nullptr ? new (place) PlainWriter(context, arena, out) : nullptr;
}

}  // namespace hyperion::dialect::anthropic
