#include "json/splice.h"

#include <algorithm>

#include "base/assert.h"

namespace hyperion::json {
namespace {

// A range of the body that is left out or, if `text` is not empty, replaced.
struct Cut {
  uint32_t begin = 0;
  uint32_t end = 0;
  std::string_view text;
};

// Every key of Hyperion's own once, two for the braces of extra_body, one for the model.
constexpr size_t cuts_max_count =
    static_cast<size_t>(Key::count) - static_cast<size_t>(Key::hyperion) + 3;
static_assert(cuts_max_count * 2 + 1 <= SplicePlan::pieces_max_count);

class Cuts {
 public:
  void add(const Cut& cut) {
    HYPERION_ASSERT(count_ < cuts_max_count);
    cuts_[count_++] = cut;
  }

  // Leaves out members of objects, so that what stays is still an object: commas go with them.
  // Neighbours are taken together, because the comma before the first may have to go with the last.
  void remove(Field* members, size_t count) {
    std::sort(members, members + count,
              [](const Field& a, const Field& b) { return a.key_begin < b.key_begin; });
    for (size_t first = 0, last = 0; first < count; first = ++last) {
      while (last + 1 < count && members[last].next_key == members[last + 1].key_begin) ++last;
      const bool at_end = members[last].next_key == 0;
      const bool comma_goes = at_end && members[first].comma_before != 0;
      add({comma_goes ? members[first].comma_before : members[first].key_begin,
           at_end ? members[last].value_end : members[last].next_key,
           {}});
    }
  }

  SplicePlan apply(std::string_view body) {
    std::sort(cuts_, cuts_ + count_, [](const Cut& a, const Cut& b) { return a.begin < b.begin; });
    SplicePlan plan;
    size_t from = 0;
    for (size_t i = 0; i < count_; ++i) {
      HYPERION_ASSERT(cuts_[i].begin >= from && cuts_[i].end <= body.size());
      put(plan, body.substr(from, cuts_[i].begin - from));
      put(plan, cuts_[i].text);
      from = cuts_[i].end;
    }
    put(plan, body.substr(from));
    return plan;
  }

 private:
  static void put(SplicePlan& plan, std::string_view piece) {
    if (piece.empty()) return;
    plan.pieces[plan.count++] = piece;
    plan.size_bytes += piece.size();
  }

  Cut cuts_[cuts_max_count];
  size_t count_ = 0;
};

bool contains(const Field& object, const Field& member) {
  return member.key_begin > object.value_begin && member.key_begin < object.value_end;
}

}  // namespace

SplicePlan plan_upstream_body(std::string_view body, const Scan& scan, std::string_view model_json,
                              bool keep_models) {
  const Key extra_key = scan[Key::extra_body].present() ? Key::extra_body : Key::extra_body_camel;
  const Field& extra = scan[extra_key];
  bool hoist = scan.extra_body_keys_foreign > 0;
  if (keep_models && scan[Key::models].present() && contains(extra, scan[Key::models]))
    hoist = true;

  Field removed[static_cast<size_t>(Key::count)];
  size_t count = 0;
  for (auto i = static_cast<size_t>(Key::hyperion); i < static_cast<size_t>(Key::count); ++i) {
    const auto key = static_cast<Key>(i);
    const Field& field = scan.fields[i];
    if (!field.present() || (key == Key::models && keep_models)) continue;
    if (key == extra_key ? hoist : !hoist && contains(extra, field)) continue;
    removed[count++] = field;
  }
  Cuts cuts;
  cuts.remove(removed, count);
  if (hoist) {
    cuts.add({extra.key_begin, extra.value_begin + 1, {}});
    cuts.add({extra.value_end - 1, extra.value_end, {}});
  }
  const Field& model = scan[Key::model];
  if (!model_json.empty() && model.present()) {
    cuts.add({model.value_begin, model.value_end, model_json});
  }
  return cuts.apply(body);
}

}  // namespace hyperion::json
