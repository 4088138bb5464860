// Writes answers for Google's clients: of a stream whole chunks as they come, of a plain answer one
// object that grows.

#include <algorithm>
#include <cstring>
#include <new>

#include "dialect/error_body.h"
#include "dialect/gemini.h"
#include "dialect/gemini_answer_parts.h"
#include "dialect/gemini_calls.h"
#include "dialect/gemini_text.h"

namespace hyperion::dialect::gemini {
namespace {

constexpr uint32_t citations_max = 64;

struct Citation {
  Citation* next = nullptr;
  std::string_view url;
  std::string_view title;
};

struct Choice {
  bool finished = false;   // its finish came
  bool told = false;       // and was written
  bool lost_call = false;  // a call of it was no call
  Finish finish = Finish::stop;
  std::string_view reason;  // in the arena
  Chain<Citation> citations;
};

class Encoder final : public AnswerEncoder {
 public:
  Encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch, json::Output& out)
      : context_(context),
        arena_(arena),
        scratch_(scratch),
        calls_(arena, scratch),
        out_(out),
        begin_(out.text().size()) {}

  void on_event(const Event& event) override;

 private:
  enum class Open : uint8_t { nothing, text, thought };

  void start(const Event& event);
  void take_text(const Event& event, bool thought);
  void take_signature(std::string_view signature, Maker maker, uint32_t choice, bool redacted);
  void take_call(const Event& event);
  // Copies what is wanted later.
  std::string_view keep(std::string_view text);
  void take_citation(const Event& event);
  void take_finish(const Event& event);
  void take_error(const Event& event);
  void end();

  // A part of its own: opened as a chunk of a stream, or behind the others of a plain answer.
  void begin_part(uint32_t choice);
  void end_part(uint32_t choice);
  // Of a plain answer: the text that is open goes on.
  void close_text();
  void open_choice(uint32_t choice);
  void close_choice();
  void open_candidates();

  void begin_chunk();
  void end_chunk();
  void write_signature(std::string_view signature, Maker maker, bool redacted);
  void write_finish(uint32_t choice);
  void write_end();

