#include "dialect/gemini_embedding.h"

#include <bit>
#include <charconv>
#include <cstring>

#include "dialect/gemini.h"
#include "dialect/gemini_text.h"
#include "dialect/text.h"
#include "json/cursor.h"
#include "json/key_names.h"
#include "json/validate.h"

namespace hyperion::dialect::gemini {
namespace {

using json::Cursor;

// What one call of batchEmbedContents takes (ai.google.dev/api/embeddings).
constexpr uint32_t inputs_max = 100;

struct Fields {
  std::string_view input;  // JSON
  int64_t dimensions = -1;
  bool base64 = false;
};

bool read_fields(Cursor& cursor, Fields& fields, Notes& notes) {
  RequestProblem& problem = notes.problem;
  std::string_view key;
  while (cursor.next_key(key)) {
    const char next = cursor.peek();
    if (key == "input") {
      cursor.read_raw(fields.input);
    } else if (next == 'n') {
      cursor.skip();
    } else if (key == "dimensions") {
      if (!cursor.read_integer(fields.dimensions) || fields.dimensions < 1) {
        return refuse(problem, "invalid_request", key,
                      "`dimensions`: expected an integer above 0.");
      }
    } else if (key == "encoding_format") {
      std::string_view format;
      if (next == '"') cursor.read_string(format);
      fields.base64 = format == "base64";
      if (!fields.base64 && format != "float") {
        return refuse(problem, "invalid_request", key,
                      "`encoding_format`: expected \"float\" or \"base64\".");
      }
    } else if (key == "user") {
      cursor.skip();
      notes.cannot(Feature::user);
    } else if ((key == "extra_body" || key == "extraBody") && cursor.enter_object()) {
      if (!read_fields(cursor, fields, notes)) return false;
    } else {
      cursor.skip();
      const json::Key known = json::find_key(key);
      const bool own = known != json::Key::count && json::is_own(known);
      if (!own && key != "model") notes.drop(key);
    }
  }
  return true;
}

class BatchWriter {
 public:
  BatchWriter(const Fields& fields, std::string_view model, json::Output& out,
              RequestProblem& problem)
      : fields_(fields), model_(model), out_(out), problem_(problem) {}

  bool write(uint32_t& count);

 private:
  bool write_text(Cursor& cursor);

  const Fields& fields_;
  std::string_view model_;
  json::Output& out_;
  RequestProblem& problem_;
};

bool BatchWriter::write(uint32_t& count) {
  Cursor cursor(fields_.input);
  count = 0;
  if (!cursor.enter_array()) {
    count = 1;
    return write_text(cursor);
  }
  while (cursor.next_element()) {
    if (count == inputs_max) {
      return refuse(problem_, "invalid_request", "input",
                    "`input`: expected at most %u texts for a model of this provider.", inputs_max);
    }
    ++count;
    if (!write_text(cursor)) return false;
  }
  return count > 0 || refuse(problem_, "invalid_request", "input",
                             "`input`: expected a text or a list of at least one text.");
}

bool BatchWriter::write_text(Cursor& cursor) {
  std::string_view text;
  const char next = cursor.peek();
  if (next == '"') {
    cursor.read_string(text);
  } else if (next == '[' || next == '-' || (next >= '0' && next <= '9')) {
    return refuse(problem_, "unsupported_parameter", "input",
                  "`input`: token numbers are of OpenAI's tokeniser, which this provider does not "
                  "use. Send the text.");
  } else {
    return refuse(problem_, "invalid_request", "input",
                  "`input`: expected a text or a list of texts.");
  }
  if (text.empty()) {
    return refuse(problem_, "invalid_request", "input", "`input`: a text must not be empty.");
  }
  out_.begin_object();
  out_.key("model");
  out_.open_string();
  add_model_name(out_, model_);
  out_.close_string();
  out_.key("content");
  out_.begin_object();
  out_.key("parts");
  out_.begin_array();
  out_.begin_object();
  out_.member_raw("text", text);
  out_.end_object();
  out_.end_array();
  out_.end_object();
  if (fields_.dimensions > 0) out_.member("outputDimensionality", fields_.dimensions);
  out_.end_object();
  return true;
}

// A number of the answer as float32; false when it is none that float32 can hold.
bool read_float(Cursor& cursor, std::string_view& raw, float& value) {
  const char next = cursor.peek();
  if (next != '-' && (next < '0' || next > '9')) return false;
  if (!cursor.read_raw(raw)) return false;
  const auto [end, failure] = std::from_chars(raw.data(), raw.data() + raw.size(), value);
  if (end != raw.data() + raw.size()) return false;
  // Too small to be told from zero is zero.
  if (failure == std::errc::result_out_of_range && raw.find("e-") != std::string_view::npos) {
    value = 0;
    return true;
  }
  return failure == std::errc();
}

class AnswerWriter {
 public:
  AnswerWriter(const EmbeddingForm& form, json::Output& out) : form_(form), out_(out) {}

