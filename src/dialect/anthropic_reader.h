// Reads an Anthropic client's request into the canonical one.
//
// One RequestReader for one body, on the stack of `decode_request`. The body is valid JSON (the
// Scanner has passed it); what is judged here is its meaning, and every refusal names the field as
// the client wrote it: messages[2].content[0].source.data. `null` means "not given" for whatever is
// optional. What Anthropic itself refuses because nobody could answer it (a result without its
// call, a call without its result, an empty list of messages) is refused here as well. Its
// functions are in anthropic_request.cpp (the top level), anthropic_settings.cpp (tools,
// thinking, formats), anthropic_messages.cpp (turns) and anthropic_content.cpp (blocks). Memory
// only from the workspace.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dialect/anthropic_parts.h"
#include "dialect/request_reader.h"

namespace hyperion::dialect::anthropic {

class RequestReader : private ValueReader {
 public:
  using ValueReader::ValueReader;

  // `counting`: only its tokens are to be counted, so max_tokens is not needed.
  bool read(std::string_view body, bool counting);

 private:
  struct FieldRow {
    std::string_view name;
    bool (RequestReader::*read)(Cursor& cursor, const Place& place);
  };
  struct Block;

  // anthropic_request.cpp
  bool read_mark(Cursor& cursor, const Place& place, CacheMark& mark);

  // The top level.
  bool read_members(Cursor& cursor, bool within_extra_body);
  bool read_field(Cursor& cursor, std::string_view key, bool within_extra_body);
  bool finish(bool counting);
  bool read_ignored(Cursor& cursor, const Place& place);
  bool read_max_tokens(Cursor& cursor, const Place& place);
  bool read_system(Cursor& cursor, const Place& place);
  bool read_stop(Cursor& cursor, const Place& place);
  bool read_stream(Cursor& cursor, const Place& place);
  bool read_metadata(Cursor& cursor, const Place& place);
  bool read_service_tier(Cursor& cursor, const Place& place);
  bool read_cache_control(Cursor& cursor, const Place& place);
  static const FieldRow* find_field(std::string_view key);

  // anthropic_settings.cpp
  bool read_tools(Cursor& cursor, const Place& place);
  bool read_tool(std::string_view object, const Place& place, Tool& tool);
  bool read_tool_choice(Cursor& cursor, const Place& place);
  bool check_tool_choice();
  bool read_thinking(Cursor& cursor, const Place& place);
  bool read_output_config(Cursor& cursor, const Place& place);
  bool read_effort(Cursor& cursor, const Place& place);
  bool read_format(Cursor& cursor, const Place& place);

  // anthropic_messages.cpp
  bool read_messages(Cursor& cursor, const Place& place);
  bool read_message(std::string_view object, const Place& place, uint32_t index);
  bool read_user(std::string_view content, const Place& place, uint32_t index);
  bool read_assistant(std::string_view content, const Place& place, uint32_t index);
  bool read_call(const Block& block, const Place& place, Message& message);
  bool read_result(const Block& block, const Place& place, Message& message);
  bool check_all_answered();
  Message* add_message(Role role, uint32_t index);
  // A string, or a list of text blocks.
  bool read_texts(std::string_view content, const Place& place, Message& message);

  // anthropic_content.cpp
  bool read_block(Cursor& cursor, const Place& place, Block& block);
  bool read_string_content(std::string_view content, const Place& place, Chain<Part>& parts,
                           bool& was_string);
  bool read_content_block(const Block& block, const Place& place, Chain<Part>& parts);
  bool read_text_block(const Block& block, const Place& place, Chain<Part>& parts);
  bool read_thinking_block(const Block& block, const Place& place, Chain<Part>& parts);
  bool read_image(const Block& block, const Place& place, Chain<Part>& parts);
  bool read_document(const Block& block, const Place& place, Chain<Part>& parts);
  bool read_document_content(std::string_view content, const Place& place, const Block& block,
                             Chain<Part>& parts);
  bool read_search_result(const Block& block, const Place& place, Chain<Part>& parts);
  bool read_result_content(std::string_view content, const Place& place, Part& result);
  bool add_text(Chain<Part>& parts, const Block& block, Raw text);
  Part* add_part(Chain<Part>& parts, PartKind kind, const Block& block);

  Message* system_ = nullptr;
  bool messages_given_ = false;
  SeenFields seen_;
  // The calls of the last turn of the assistant; its place, for the refusal.
  CallSet calls_;
  uint32_t caller_index_ = 0;
  bool results_due_ = false;
  // A signature of Gemini's that belongs to the call that follows (anthropic_answer_writer.h).
  Raw call_signature_;
};

// A block of content, its members as they stood. One pass reads them, whatever their order.
struct RequestReader::Block {
  uint32_t index = 0;
  std::string_view type;    // raw; types have no escapes
  std::string_view text;    // JSON values from here on; empty: not given, or null
  std::string_view source;  // image, document: an object; search_result: a string
  std::string_view title;
  std::string_view context;
  std::string_view thinking;
  std::string_view signature;
  std::string_view data;
  std::string_view id;
  std::string_view name;
  std::string_view input;
  std::string_view tool_use_id;
  std::string_view content;
  std::string_view is_error;
  CacheMark cache = CacheMark::none;
};

}  // namespace hyperion::dialect::anthropic
