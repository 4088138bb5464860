// The settings of a Google client's request: generationConfig, tools, toolConfig.

#include "dialect/gemini_reader.h"

namespace hyperion::dialect::gemini {
namespace {

// Both are Gemini's own bounds.
constexpr int64_t candidates_max = 8;
constexpr int64_t logprobs_max = 20;

constexpr int64_t tokens_int32_max = INT32_MAX;

// Enumerations are written in capitals; Google's servers take small letters too.
bool is_word(std::string_view given, std::string_view word) {
  if (given.size() != word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    const char c = given[i];
    if ((c >= 'a' && c <= 'z' ? static_cast<char>(c & ~0x20) : c) != word[i]) return false;
  }
  return true;
}

struct LevelRow {
  std::string_view level;
  catalog::Effort effort;
};
constexpr LevelRow levels[] = {
    {"MINIMAL", catalog::Effort::minimal}, {"LOW", catalog::Effort::low},
    {"MEDIUM", catalog::Effort::medium},   {"HIGH", catalog::Effort::high},
    {"XHIGH", catalog::Effort::xhigh},
};

}  // namespace

bool RequestReader::read_generation_config(Cursor& cursor, const Place& place) {
  static constexpr FieldRow rows[] = {
      {"temperature", &RequestReader::number_field<&Request::temperature>},
      {"topP", &RequestReader::number_field<&Request::top_p>},
      {"topK", &RequestReader::read_top_k},
      {"seed", &RequestReader::number_field<&Request::seed>},
      {"presencePenalty", &RequestReader::number_field<&Request::presence_penalty>},
      {"frequencyPenalty", &RequestReader::number_field<&Request::frequency_penalty>},
      {"candidateCount", &RequestReader::read_candidate_count},
      {"maxOutputTokens", &RequestReader::read_output_tokens},
      {"stopSequences", &RequestReader::read_stop_sequences},
      {"responseMimeType", &RequestReader::read_mime_type},
      {"responseSchema", &RequestReader::read_response_schema},
      {"responseJsonSchema", &RequestReader::read_response_json_schema},
      {"_responseJsonSchema", &RequestReader::read_response_json_schema},
      {"responseLogprobs", &RequestReader::read_response_logprobs},
      {"logprobs", &RequestReader::read_logprobs},
      {"responseModalities", &RequestReader::read_modalities},
      {"thinkingConfig", &RequestReader::read_thinking_config},
  };
  return read_members(cursor, place, rows) && settle_format(place);
}

bool RequestReader::settle_format(const Place& place) {
  const bool json = mime_type_ == "application/json";
  if (request_.schema.given()) {
    if (!json && !mime_type_.empty()) {
      return refuse_at(place.member("responseMimeType"),
                       "with a schema only `application/json` is possible");
    }
    request_.format = Format::json_schema;
    request_.schema_name = "response";
  } else if (json) {
    request_.format = Format::json_object;
  } else if (!mime_type_.empty() && mime_type_ != "text/plain") {
    return refuse_unsupported(
        place.member("responseMimeType"),
        "another provider answers in `text/plain` or `application/json` only");
  }
  return true;
}

bool RequestReader::read_candidate_count(Cursor& cursor, const Place& place) {
  return read_integer(cursor, place, 1, candidates_max, request_.n);
}

bool RequestReader::read_output_tokens(Cursor& cursor, const Place& place) {
  return read_integer(cursor, place, 1, tokens_int32_max, request_.output_tokens_max);
}

// A float at Google, an integer elsewhere: 40.0 is 40.
bool RequestReader::read_top_k(Cursor& cursor, const Place& place) {
  if (!read_number(cursor, place, request_.top_k)) return false;
  if (request_.top_k.bytes.ends_with(".0")) request_.top_k.bytes.remove_suffix(2);
  return true;
}

bool RequestReader::read_stop_sequences(Cursor& cursor, const Place& place) {
  return read_each(cursor, place, &RequestReader::read_stop_sequence);
}

bool RequestReader::read_stop_sequence(Cursor& cursor, const Place& place) {
  Word* const word = make<Word>(workspace_.arena);
  if (word == nullptr) return no_memory();
  if (!read_text(cursor, place, word->raw)) return false;
  if (!word->raw.empty()) request_.stop.append(word);
  return true;
}

bool RequestReader::read_mime_type(Cursor& cursor, const Place& place) {
  return read_plain(cursor, place, mime_type_);
}

bool RequestReader::read_response_schema(Cursor& cursor, const Place& place) {
  return read_schema(cursor, place, true, request_.schema);
}

bool RequestReader::read_response_json_schema(Cursor& cursor, const Place& place) {
  return read_schema(cursor, place, false, request_.schema);
}

bool RequestReader::read_response_logprobs(Cursor& cursor, const Place& place) {
  Flag flag = Flag::unset;
  if (!read_flag(cursor, place, flag)) return false;
  request_.logprobs = flag == Flag::yes;
  return true;
}

bool RequestReader::read_logprobs(Cursor& cursor, const Place& place) {
  return read_integer(cursor, place, 0, logprobs_max, request_.top_logprobs);
}

bool RequestReader::read_modalities(Cursor& cursor, const Place& place) {
  return read_each(cursor, place, &RequestReader::read_modality);
}

bool RequestReader::read_modality(Cursor& cursor, const Place& place) {
  std::string_view modality;
  if (!read_plain(cursor, place, modality)) return false;
  if (is_word(modality, "AUDIO")) {
    request_.audio_wanted = true;
  } else if (!is_word(modality, "TEXT") && !is_word(modality, "MODALITY_UNSPECIFIED")) {
    return refuse_unsupported(place, "another provider answers in `TEXT` or `AUDIO` only");
  }
  return true;
}

bool RequestReader::read_thinking_config(Cursor& cursor, const Place& place) {
  static constexpr FieldRow rows[] = {
      {"includeThoughts", &RequestReader::read_include_thoughts},
      {"thinkingBudget", &RequestReader::read_thinking_budget},
      {"thinkingLevel", &RequestReader::read_thinking_level},
  };
  if (!read_members(cursor, place, rows)) return false;
  if (request_.effort_given && request_.thinking_budget_tokens != -1) {
    return refuse_at(place, "give `thinkingBudget` or `thinkingLevel`, not both");
  }
  return true;
}

bool RequestReader::read_include_thoughts(Cursor& cursor, const Place& place) {
  return read_flag(cursor, place, request_.thinking_shown);
}

// -1 leaves it to the model.
bool RequestReader::read_thinking_budget(Cursor& cursor, const Place& place) {
  constexpr int64_t not_given = -2;
  int64_t budget = not_given;
  if (!read_integer(cursor, place, -1, tokens_int32_max, budget)) return false;
  if (budget != not_given) request_.thinking_budget_tokens = budget == -1 ? -2 : budget;
  return true;
}

bool RequestReader::read_thinking_level(Cursor& cursor, const Place& place) {
  std::string_view level;
  if (!read_plain(cursor, place, level)) return false;
  if (level.empty() || is_word(level, "THINKING_LEVEL_UNSPECIFIED")) return true;
  for (const LevelRow& row : levels) {
    if (!is_word(level, row.level)) continue;
    request_.effort_given = true;
    request_.effort = row.effort;
    return true;
  }
  return refuse_at(place, "expected `MINIMAL`, `LOW`, `MEDIUM`, `HIGH` or `XHIGH`");
}

bool RequestReader::read_tools(Cursor& cursor, const Place& place) {
  return read_each(cursor, place, &RequestReader::read_tool);
}

// One object holds many declarations, and may hold tools that Google runs beside them.
bool RequestReader::read_tool(Cursor& cursor, const Place& place) {
  const Cursor whole = cursor;
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    if (is_named(key, "functionDeclarations")) {
      const Place list = place.member("functionDeclarations");
      if (!read_each(cursor, list, &RequestReader::read_declaration)) return false;
      continue;
    }
    if (take_null(cursor)) continue;
    cursor.skip();
    Tool* const tool = make<Tool>(workspace_.arena);
    if (tool == nullptr) return no_memory();
    tool->kind = Tool::Kind::server;
    tool->index = request_.tools.count;
    tool->name = key;
    Cursor again = whole;
    again.read_raw(tool->definition.bytes);
    request_.tools.append(tool);
  }
  return true;
}

