#include "json/body_scan.h"

#include <algorithm>
#include <string>
#include <vector>

#include "json/escapes.h"
#include "json/key_names.h"
#include "json/key_set.h"
#include "json/own_options.h"
#include "json/scan_errors.h"
#include "json/tokens.h"
#include "json/walker.h"

namespace hyperion::json {
namespace {

// Offsets are 32 bits wide, and simdjson's as well.
constexpr uint64_t body_size_supported_max_bytes = 0xFFFFFF00;

constexpr size_t key_name_size_max_bytes = 21;  // max_completion_tokens

// What lives from body to body.
struct Memory {
  TokenIndex index;
  std::string model;             // unescaped, if it had escapes
  std::vector<Mark> top_keys;    // all of them
  std::vector<Mark> extra_keys;  // of extra_body: those nobody here knows
  KeySet key_set;
};

// The other spelling of the same key; the key itself if it has only one.
Key other_spelling(Key key) {
  switch (key) {
    case Key::smart_routing: return Key::smart_routing_camel;
    case Key::smart_routing_camel: return Key::smart_routing;
    case Key::extra_body: return Key::extra_body_camel;
    case Key::extra_body_camel: return Key::extra_body;
    default: return key;
  }
}

// Where a key stands, for errors: the parts of its name.
struct Place {
  std::string_view prefix;
  std::string_view object;
  std::string_view name;
  bool operator==(const Place&) const = default;
};

bool has_escape(std::string_view raw) { return raw.find('\\') != std::string_view::npos; }

bool means(std::string_view raw, std::string_view name) {
  if (raw == name) return true;
  if (!has_escape(raw)) return false;
  char plain[key_name_size_max_bytes];
  const size_t size = unescape(raw, plain, sizeof(plain));
  return size <= sizeof(plain) && std::string_view(plain, size) == name;
}

// One reading of one body.
class BodyReader {
 public:
  BodyReader(std::string_view body, bool has_escapes, const Limits& limits, Memory& memory,
             Scan& scan, ScanError& error)
      : body_(body),
        has_escapes_(has_escapes),
        limits_(limits),
        memory_(memory),
        walker_(body, memory.index, limits),
        options_(body, walker_, scan.options, error),
        scan_(scan),
        error_(error) {}

  bool read();

 private:
  bool read_members(const Path& path, Members& members);
  bool read_known(Key key, const Path& path, const Members& members);
  bool read_value(Key key, const Path& path, std::string_view name);
  bool read_model(const Path& path, std::string_view name);
  bool read_stream(const Path& path, std::string_view name);
  bool read_stream_options(const Path& path, std::string_view name);
  bool read_extra_body(Key key);
  bool check_spelling(const Path& path, const Members& members);
  bool check_hoisted();
  bool settle_fallbacks();
  bool refuse_twice(uint32_t position, const Place& again, const Place& first);

  Field& field(Key key) { return scan_.fields[static_cast<size_t>(key)]; }
  std::string_view prefix_of(const Field& field) const;