  const AnswerContext context_;
  Arena& arena_;
  ByteBuffer& scratch_;
  CallCollector calls_;
  json::Output& out_;
  const size_t begin_;  // of what is ours in `out`
  bool started_ = false;
  bool over_ = false;
  bool array_open_ = false;       // of a stream as one array
  bool candidates_open_ = false;  // of a plain answer
  bool choice_open_ = false;
  uint32_t open_choice_ = 0;
  Open open_ = Open::nothing;
  std::string_view names_;  // the members at the end of every chunk
  Usage usage_;
  Choice choices_[candidates_max];
};

void Encoder::on_event(const Event& event) {
  if (over_) return;
  if (event.kind != EventKind::error && event.kind != EventKind::end &&
      event.kind != EventKind::usage && event.choice >= candidates_max) {
    return;
  }
  if (!started_) start(event);
  const bool thinks = context_.shows_thinking;
  switch (event.kind) {
    case EventKind::start: break;
    case EventKind::text:
    case EventKind::refusal: take_text(event, false); break;
    case EventKind::thinking:
      if (thinks) take_text(event, true);
      break;
    case EventKind::thinking_end:
      if (thinks) take_signature(event.signature, event.signature_of, event.choice, false);
      break;
    case EventKind::redacted_thinking:
      if (thinks) take_signature(event.text, event.signature_of, event.choice, true);
      break;
    case EventKind::tool_start: calls_.start(event); break;
    case EventKind::tool_arguments: calls_.add(event); break;
    case EventKind::tool_end: take_call(event); break;
    case EventKind::citation: take_citation(event); break;
    case EventKind::usage:
      if (event.usage != nullptr) usage_ = *event.usage;
      break;
    case EventKind::finish: take_finish(event); break;
    case EventKind::error: take_error(event); break;
    case EventKind::end: end(); break;
  }
  // Nothing may be missing without a word.
  if (calls_.out_of_memory()) out_.fail();
}

std::string_view Encoder::keep(std::string_view text) {
  const std::string_view kept = arena_.copy(text);
  if (kept.size() != text.size()) out_.fail();
  return kept;
}

// What every chunk repeats is written once. Another event than `start` may come first; names that
// the provider did not give are the context's, which are plain.
void Encoder::start(const Event& event) {
  started_ = true;
  const bool given = event.kind == EventKind::start;
  scratch_.clear();
  json::Output names(scratch_);
  names.key("modelVersion");
  if (given && !event.model.empty()) {
    names.raw_string(event.model);
  } else {
    names.string(context_.model);
  }
  names.key("responseId");
  if (given && !event.id.empty()) {
    names.raw_string(event.id);
  } else {
    names.string(context_.request_id);
  }
  names_ = keep(names.text());
  if (names.failed()) out_.fail();
}

void Encoder::begin_chunk() {
  if (!context_.json_array) {
    out_.bytes("data: ");
  } else {
    out_.bytes(array_open_ ? ",\r\n" : "[");
    array_open_ = true;
  }
  out_.begin_object();
}

void Encoder::end_chunk() {
  write_end();
  if (!context_.json_array) out_.bytes("\r\n\r\n");
}

// The names, and the end of the object.
void Encoder::write_end() {
  if (!names_.empty()) out_.value(names_);
  out_.end_object();
}

void Encoder::open_candidates() {
  if (candidates_open_) return;
  candidates_open_ = true;
  out_.begin_object();
  out_.key("candidates");
  out_.begin_array();
}

void Encoder::open_choice(uint32_t choice) {
  if (choice_open_ && open_choice_ == choice) return;
  close_choice();
  open_candidates();
  choice_open_ = true;
  open_choice_ = choice;
  out_.begin_object();
  out_.key("content");
  out_.begin_object();
  out_.key("parts");
  out_.begin_array();
}

void Encoder::close_choice() {
  if (!choice_open_) return;
  close_text();
  choice_open_ = false;
  out_.end_array();
  out_.member("role", "model");
  out_.end_object();
  write_finish(open_choice_);
  out_.member("index", int64_t{open_choice_});
  out_.end_object();
}

void Encoder::close_text() {
  if (open_ == Open::nothing) return;
  out_.close_string();
  if (open_ == Open::thought) out_.member("thought", true);
  out_.end_object();
  open_ = Open::nothing;
}

void Encoder::begin_part(uint32_t choice) {
  if (context_.stream) {
    begin_chunk();
    out_.bytes(R"("candidates":[{"content":{"parts":[)");
  } else {
    open_choice(choice);
    close_text();
  }
  out_.begin_object();
}

void Encoder::end_part(uint32_t choice) {
  out_.end_object();
  if (!context_.stream) return;
  out_.bytes(R"(],"role":"model"},"index":)");
  out_.number(choice);
  out_.end_object();
  out_.end_array();
  end_chunk();
}

void Encoder::take_text(const Event& event, bool thought) {
  if (event.text.empty()) return;
  const Open wanted = thought ? Open::thought : Open::text;
  if (context_.stream) {
    begin_part(event.choice);
    out_.member_raw("text", event.text);
    if (thought) out_.member("thought", true);
    end_part(event.choice);
    return;
  }
  if (!choice_open_ || open_choice_ != event.choice || open_ != wanted) {
    begin_part(event.choice);
    out_.key("text");
    out_.open_string();
    open_ = wanted;
  }
  out_.add_raw(event.text);
}

void Encoder::write_signature(std::string_view signature, Maker maker, bool redacted) {
  out_.key("thoughtSignature");
  out_.open_string();
  if (maker == Maker::gemini || maker == Maker::unknown) {
    out_.add_raw(signature);
  } else {
    add_foreign_signature(out_, signature, maker, redacted);
  }
  out_.close_string();
}

// Of a block of reasoning that is over, or the whole of an opaque one.
void Encoder::take_signature(std::string_view signature, Maker maker, uint32_t choice,
                             bool redacted) {
  if (signature.empty()) {
    if (!context_.stream) close_text();
    return;
  }
  // An opaque block is meant for whoever made it; only Anthropic makes such.
  if (redacted && maker == Maker::unknown) maker = Maker::anthropic;
  const bool goes_on =
      !redacted && choice_open_ && open_choice_ == choice && open_ == Open::thought;
  if (goes_on) {
    out_.close_string();
    open_ = Open::nothing;
  } else {
    begin_part(choice);
    out_.member("text", "");
  }
  out_.member("thought", true);
  write_signature(signature, maker, redacted);
  end_part(choice);
}

// Calls are written whole, once their arguments are.
void Encoder::take_call(const Event& event) {
  CallCollector::Call call;
  if (!calls_.finish(event, call)) {
    choices_[event.choice].lost_call = true;
    return;
  }
  begin_part(event.choice);
  out_.key("functionCall");
  out_.begin_object();
  if (!call.id.empty()) out_.member_raw("id", call.id);
  out_.member_raw("name", call.name);
  out_.key("args");
  out_.value("");
  add_compact(out_, call.arguments, false);
  out_.end_object();
  if (!call.signature.empty()) write_signature(call.signature, call.signature_of, false);
  end_part(event.choice);
}

void Encoder::take_citation(const Event& event) {
  Chain<Citation>& citations = choices_[event.choice].citations;
  if (citations.count == citations_max) return;
  Citation* const citation = make<Citation>(arena_);
  if (citation == nullptr) return out_.fail();
  citation->url = keep(event.text);
  citation->title = keep(event.name);
  citations.append(citation);
}

void Encoder::take_finish(const Event& event) {
  Choice& choice = choices_[event.choice];
  choice.finished = true;
  choice.finish = event.finish;
  const bool explained = event.finish == Finish::content_filter ||
                         event.finish == Finish::refusal || event.finish == Finish::malformed_call;
  if (explained) choice.reason = keep(event.text);
  // What the arguments are not, the reason must say, unless a shorter answer is reason enough.
  const bool hides_it = event.finish == Finish::tool_calls || event.finish == Finish::stop;
  if (choice.lost_call && hides_it) {
    choice.finish = Finish::malformed_call;
    choice.reason = "The arguments of a function call are not a JSON object.";
  }
}

// What stands behind the content of a candidate.
void Encoder::write_finish(uint32_t index) {
  Choice& choice = choices_[index];
  if (choice.finished && !choice.told) {
    out_.member("finishReason", reason_of(choice.finish));
    if (!choice.reason.empty()) out_.member_raw("finishMessage", choice.reason);
    choice.told = true;
  }
  if (choice.citations.empty()) return;
  out_.key("groundingMetadata");
  out_.begin_object();
  out_.key("groundingChunks");
  out_.begin_array();
  for (const Citation* citation = choice.citations.first; citation != nullptr;
       citation = citation->next) {
    out_.begin_object();
    out_.key("web");
    out_.begin_object();
    out_.member_raw("uri", citation->url);
    if (!citation->title.empty()) out_.member_raw("title", citation->title);
    out_.end_object();
    out_.end_object();
  }
  out_.end_array();
  out_.end_object();
  choice.citations = {};
}

// The last chunk has every candidate's finish, and the usage; so has the end of a plain answer.
void Encoder::end() {
  over_ = true;
  if (context_.stream) {
    begin_chunk();
    out_.key("candidates");
    out_.begin_array();
  } else {
    close_choice();
    open_candidates();
  }
  for (uint32_t i = 0; i < candidates_max; ++i) {
    if (!choices_[i].finished || choices_[i].told) continue;
    out_.begin_object();
    if (context_.stream) {
      out_.key("content");
      out_.value("{\"parts\":[{\"text\":\"\"}],\"role\":\"model\"}");
    }
    write_finish(i);
    out_.member("index", int64_t{i});
    out_.end_object();
  }
  out_.end_array();
  if (usage_.known()) write_usage(usage_, out_);
  if (!context_.stream) {
    write_end();
    return;
  }
  end_chunk();
  if (context_.json_array) out_.bytes("\r\n]");
}

void Encoder::take_error(const Event& event) {
  over_ = true;
  if (!context_.stream) {
    out_.buffer().shorten(out_.text().size() - begin_);
    return;
  }
  ErrorAnswer answer;
  if (event.error != nullptr) {
    const ErrorTraits& traits = traits_of(event.error->kind);
    answer.status = traits.status;
    if (traits.code != nullptr) answer.code = traits.code;
    answer.message = event.error->message;
    answer.message_is_raw = true;
    answer.retry_after_ms = event.error->retry_after_ms;
  }
  StreamForm form = StreamForm::events;
  if (context_.json_array) form = array_open_ ? StreamForm::array_begun : StreamForm::array_unbegun;
  write_error_event(Wire::gemini, answer, form, out_);
}

}  // namespace

AnswerEncoder* make_encoder(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                            json::Output& out) {
  void* const place = arena.allocate(sizeof(Encoder), alignof(Encoder));
  return place != nullptr ? new (place) Encoder(context, arena, scratch, out) : nullptr;
}

}  // namespace hyperion::dialect::gemini