  bool write(Cursor& cursor, std::string_view model, Usage& usage);

 private:
  bool write_embedding(Cursor& cursor);
  bool write_values(Cursor& cursor);
  bool write_base64(Cursor& cursor);
  bool write_numbers(Cursor& cursor);

  const EmbeddingForm& form_;
  json::Output& out_;
  uint32_t count_ = 0;
};

bool AnswerWriter::write_numbers(Cursor& cursor) {
  out_.begin_array();
  while (cursor.next_element()) {
    std::string_view raw;
    float value = 0;
    if (!read_float(cursor, raw, value)) return false;
    out_.value(raw);
  }
  out_.end_array();
  return true;
}

// Three floats are twelve bytes, which are sixteen letters.
bool AnswerWriter::write_base64(Cursor& cursor) {
  constexpr size_t group_size_bytes = 12;
  unsigned char group[group_size_bytes];
  size_t size = 0;
  out_.open_string();
  const auto flush = [&] {
    char letters[16];
    out_.add_raw({letters, encode_base64({reinterpret_cast<char*>(group), size}, letters)});
    size = 0;
  };
  while (cursor.next_element()) {
    std::string_view raw;
    float value = 0;
    if (!read_float(cursor, raw, value)) return false;
    const auto bits = std::bit_cast<uint32_t>(value);
    for (int shift = 0; shift < 32; shift += 8) {
      group[size++] = static_cast<unsigned char>(bits >> shift);
    }
    if (size == group_size_bytes) flush();
  }
  if (size > 0) flush();
  out_.close_string();
  return true;
}

bool AnswerWriter::write_values(Cursor& cursor) {
  if (!cursor.enter_array()) return false;
  out_.begin_object();
  out_.member("object", "embedding");
  out_.member("index", int64_t{count_++});
  out_.key("embedding");
  if (form_.base64 ? !write_base64(cursor) : !write_numbers(cursor)) return false;
  out_.end_object();
  return true;
}

bool AnswerWriter::write_embedding(Cursor& cursor) {
  std::string_view key;
  bool found = false;
  if (!cursor.enter_object()) return false;
  while (cursor.next_key(key)) {
    if (key != "values") {
      cursor.skip();
    } else if (found || !write_values(cursor)) {
      return false;
    } else {
      found = true;
    }
  }
  return found;
}

bool AnswerWriter::write(Cursor& cursor, std::string_view model, Usage& usage) {
  if (!cursor.enter_object()) return false;
  out_.begin_object();
  out_.member("object", "list");
  bool found = false;
  std::string_view key;
  while (cursor.next_key(key)) {
    if (key == "embeddings" && !found && cursor.enter_array()) {
      found = true;
      out_.key("data");
      out_.begin_array();
      while (cursor.next_element()) {
        if (!write_embedding(cursor)) return false;
      }
      out_.end_array();
    } else if (key == "usageMetadata") {
      read_usage(cursor, usage);
    } else {
      cursor.skip();
    }
  }
  if (!found || count_ != form_.inputs) return false;
  const int64_t tokens = usage.prompt_tokens > 0 ? usage.prompt_tokens : 0;
  out_.member("model", model);
  out_.key("usage");
  out_.begin_object();
  out_.member("prompt_tokens", tokens);
  out_.member("total_tokens", tokens);
  out_.end_object();
  out_.end_object();
  return !out_.failed();
}

}  // namespace

bool encode_embeddings(std::string_view body, const Target& target, json::Output& out,
                       EmbeddingForm& form, Notes& notes) {
  if (target.provider.vertex) {
    return refuse(notes.problem, "unsupported_parameter", "model",
                  "Embeddings of Vertex AI are not translated; use the Gemini API.");
  }
  Fields fields;
  Cursor cursor(body);
  if (!cursor.enter_object()) {
    return refuse(notes.problem, "invalid_request", "", "The body must be an object.");
  }
  if (!read_fields(cursor, fields, notes)) return false;
  out.begin_object();
  out.key("requests");
  out.begin_array();
  BatchWriter writer(fields, target.upstream_model, out, notes.problem);
  if (!writer.write(form.inputs)) return false;
  out.end_array();
  out.end_object();
  form.base64 = fields.base64;
  return !out.failed();
}

bool write_embeddings(std::string_view answer, const EmbeddingForm& form, std::string_view model,
                      json::Output& out, Usage& usage) {
  const size_t begin = out.text().size();
  Cursor cursor(answer);
  Usage said;
  if (json::is_valid(answer) && AnswerWriter(form, out).write(cursor, model, said)) {
    usage = said;
    return true;
  }
  out.buffer().shorten(out.text().size() - begin);
  return false;
}

}  // namespace hyperion::dialect::gemini
