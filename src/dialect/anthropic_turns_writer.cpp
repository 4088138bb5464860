#include <cstdio>

#include "dialect/anthropic_writer.h"

namespace hyperion::dialect::anthropic {
namespace {

// Where a conversation does not begin with the user, as Anthropic's must.
constexpr std::string_view opening = ".";

}  // namespace

// Finds where the turns begin and end. System messages alone are what the user says: a conversation
// needs a turn.
bool RequestWriter::plan_turns() {
  const Message* message = request_.messages.first;
  while (message != nullptr && message->role == Role::system) message = message->next;
  first_turn_ = message != nullptr ? message : request_.messages.first;
  turns_end_ = nullptr;
  const Message* last_assistant = nullptr;  // where the last run of the assistant begins
  for (; message != nullptr; message = message->next) {
    if (message->role != Role::assistant) {
      last_assistant = nullptr;
    } else if (last_assistant == nullptr) {
      last_assistant = message;
    }
  }
  if (last_assistant == nullptr) return true;
  if (model_ == nullptr || model_->prefill) {
    for (message = last_assistant; message != nullptr; message = message->next) {
      for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
        if (is_written(*part)) last_text_ = part;
      }
    }
    return true;
  }
  turns_end_ = last_assistant;
  return notes_.cannot(Feature::prefill);
}

void RequestWriter::write_system() {
  const bool instructed =
      format_plan_ == FormatPlan::instructed || format_plan_ == FormatPlan::instructed_schema;
  bool any = false;
  auto begin = [&] {
    if (any) return;
    any = true;
    out_.key("system");
    out_.begin_array();
  };
  for (const Message* message = request_.messages.first; message != first_turn_;
       message = message->next) {
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (part->kind != PartKind::text || !is_written(*part)) continue;
      begin();
      write_text(*part, part->text.bytes);
    }
  }
  if (instructed) {
    begin();
    write_instruction(format_plan_ == FormatPlan::instructed_schema ? request_.schema.bytes
                                                                    : std::string_view());
  }
  if (any) out_.end_array();
}

bool RequestWriter::write_messages() {
  out_.key("messages");
  out_.begin_array();
  const Message* message = first_turn_;
  while (message != turns_end_) {
    message = message->role == Role::assistant ? write_assistant_turn(message)
                                               : write_user_turns(message);
    if (notes_.problem) return false;
  }
  if (turns_count_ == 0) {
    open_turn("user");
    write_text(Part{}, opening);
    close_turn();
    notes_.adjust("messages");
  }
  out_.end_array();
  return true;
}

// A turn is opened by its first block: there are no empty ones.
void RequestWriter::open_turn(std::string_view role) {
  if (turn_open_) return;
  if (turns_count_ == 0 && role != "user") {
    open_turn("user");
    write_text(Part{}, opening);
    close_turn();
    notes_.adjust("messages");
  }
  turn_open_ = true;
  ++turns_count_;
  out_.begin_object();
  out_.member("role", role);
  out_.key("content");
  out_.begin_array();
}

void RequestWriter::close_turn() {
  if (!turn_open_) return;
  turn_open_ = false;
  out_.end_array();
  out_.end_object();
}

// All messages of the assistant up to the next one that is not. Returns that.
const Message* RequestWriter::write_assistant_turn(const Message* first) {
  calls_.clear();
  const Message* message = first;
  for (; message != turns_end_ && message->role == Role::assistant; message = message->next) {
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (!is_written(*part)) continue;
      if (part->kind == PartKind::image || part->kind == PartKind::file ||
          part->kind == PartKind::audio || part->kind == PartKind::tool_result) {
        // Made by another vendor's model; Claude's turns hold none.
        notes_.drop("messages.content");
        continue;
      }
      if (part->kind == PartKind::tool_call && calls_.add(part->id) == CallSet::Added::full) {
        char param[64];
        std::snprintf(param, sizeof(param), "messages[%u]", message->index);
        refuse(notes_.problem, "invalid_request", param,
               "`%s`: at most 512 tool calls may stand in one turn.", param);
        return nullptr;
      }
      open_turn("assistant");
      if (!write_part(*part, *message)) return nullptr;
    }
    if (!message->name.empty()) notes_.cannot(Feature::message_name);
  }
  close_turn();
  return message;
}

// Everything up to the assistant's next message: first the results of its calls, then the rest as
// it came. A system message in between is one of its own where the model has that, else a text of
// the user's turn, so that nothing in front of it changes.
const Message* RequestWriter::write_user_turns(const Message* first) {
  const Message* end = first;
  while (end != turns_end_ && end->role != Role::assistant) end = end->next;
  if (!write_results(first, end)) return nullptr;
  calls_.clear();
  const bool has_system_turns = model_ != nullptr && model_->system_in_messages;
  for (const Message* message = first; message != end; message = message->next) {
    const bool as_system = message->role == Role::system && has_system_turns && turns_count_ > 0;
    if (as_system) close_turn();
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (!is_written(*part) || part->kind == PartKind::tool_result ||
          part->kind == PartKind::tool_call || part->kind == PartKind::thinking ||
          part->kind == PartKind::redacted_thinking)
        continue;
      open_turn(as_system ? "system" : "user");
      if (!write_part(*part, *message)) return nullptr;
    }
    if (as_system) close_turn();
    if (!message->name.empty()) notes_.cannot(Feature::message_name);
  }
  close_turn();
  return end;
}

bool RequestWriter::write_results(const Message* first, const Message* end) {
  for (const Message* message = first; message != end; message = message->next) {
    for (const Part* part = message->parts.first; part != nullptr; part = part->next) {
      if (part->kind != PartKind::tool_result) continue;
      if (calls_.answer(part->id) != CallSet::Answered::yes) {
        char param[64];
        std::snprintf(param, sizeof(param), "messages[%u]", message->index);
        return refuse(notes_.problem, "invalid_request", param,
                      "`%s`: expected the result of a tool call of the assistant's turn before, "
                      "and one result for each call.",
                      param);
      }
      open_turn("user");
      if (!write_part(*part, *message)) return false;
    }
  }
  return true;
}

}  // namespace hyperion::dialect::anthropic
