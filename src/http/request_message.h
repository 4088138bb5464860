// One request while it is read, and the judgement of its head.
//
// The half of RequestParser that knows llhttp: the callbacks collect texts, judge each piece of the
// head as soon as it is whole, and stop llhttp at the first fault or at the end of the head. Lies
// in the arena of the message and is dropped with it. Used by RequestParser only. It never feeds,
// never counts the head's bytes and never reads a body: those are the parser's.
#pragma once

#include <cstddef>
#include <cstdint>

#include <llhttp.h>

#include "http/body_decoder.h"
#include "http/field_rules.h"
#include "http/head.h"
#include "http/head_text.h"
#include "http/limits.h"
#include "http/request_parser.h"

namespace hyperion::http {

// Trivially destroyed, with its arena.
struct RequestMessage {
  llhttp_t llhttp;
  HeadText text;
  RequestHead head;
  BodyDecoder body;
  TargetParts target;
  Rejection rejection;  // set by a callback before it stops llhttp
  const Limits* limits;
  uint32_t piece_offset;     // of the current piece in the head
  uint32_t empty_line_size;  // CR LF before the request line
  uint32_t target_offset;    // where the target must begin; 0 before the method is known
  uint32_t target_begin;     // where it does begin
  uint32_t target_end;
  uint32_t protocol_begin;
  uint32_t host_index;
  uint8_t version_size;
  char protocol_initial;
  bool target_complete;
  bool version_complete;
  bool host_seen;
  bool transfer_encoding_seen;
  bool content_length_seen;
  bool head_complete;
};

// Makes llhttp ready for a new message of the given limits.
void start_reading(RequestMessage& message, const Limits& limits);

// Fills what of `message.head` is views, once all text is where it will stay.
void finish_head(RequestMessage& message);

// Why llhttp stopped: our own rejection, or one for what llhttp refused by itself.
Rejection rejection_of_head(const RequestMessage& message, llhttp_errno_t error);
Rejection rejection_of_body(BodyFault fault);

}  // namespace hyperion::http