bool RequestReader::read_declaration(Cursor& cursor, const Place& place) {
  Tool* const tool = make<Tool>(workspace_.arena);
  if (tool == nullptr) return no_memory();
  tool->index = request_.tools.count;
  if (!cursor.enter_object()) return expected(place, "an object", cursor.peek());
  std::string_view key;
  while (cursor.next_key(key)) {
    bool read = true;
    if (key == "name") {
      read = read_plain(cursor, place.member("name"), tool->name);
    } else if (key == "description") {
      read = read_text(cursor, place.member("description"), tool->description);
    } else if (key == "parameters") {
      read = read_schema(cursor, place.member("parameters"), true, tool->schema);
    } else if (is_named(key, "parametersJsonSchema")) {
      read = read_schema(cursor, place.member("parametersJsonSchema"), false, tool->schema);
    } else {
      cursor.skip();
    }
    if (!read) return false;
  }
  if (tool->name.empty()) {
    return refuse_at(place.member("name"), "a function needs a name");
  }
  request_.tools.append(tool);
  return true;
}

bool RequestReader::read_tool_config(Cursor& cursor, const Place& place) {
  static constexpr FieldRow rows[] = {
      {"functionCallingConfig", &RequestReader::read_calling_config},
  };
  return read_members(cursor, place, rows);
}

