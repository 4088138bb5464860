// What every dialect can do, and the table of them.
//
// n wire formats need 2n translators, not n squared: each dialect decodes requests and answers to
// the canonical forms (request.h, event.h) and encodes them from there. Same dialect in and out is
// never translated: then `observe_*` only looks on while the bytes pass (passthrough). All of it is
// sans-I/O and incremental; decoders hold bounded state, take any bytes and never crash: provider
// nonsense is an error event. Used by gateway (exchange: requests; attempt: answers).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/arena.h"
#include "base/byte_buffer.h"
#include "catalog/model.h"
#include "dialect/event.h"
#include "dialect/notes.h"
#include "dialect/observation.h"
#include "dialect/request.h"
#include "dialect/wire.h"
#include "http/sse_splitter.h"
#include "json/output.h"

namespace hyperion::dialect {

// Memory for one decoding: what is kept goes to the arena, `scratch` is for the moment.
struct Workspace {
  Arena& arena;
  ByteBuffer& scratch;
};

// Who a request is encoded for.
struct Target {
  const catalog::Provider& provider;
  const catalog::Model* model;      // nullptr: unknown to the catalogue
  std::string_view upstream_model;  // plain
  const TranslationSettings& settings;
};

// What an encoder of answers must know beside the events.
struct AnswerContext {
  std::string_view request_id;  // plain: used where the provider gave no id
  std::string_view model;       // plain: likewise
  int64_t now_s = 0;            // `created`
  bool stream = false;
  bool include_usage = false;     // of a stream, in OpenAI's Chat Completions
  bool legacy_functions = false;  // answer with `function_call`
  bool shows_thinking = true;     // reasoning goes to the client
  bool thinking_asked = true;     // the client had the model think, so expects blocks of it
  bool json_array = false;        // a Gemini stream without alt=sse
  // What the client asked, where its body still stands: Responses repeats some of it. May be null.
  const Request* request = nullptr;
};

// Reads one provider's answer.
class AnswerDecoder {
 public:
  virtual ~AnswerDecoder() = default;
  // One whole event of a stream.
  virtual void on_stream_event(const http::SseEvent& event, EventReceiver& out) = 0;
  // The stream's bytes are over: gives `end`, or `error` when that was no proper end. Nothing after
  // an `end` or `error` that was given already.
  virtual void on_stream_end(EventReceiver& out) = 0;
  // A whole plain answer with status 200: all its events, `end` or `error` at last.
  virtual void on_answer(std::string_view body, EventReceiver& out) = 0;
};

// Writes one answer for the client, into the JsonOutput it was made with: of a stream whole SSE
// events (or pieces of the array) as they come, of a plain answer the body when `end` has come.
// Takes any order of events without crashing. An `error` in a stream becomes the dialect's error
// event and nothing follows; of a plain answer nothing is written (the gateway answers an error).
class AnswerEncoder : public EventReceiver {
 public:
  virtual ~AnswerEncoder() = default;
};

struct Language {
  Wire wire;
  // The request in `body`, which the Scanner has passed (valid JSON). False: `problem` says why, in
  // terms of the client's fields.
  bool (*decode_request)(std::string_view body, Workspace workspace, Request& request,
                         RequestProblem& problem);
  // Writes the provider's body. False: notes.problem says why, or (without one) out is full.
  bool (*encode_request)(const Request& request, const Target& target, Workspace workspace,
                         json::Output& out, Notes& notes);
  // In the arena's memory; nullptr when there is none. Destroyed by the caller (not freed). The
  // `scratch` is its own as long as it lives: a decoder and an encoder need one each.
  AnswerDecoder* (*make_decoder)(Arena& arena, ByteBuffer& scratch);
  AnswerEncoder* (*make_encoder)(const AnswerContext& context, Arena& arena, ByteBuffer& scratch,
                                 json::Output& out);
  // Passthrough: what one event, or a whole plain answer, says. `committed`: the first semantic
  // token was seen, so only usage, errors and the end matter.
  Observation (*observe_event)(const http::SseEvent& event, bool committed, Usage& usage);
  void (*observe_answer)(std::string_view body, Usage& usage);
  // How the provider is asked: the path behind base_url, query included. Returns its length, 0 when
  // it did not fit.
  size_t (*write_path)(std::string_view model, bool stream, char* out, size_t capacity);
};

const Language& language_of(Wire wire);

}  // namespace hyperion::dialect