  const std::string_view body_;
  const bool has_escapes_;
  const Limits& limits_;
  Memory& memory_;
  Walker walker_;
  OptionReader options_;
  Scan& scan_;
  ScanError& error_;
  std::string_view extra_prefix_;  // "extra_body." or "extraBody." once there is one
  uint32_t extra_begin_ = 0;       // of its value
  uint32_t extra_end_ = UINT32_MAX;
};

bool BodyReader::read() {
  memory_.top_keys.clear();
  memory_.extra_keys.clear();
  Members members;
  if (walker_.peek() != Kind::object) {
    const Kind kind = walker_.peek();
    const uint32_t position = walker_.position();
    if (walker_.pass_whole()) return refuse_type(error_, position, {"body"}, "an object", kind);
  } else if (walker_.enter_object(members) && read_members(Path{}, members) && walker_.at_end()) {
    return settle_fallbacks() && check_hoisted();
  }
  return walker_.failed() ? refuse_fault(error_, walker_.fault(), limits_) : false;
}

bool BodyReader::read_members(const Path& path, Members& members) {
  const bool at_top = path.body.empty();
  while (walker_.next_member(members)) {
    const Key key = find_key(members.key);
    if (at_top) memory_.top_keys.push_back(members.mark);
    if (key != Key::count) {
      if (!read_known(key, path, members)) return false;
      continue;
    }
    if (has_escapes_ && !check_spelling(path, members)) return false;
    if (!at_top) {
      ++scan_.extra_body_keys_foreign;
      memory_.extra_keys.push_back(members.mark);
    }
    if (!walker_.pass()) return false;
  }
  return !walker_.failed();
}

// A key nobody knows by its bytes: refused if it is one of ours all the same.
bool BodyReader::check_spelling(const Path& path, const Members& members) {
  if (!has_escape(members.key)) return true;
  char plain[key_name_size_max_bytes];
  const size_t size = unescape(members.key, plain, sizeof(plain));
  if (size > sizeof(plain)) return true;
  const Key key = find_key({plain, size});
  if (key == Key::count) return true;
  return refuse(error_, ErrorCode::duplicate_key, members.key_begin, {path.body, name_of(key)},
                {"this key spelled without escapes"});
}

bool BodyReader::read_known(Key key, const Path& path, const Members& members) {
  const bool at_top = path.body.empty();
  const bool is_extra_body = key == Key::extra_body || key == Key::extra_body_camel;
  if (is_extra_body && !at_top) {
    return refuse(error_, ErrorCode::duplicate_key, members.key_begin, {path.body, members.key},
                  {"no extra_body within extra_body"});
  }
  const Key first = field(key).present() ? key : other_spelling(key);
  if (field(first).present()) {
    return refuse_twice(members.key_begin, {path.body, {}, members.key},
                        {prefix_of(field(first)), {}, name_of(first)});
  }
  if (is_own(key)) {
    scan_.options.any = true;
  } else if (!at_top) {
    ++scan_.extra_body_keys_foreign;
  }
  const Mark mark = walker_.mark();
  if (!read_value(key, path, members.key)) return false;
  walker_.describe(mark, members, field(key));
  return true;
}

bool BodyReader::read_value(Key key, const Path& path, std::string_view name) {
  switch (key) {
    case Key::model: return read_model(path, name);
    case Key::stream: return read_stream(path, name);
    case Key::stream_options: return read_stream_options(path, name);
    case Key::hyperion: return options_.read_options(path, name);
    case Key::fallbacks:
    case Key::models: return options_.read_strings(path, name);
    case Key::smart_routing:
    case Key::smart_routing_camel:
      scan_.options.smart_routing_given = true;
      return options_.read_flag(path, name, scan_.options.smart_routing);
    case Key::extra_body:
    case Key::extra_body_camel: return read_extra_body(key);
    default: return walker_.pass();
  }
}

bool BodyReader::read_model(const Path& path, std::string_view name) {
  Value value;
  if (!walker_.pass(value)) return false;
  if (value.kind != Kind::string) {
    return refuse_type(error_, value.begin, {path.body, name}, "a string", value.kind);
  }
  scan_.model = body_.substr(value.begin + 1, value.end - value.begin - 2);
  if (has_escapes_ && has_escape(scan_.model)) {
    memory_.model.resize(scan_.model.size());
    memory_.model.resize(unescape(scan_.model, memory_.model.data(), memory_.model.size()));
    scan_.model = memory_.model;
  }
  return true;
}

bool BodyReader::read_stream(const Path& path, std::string_view name) {
  return walker_.peek() == Kind::null ? walker_.pass()
                                      : options_.read_flag(path, name, scan_.stream);
}

bool BodyReader::read_stream_options(const Path& path, std::string_view name) {
  if (walker_.peek() == Kind::null) return walker_.pass();
  constexpr std::string_view wanted = "include_usage";
  const Path inside{path.body, "stream_options.", {}};
  Members members;
  if (!options_.enter_object(path, name, members)) return false;
  bool seen = false;
  while (walker_.next_member(members)) {
    if (!means(members.key, wanted)) {
      if (!walker_.pass()) return false;
      continue;
    }
    if (seen || has_escape(members.key)) {
      return refuse(error_, ErrorCode::duplicate_key, members.key_begin,
                    {inside.body, inside.object, wanted},
                    {seen ? "it once, got it twice" : "this key spelled without escapes"});
    }
    seen = true;
    if (walker_.peek() == Kind::null ? !walker_.pass()
                                     : !options_.read_flag(inside, wanted, scan_.include_usage)) {
      return false;
    }
  }
  return !walker_.failed();
}

bool BodyReader::read_extra_body(Key key) {
  extra_begin_ = walker_.position();
  extra_prefix_ = key == Key::extra_body ? "extra_body." : "extraBody.";
  Members members;
  if (!options_.enter_object(Path{}, name_of(key), members)) return false;
  if (!read_members(Path{extra_prefix_, {}, {}}, members)) return false;
  extra_end_ = walker_.position();
  return true;
}

std::string_view BodyReader::prefix_of(const Field& field) const {
  const bool inside =
      !extra_prefix_.empty() && field.key_begin > extra_begin_ && field.key_begin < extra_end_;
  return inside ? extra_prefix_ : std::string_view();
}

bool BodyReader::refuse_twice(uint32_t position, const Place& again, const Place& first) {
  const Parts field = {again.prefix, again.object, again.name};
  if (again == first) {
    return refuse(error_, ErrorCode::duplicate_key, position, field, {"it once, got it twice"});
  }
  return refuse(error_, ErrorCode::duplicate_key, position, field,
                {"one of ", first.prefix, first.object, first.name, " and ", again.prefix,
                 again.object, again.name});
}

// Fallbacks may stand in three places; only one of them may be used.
bool BodyReader::settle_fallbacks() {
  const Field& hyperion = field(Key::hyperion);
  Place place = {prefix_of(hyperion), "hyperion.", "fallbacks"};
  Options& options = scan_.options;
  for (const Key key : {Key::fallbacks, Key::models}) {
    const Field& other = field(key);
    if (!other.present()) continue;
    const Place other_place = {prefix_of(other), {}, name_of(key)};
    if (options.fallbacks_given) return refuse_twice(other.key_begin, other_place, place);
    place = other_place;
    options.fallbacks = other;
    options.fallbacks_given = true;
    options.fallbacks_from_models = key == Key::models;
  }
  return true;
}

// The keys of a literal extra_body go to the top: they must be new there, and not too many.
bool BodyReader::check_hoisted() {
  if (scan_.extra_body_keys_foreign == 0) return true;
  const std::vector<Mark>& top = memory_.top_keys;
  if (top.size() + scan_.extra_body_keys_foreign > limits_.keys_per_object_max) {
    return refuse_fault(error_, {ErrorCode::too_many, extra_begin_, ""}, limits_);
  }
  memory_.key_set.reset(top.size());
  for (const Mark mark : top) memory_.key_set.insert(walker_.key_at(mark));
  for (const Mark mark : memory_.extra_keys) {
    const std::string_view key = walker_.key_at(mark);
    if (!memory_.key_set.contains(key)) continue;
    return refuse(error_, ErrorCode::duplicate_key, *mark, {extra_prefix_, key},
                  {"one place, got it at the top of the body too"});
  }
  return true;
}

}  // namespace

struct Scanner::Implementation {
  uint64_t body_size_max_bytes;
  Memory memory;
};

Scanner::Scanner(uint64_t body_size_max_bytes) : implementation_(new Implementation) {
  implementation_->body_size_max_bytes =
      std::min(body_size_max_bytes, body_size_supported_max_bytes);
}

Scanner::~Scanner() = default;

bool Scanner::scan(std::string_view body, const Limits& limits, Scan& result, ScanError& error) {
  Memory& memory = implementation_->memory;
  const uint64_t size_max = implementation_->body_size_max_bytes;
  result = {};
  error.code = ErrorCode::none;
  if (body.size() > size_max) {
    return refuse(error, ErrorCode::too_large, 0, {"body"},
                  {"at most ", std::to_string(size_max), " bytes"});
  }
  Fault fault;
  if (!memory.index.index(body, fault)) return refuse_fault(error, fault, limits);
  const EscapeCheck escapes = check_escapes(body);
  if (!escapes.well_formed) {
    fault = {ErrorCode::malformed_json, static_cast<uint32_t>(escapes.position),
             "an escape that JSON knows, a backslash escaped"};
    return refuse_fault(error, fault, limits);
  }
  return BodyReader(body, escapes.any, limits, memory, result, error).read();
}

Walker Scanner::walk_again(std::string_view body, const Limits& limits) const {
  return Walker(body, implementation_->memory.index, limits);
}

void Scanner::shrink() {
  Memory& memory = implementation_->memory;
  memory.index.shrink();
  memory.model = {};
  memory.top_keys = {};
  memory.extra_keys = {};
  memory.key_set.shrink();
}

}  // namespace hyperion::json
