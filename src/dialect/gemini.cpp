#include "dialect/gemini.h"

#include "json/cursor.h"

namespace hyperion::dialect::gemini {
namespace {

constexpr std::string_view models_prefix = "models/";
constexpr std::string_view tuned_prefix = "tunedModels/";

// Into a fixed buffer; remembers that something did not fit.
class PathWriter {
 public:
  PathWriter(char* out, size_t capacity) : out_(out), capacity_(capacity) {}

  void add(std::string_view text) {
    for (char c : text) put(c);
  }
  // One segment: whatever is not plain is percent-encoded (RFC 3986), '/' as well, so that a name
  // stays a name.
  void add_segment(std::string_view name) {
    constexpr char digits[] = "0123456789ABCDEF";
    for (char c : name) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (letter || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '@') {
        put(c);
        continue;
      }
      put('%');
      put(digits[static_cast<unsigned char>(c) >> 4]);
      put(digits[static_cast<unsigned char>(c) & 15]);
    }
  }
  size_t size() const { return size_ <= capacity_ ? size_ : 0; }

 private:
  void put(char c) {
    if (size_ < capacity_) out_[size_] = c;
    ++size_;
  }

  char* out_;
  size_t capacity_;
  size_t size_ = 0;
};

}  // namespace

size_t write_action_path(std::string_view model, std::string_view action, char* out,
                         size_t capacity) {
  PathWriter path(out, capacity);
  path.add("/");
  const bool tuned = model.starts_with(tuned_prefix);
  path.add(tuned ? tuned_prefix : models_prefix);
  if (tuned) model.remove_prefix(tuned_prefix.size());
  if (model.starts_with(models_prefix)) model.remove_prefix(models_prefix.size());
  path.add_segment(model);
  path.add(action);
  return path.size();
}

size_t write_path(std::string_view model, bool stream, char* out, size_t capacity) {
  return write_action_path(model, stream ? ":streamGenerateContent?alt=sse" : ":generateContent",
                           out, capacity);
}

void add_model_name(json::Output& out, std::string_view model) {
  if (!model.starts_with(models_prefix) && !model.starts_with(tuned_prefix)) {
    out.add_raw(models_prefix);
  }
  out.add_plain(model);
}

int64_t read_total_tokens(std::string_view body) {
  int64_t total = -1;
  json::Cursor cursor(body);
  std::string_view key;
  if (!cursor.enter_object()) return -1;
  while (cursor.next_key(key)) {
    if (key == "totalTokens") {
      cursor.read_integer(total);
    } else {
      cursor.skip();
    }
  }
  return cursor.failed() || total < 0 ? -1 : total;
}

const Language& language() {
  static constexpr Language gemini = {
      .wire = Wire::gemini,
      .decode_request = decode_request,
      .encode_request = encode_request,
      .make_decoder = make_decoder,
      .make_encoder = make_encoder,
      .observe_event = observe_event,
      .observe_answer = observe_answer,
      .write_path = write_path,
  };
  return gemini;
}

}  // namespace hyperion::dialect::gemini