bool RequestReader::read_calling_config(Cursor& cursor, const Place& place) {
  static constexpr FieldRow rows[] = {
      {"mode", &RequestReader::read_calling_mode},
      {"allowedFunctionNames", &RequestReader::read_allowed_names},
  };
  return read_members(cursor, place, rows);
}

bool RequestReader::read_calling_mode(Cursor& cursor, const Place& place) {
  std::string_view mode;
  if (!read_plain(cursor, place, mode)) return false;
  if (mode.empty() || is_word(mode, "MODE_UNSPECIFIED")) return true;
  for (std::string_view known : {"AUTO", "ANY", "NONE", "VALIDATED"}) {
    if (!is_word(mode, known)) continue;
    calling_mode_ = known;
    return true;
  }
  return refuse_at(place, "expected `AUTO`, `ANY`, `NONE` or `VALIDATED`");
}

bool RequestReader::read_allowed_names(Cursor& cursor, const Place& place) {
  return read_each(cursor, place, &RequestReader::read_allowed_name);
}

bool RequestReader::read_allowed_name(Cursor& cursor, const Place& place) {
  Word* const word = make<Word>(workspace_.arena);
  if (word == nullptr) return no_memory();
  if (!read_plain(cursor, place, word->plain)) return false;
  if (!word->plain.empty()) request_.allowed_tools.append(word);
  return true;
}

// Known once everything was read, whatever the order of the fields.
void RequestReader::settle_tool_choice() {
  Chain<Word>& allowed = request_.allowed_tools;
  if (request_.tools.empty() || calling_mode_ == "NONE") {
    if (!request_.tools.empty()) request_.tool_choice = ToolChoice::none;
    allowed = {};
  } else if (calling_mode_ == "ANY") {
    request_.tool_choice = allowed.count == 1 ? ToolChoice::named : ToolChoice::required;
    if (allowed.count == 1) {
      request_.tool_choice_name = allowed.first->plain;
      allowed = {};
    }
  } else if (!calling_mode_.empty() || !allowed.empty()) {
    request_.tool_choice = ToolChoice::automatic;
  }
}

}  // namespace hyperion::dialect::gemini
