// The turns of a Google client's conversation.

#include <cstdio>

#include "dialect/gemini_reader.h"
#include "dialect/text.h"

namespace hyperion::dialect::gemini {
namespace {

// Has the object a member `error` that says something? Google's word for a call that failed.
bool has_error(std::string_view object) {
  bool found = false;
  std::string_view key;
  json::Cursor cursor(object);
  if (!cursor.enter_object()) return false;
  while (cursor.next_key(key)) {
    found |= key == "error" && cursor.peek() != 'n';
    cursor.skip();
  }
  return found;
}

}  // namespace

bool RequestReader::read_contents(Cursor& cursor, const Place& place) {
  return read_each(cursor, place, &RequestReader::read_content);
}

// The role may stand behind the parts, which mean different things by it.
bool RequestReader::read_content(Cursor& cursor, const Place& place) {
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view key, role, parts;
  while (cursor.next_key(key)) {
    if (key == "role") {
      if (!read_plain(cursor, place.member("role"), role)) return false;
    } else if (key == "parts") {
      cursor.read_raw(parts);
    } else {
      cursor.skip();
    }
  }
  content_ = static_cast<uint32_t>(place.index);
  part_ = 0;
  if (role == "model") return read_parts(parts, place.member("parts"), Role::assistant);
  if (role.empty() || role == "user" || role == "function") {
    return read_parts(parts, place.member("parts"), Role::user);
  }
  return refuse_at(place.member("role"), "expected `user` or `model`");
}

bool RequestReader::read_parts(std::string_view parts, const Place& place, Role role) {
  if (!begin_turn(role)) return false;
  Cursor cursor(parts);
  const Handler handler =
      role == Role::user ? &RequestReader::read_user_part : &RequestReader::read_model_part;
  if (!parts.empty() && !read_each(cursor, place, handler)) return false;
  if (part_ == 0) return refuse_at(place, "expected at least one part");
  end_turn();
  return true;
}

bool RequestReader::begin_turn(Role role) {
  results_ = make<Message>(workspace_.arena);
  message_ = make<Message>(workspace_.arena);
  if (results_ == nullptr || message_ == nullptr) return no_memory();
  results_->role = Role::tool;
  message_->role = role;
  results_->index = message_->index = content_;
  if (role == Role::user) {
    user_spoke_ = true;
    thought_ = nullptr;
  } else if (user_spoke_) {
    user_spoke_ = false;
    calls_ = {};
  }
  return true;
}

// Results come first: they answer the turn before.
void RequestReader::end_turn() {
  if (!results_->parts.empty()) request_.messages.append(results_);
  if (!message_->parts.empty()) request_.messages.append(message_);
}

bool RequestReader::read_user_part(Cursor& cursor, const Place& place) {
  PartFields fields;
  if (!read_part(cursor, place, fields) || !take_user_part(fields, place)) return false;
  ++part_;
  return true;
}

bool RequestReader::read_model_part(Cursor& cursor, const Place& place) {
  PartFields fields;
  if (!read_part(cursor, place, fields) || !take_model_part(fields, place)) return false;
  ++part_;
  return true;
}

bool RequestReader::take_user_part(const PartFields& fields, const Place& place) {
  using Data = PartFields::Data;
  if (fields.several) {
    return refuse_at(place, "a part holds one kind of data only");
  }
  switch (fields.data) {
    case Data::text: return take_text(fields);
    case Data::blob: return take_blob(fields, place);
    case Data::result: return take_result(fields, place);
    case Data::foreign: return note_unknown(fields.data_name);
    case Data::call: return refuse_at(place, "a function is called by the role `model` only");
    case Data::none: break;
  }
  return refuse_at(place, "expected `text`, `inlineData`, `fileData` or `functionResponse`");
}

bool RequestReader::take_model_part(const PartFields& fields, const Place& place) {
  using Data = PartFields::Data;
  if (fields.several) {
    return refuse_at(place, "a part holds one kind of data only");
  }
  // A lone signature is a thought without a text.
  const bool signature_only = fields.data == Data::none && fields.signature.given();
  if (signature_only || (fields.data == Data::text && fields.thought)) return take_thought(fields);
  if (fields.data != Data::text || !fields.text.empty()) thought_ = nullptr;
  switch (fields.data) {
    case Data::text: return take_text(fields);
    case Data::blob: return take_blob(fields, place);
    case Data::call: return take_call(fields, place);
    case Data::foreign: return note_unknown(fields.data_name);
    case Data::result:
      return refuse_at(place, "a function's response is given by the role `user` only");
    case Data::none: break;
  }
  return refuse_at(place, "expected `text`, `functionCall`, `inlineData` or `fileData`");
}

Part* RequestReader::add_part(PartKind kind, Message* message) {
  Part* const part = make<Part>(workspace_.arena);
  if (part == nullptr) return nullptr;
  part->kind = kind;
  part->index = part_;
  message->parts.append(part);
  return part;
}

bool RequestReader::take_text(const PartFields& fields) {
  if (fields.text.empty()) return true;
  Part* const part = add_part(PartKind::text, message_);
  if (part == nullptr) return no_memory();
  part->text = fields.text;
  if (!fields.signature.given()) return true;
  const Signature signature = read_signature(workspace_.arena, fields.signature.bytes);
  part->signature = signature.text;
  part->signature_of = signature.maker;
  return true;
}

bool RequestReader::take_blob(const PartFields& fields, const Place& place) {
  Part* const part = add_part(PartKind::file, message_);
  return part != nullptr ? fill_blob(fields, place, *part) : no_memory();
}

// Clients keep a stream's chunks as they came, so one block of reasoning comes back in many parts,
// the last with its signature. Whoever signed it wants it back in one piece.
bool RequestReader::take_thought(const PartFields& fields) {
  Signature signature;
  if (fields.signature.given())
    signature = read_signature(workspace_.arena, fields.signature.bytes);
  if (signature.redacted) {
    Part* const part = add_part(PartKind::redacted_thinking, message_);
    if (part == nullptr) return no_memory();
    part->text = signature.text;
    part->signature_of = signature.maker;
    thought_ = nullptr;
    return true;
  }
  if (!add_thought_text(fields.text)) return false;
  if (!fields.signature.given()) return true;
  if (!thought_lost_) {
    thought_->signature = signature.text;
    thought_->signature_of = signature.maker;
  }
  thought_ = nullptr;
  return true;
}

bool RequestReader::add_thought_text(Raw text) {
  if (thought_ == nullptr) {
    thought_ = add_part(PartKind::thinking, message_);
    if (thought_ == nullptr) return no_memory();
    thought_->text = text;
    thought_copied_ = thought_lost_ = false;
    return true;
  }
  if (text.empty() || thought_lost_) return true;
  std::string_view whole = thought_copied_ ? thought_->text.bytes : std::string_view();
  // Longer than a block of the arena: what is left is unsigned, and nobody asks for it then.
  thought_lost_ = (!thought_copied_ && !workspace_.arena.append(whole, thought_->text.bytes)) ||
                  !workspace_.arena.append(whole, text.bytes);
  if (thought_lost_) return true;
  thought_copied_ = true;
  thought_->text.bytes = whole;
  return true;
}

// Named by its place, which stays the same as the conversation goes on.
bool RequestReader::make_id(std::string_view& id) {
  char text[40];
  const int size = std::snprintf(text, sizeof(text), "call_%u_%u", content_, part_);
  id = workspace_.arena.copy({text, static_cast<size_t>(size)});
  return id.data() != nullptr;
}

bool RequestReader::take_call(const PartFields& fields, const Place& place) {
  const Place at = place.member("functionCall");
  if (fields.name.empty()) {
    return refuse_at(at.member("name"), "a call needs the function's name");
  }
  if (calls_.count == calls_per_turn_max) {
    return refuse_at(at, "expected at most 1024 calls in one turn");
  }
  Part* const part = add_part(PartKind::tool_call, message_);
  Call* const call = make<Call>(workspace_.arena);
  if (part == nullptr || call == nullptr) return no_memory();
  call->id_given = !fields.id.empty();
  call->id = fields.id;
  call->name = fields.name;
  if (!call->id_given && !make_id(call->id)) return no_memory();
  calls_.append(call);
  part->id = call->id;
  part->name = fields.name;
  part->arguments = fields.object;
  if (!fields.signature.given()) return true;
  const Signature signature = read_signature(workspace_.arena, fields.signature.bytes);
  part->signature = signature.text;
  part->signature_of = signature.maker;
  return true;
}

// By its id, else the first that has the name and no answer. A call with an id and a response with
// another do not belong together.
RequestReader::Call* RequestReader::find_call(const PartFields& fields) {
  if (!fields.id.empty()) {
    for (Call* call = calls_.first; call != nullptr; call = call->next) {
      if (!call->answered && call->id == fields.id) return call;
    }
  }
  for (Call* call = calls_.first; call != nullptr; call = call->next) {
    const bool other_id = call->id_given && !fields.id.empty();
    if (!call->answered && !other_id && call->name == fields.name) return call;
  }
  return nullptr;
}

bool RequestReader::take_result(const PartFields& fields, const Place& place) {
  const Place at = place.member("functionResponse");
  Call* const call = find_call(fields);
  if (call == nullptr) {
    return refuse_at(at,
                     "no functionCall of the turn before waits for this response; its id, or its "
                     "name, must be that of a call");
  }
  call->answered = true;
  Part* const part = add_part(PartKind::tool_result, results_);
  if (part == nullptr) return no_memory();
  part->id = call->id;
  part->name = call->name;
  part->json = fields.object;
  part->is_error = has_error(fields.object.bytes);
  return take_result_parts(fields, at, *part);
}

// Pictures and files beside the object.
bool RequestReader::take_result_parts(const PartFields& fields, const Place& place, Part& result) {
  if (fields.parts.empty() || fields.parts == "null") return true;
  const Place list = place.member("parts");
  Cursor cursor(fields.parts);
  if (!cursor.enter_array()) return expected(list, "a list", cursor.peek());
  for (int64_t i = 0; cursor.next_element(); ++i) {
    const Place at = list.element(i);
    PartFields inner;
    if (!read_part(cursor, at, inner)) return false;
    if (inner.data != PartFields::Data::blob || inner.several) {
      return refuse_at(at, "expected `inlineData` or `fileData`");
    }
    Part* const part = make<Part>(workspace_.arena);
    if (part == nullptr) return no_memory();
    part->index = static_cast<uint32_t>(i);
    if (!fill_blob(inner, at, *part)) return false;
    result.content.append(part);
  }
  return true;
}

// Wherever it stands among the fields, it becomes the first message.
bool RequestReader::read_system(Cursor& cursor, const Place& place) {
  if (take_null(cursor)) return true;
  Message* const system = make<Message>(workspace_.arena);
  if (system == nullptr) return no_memory();
  system->role = Role::system;
  message_ = system;
  part_ = 0;
  if (cursor.peek() == '"') {
    PartFields fields;
    if (!read_text(cursor, place, fields.text) || !take_text(fields)) return false;
  } else {
    if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
    std::string_view key;
    while (cursor.next_key(key)) {
      if (key != "parts") {
        cursor.skip();
      } else if (!read_each(cursor, place.member("parts"), &RequestReader::read_system_part)) {
        return false;
      }
    }
  }
  if (system->parts.empty()) return true;
  Chain<Message>& messages = request_.messages;
  system->next = messages.first;
  messages.first = system;
  if (messages.last == nullptr) messages.last = system;
  ++messages.count;
  return true;
}

bool RequestReader::read_system_part(Cursor& cursor, const Place& place) {
  PartFields fields;
  if (!read_part(cursor, place, fields)) return false;
  if (fields.data != PartFields::Data::text || fields.several) {
    return refuse_at(place, "a system instruction is made of `text` only");
  }
  ++part_;
  return take_text(fields);
}

}  // namespace hyperion::dialect::gemini
