#include "dialect/anthropic_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::anthropic {
namespace {

// A media type as it stands in a JSON string, lower case, without escapes for the slash.
bool plain_media_type(Arena& arena, std::string_view inside, std::string_view& media_type) {
  std::string_view plain;
  if (!unescape_into(arena, inside, plain)) return false;
  std::string_view copy = arena.copy(plain);
  if (copy.data() == nullptr) return false;
  auto* letters = const_cast<char*>(copy.data());  // our own copy
  for (size_t i = 0; i < copy.size(); ++i) {
    if (letters[i] >= 'A' && letters[i] <= 'Z') letters[i] = static_cast<char>(letters[i] | 0x20);
  }
  media_type = copy;
  return true;
}

}  // namespace

bool RequestReader::read_block(Cursor& cursor, const Place& place, Block& block) {
  if (!cursor.enter_object()) return expected(place, "a block", cursor.peek());
  struct Row {
    std::string_view name;
    std::string_view Block::*value;
  };
  static constexpr Row rows[] = {
      {"text", &Block::text},         {"source", &Block::source},
      {"title", &Block::title},       {"context", &Block::context},
      {"thinking", &Block::thinking}, {"signature", &Block::signature},
      {"data", &Block::data},         {"id", &Block::id},
      {"name", &Block::name},         {"input", &Block::input},
      {"content", &Block::content},   {"tool_use_id", &Block::tool_use_id},
      {"is_error", &Block::is_error},
  };
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "type") {
      Raw type;
      if (!require_text(cursor, place.member(key), type)) return false;
      block.type = type.bytes;
      continue;
    }
    if (key == "cache_control") {
      if (!read_mark(cursor, place.member(key), block.cache)) return false;
      continue;
    }
    std::string_view Block::*value = nullptr;
    for (const Row& row : rows) {
      if (row.name == key) value = row.value;
    }
    if (value == nullptr || cursor.peek() == 'n') {
      cursor.skip();
    } else {
      cursor.read_raw(block.*value);
    }
  }
  if (block.type.empty()) return refuse_at(place.member("type"), "expected a type, got nothing");
  return true;
}

Part* RequestReader::add_part(Chain<Part>& parts, PartKind kind, const Block& block) {
  auto* part = make<Part>(workspace_.arena);
  if (part == nullptr) return nullptr;
  part->kind = kind;
  part->index = block.index;
  part->cache = block.cache;
  parts.append(part);
  return part;
}

bool RequestReader::add_text(Chain<Part>& parts, const Block& block, Raw text) {
  Part* part = add_part(parts, PartKind::text, block);
  if (part == nullptr) return no_memory();
  part->text = text;
  return true;
}

bool RequestReader::read_string_content(std::string_view content, const Place& place,
                                        Chain<Part>& parts, bool& was_string) {
  was_string = content.front() == '"';
  if (!was_string) return true;
  Cursor cursor(content);
  Raw text;
  return require_text(cursor, place, text) && add_text(parts, Block{}, text);
}

// What may stand in a turn of the user, and in the result of a tool.
bool RequestReader::read_content_block(const Block& block, const Place& place, Chain<Part>& parts) {
  if (block.type == "text") return read_text_block(block, place, parts);
  if (block.type == "image") return read_image(block, place, parts);
  if (block.type == "document") return read_document(block, place, parts);
  if (block.type == "search_result") return read_search_result(block, place, parts);
  return refuse_at(place.member("type"), "this type of block is not known here");
}

bool RequestReader::read_text_block(const Block& block, const Place& place, Chain<Part>& parts) {
  Cursor cursor(block.text);
  Raw text;
  return require_text(cursor, place.member("text"), text) && add_text(parts, block, text);
}

// A signature that another vendor made carries its maker's name (dialect/text.h). One of Gemini's
// came before a call that it belongs to: see anthropic_answer_writer.h.
bool RequestReader::read_thinking_block(const Block& block, const Place& place,
                                        Chain<Part>& parts) {
  const bool redacted = block.type == "redacted_thinking";
  Cursor text(redacted ? block.data : block.thinking);
  Raw inside;
  if (!require_text(text, place.member(redacted ? "data" : "thinking"), inside)) return false;
  Raw signature = inside;
  if (!redacted) {
    signature = {};
    Cursor cursor(block.signature);
    if (!block.signature.empty() && !require_text(cursor, place.member("signature"), signature))
      return false;
  }
  const Maker maker = maker_of(signature.bytes, Maker::anthropic);
  if (redacted && maker == Maker::gemini) {
    call_signature_ = signature;
    return true;
  }
  Part* part = add_part(parts, redacted ? PartKind::redacted_thinking : PartKind::thinking, block);
  if (part == nullptr) return no_memory();
  part->text = redacted ? signature : inside;
  if (!redacted) part->signature = signature;
  if (redacted || !signature.empty()) part->signature_of = maker;
  return true;
}

bool RequestReader::read_image(const Block& block, const Place& place, Chain<Part>& parts) {
  return read_document(block, place, parts);
}

// Images and documents have their source in the same forms.
bool RequestReader::read_document(const Block& block, const Place& place, Chain<Part>& parts) {
  const bool is_image = block.type == "image";
  const Place at = place.member("source");
  Cursor cursor(block.source);
  if (block.source.empty()) return refuse_at(at, "expected an object, got nothing");
  if (!cursor.enter_object()) return expected(at, "an object", cursor.peek());
  Raw type, media_type, data, url;
  std::string_view file_id, content;
  std::string_view key;
  while (cursor.next_key(key)) {
    const Place member = at.member(key);
    bool good = true;
    if (take_null(cursor)) continue;
    if (key == "type")
      good = require_text(cursor, member, type);
    else if (key == "media_type")
      good = require_text(cursor, member, media_type);
    else if (key == "data")
      good = require_text(cursor, member, data);
    else if (key == "url")
      good = require_text(cursor, member, url);
    else if (key == "file_id")
      good = require_plain(cursor, member, file_id);
    else if (key == "content")
      cursor.read_raw(content);
    else
      cursor.skip();
    if (!good) return false;
  }
  if (!is_image && type.bytes == "content")
    return read_document_content(content, at.member("content"), block, parts);
  Part* part = add_part(parts, is_image ? PartKind::image : PartKind::file, block);
  if (part == nullptr) return no_memory();
  if (!plain_media_type(workspace_.arena, media_type.bytes, part->media_type)) return no_memory();
  if (type.bytes == "base64") {
    if (part->media_type.empty())
      return refuse_at(at.member("media_type"), "expected a media type, got nothing");
    if (!is_base64(data.bytes))
      return refuse_at(at.member("data"), "expected base64 without line breaks");
    part->data = data;
  } else if (type.bytes == "url") {
    if (url.empty() || is_data_url(url.bytes))
      return refuse_at(at.member("url"), "expected an https URL");
    part->url = url;
  } else if (type.bytes == "file") {
    if (file_id.empty()) return refuse_at(at.member("file_id"), "expected an id, got nothing");
    part->file_id = file_id;
  } else if (type.bytes == "text" && !is_image) {
    if (!data.given()) return refuse_at(at.member("data"), "expected a string, got nothing");
    part->text = data;
    part->media_type = "text/plain";
  } else {
    return refuse_at(at.member("type"), is_image
                                            ? "expected \"base64\", \"url\" or \"file\""
                                            : "expected \"base64\", \"text\", \"url\", \"content\" "
                                              "or \"file\"");
  }
  Cursor title(block.title);
  return block.title.empty() || require_text(title, place.member("title"), part->file_name);
}

// A document made of texts and images: no other dialect has it, so they stand by themselves.
bool RequestReader::read_document_content(std::string_view content, const Place& place,
                                          const Block& block, Chain<Part>& parts) {
  if (content.empty())
    return refuse_at(place, "expected a string or a list of blocks, got nothing");
  for (std::string_view head : {block.title, block.context}) {
    Raw text;
    Cursor cursor(head);
    if (head.empty() || cursor.peek() != '"') continue;
    if (!require_text(cursor, place, text)) return false;
    Block untouched;
    untouched.index = block.index;
    if (!text.empty() && !add_text(parts, untouched, text)) return false;
  }
  Part container;
  if (!read_result_content(content, place, container)) return false;
  for (Part* part = container.content.first; part != nullptr;) {
    Part* next = part->next;
    part->next = nullptr;
    part->index = block.index;
    if (next == nullptr) part->cache = block.cache;
    parts.append(part);
    part = next;
  }
  return true;
}

// Its title, its source and its texts, as the model would have read them.
bool RequestReader::read_search_result(const Block& block, const Place& place, Chain<Part>& parts) {
  Raw title, source;
  Cursor title_cursor(block.title);
  Cursor source_cursor(block.source);
  if (!require_text(title_cursor, place.member("title"), title)) return false;
  if (!require_text(source_cursor, place.member("source"), source)) return false;
  Block untouched;
  untouched.index = block.index;
  if (!add_text(parts, untouched, title) || !add_text(parts, untouched, source)) return false;
  if (block.content.empty())
    return refuse_at(place.member("content"), "expected a list of text blocks, got nothing");
  Message texts;
  if (!read_texts(block.content, place.member("content"), texts)) return false;
  for (Part* part = texts.parts.first; part != nullptr;) {
    Part* next = part->next;
    part->next = nullptr;
    part->index = block.index;
    parts.append(part);
    part = next;
  }
  parts.last->cache = block.cache;
  return true;
}

bool RequestReader::read_result_content(std::string_view content, const Place& place,
                                        Part& result) {
  bool was_string = false;
  if (!read_string_content(content, place, result.content, was_string)) return false;
  if (was_string) return true;
  Cursor cursor(content);
  if (!cursor.enter_array()) return expected(place, "a string or a list of blocks", cursor.peek());
  for (uint32_t i = 0; cursor.next_element(); ++i) {
    const Place at = place.element(i);
    Block block;
    block.index = i;
    if (!read_block(cursor, at, block)) return false;
    // Names a tool of Anthropic's own search for tools.
    if (block.type == "tool_reference") continue;
    if (!read_content_block(block, at, result.content)) return false;
  }
  return true;
}

}  // namespace hyperion::dialect::anthropic
