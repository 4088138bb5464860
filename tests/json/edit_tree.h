// The edit of a body on its way upstream, done on the tree: what a splice plan must amount to.
//
// Shared by the property tests and the fuzz target. Knows the rules of the contract, section 2, and
// nothing of how the plan goes about them.
#pragma once

#include <string>
#include <string_view>

#include "support/json_reader.h"

namespace hyperion::test {

inline bool is_own_key(std::string_view key) {
  for (const char* own : {"hyperion", "smart_routing", "smartRouting", "fallbacks", "models",
                          "extra_body", "extraBody"}) {
    if (key == own) return true;
  }
  return false;
}

// `model`: the new name, empty to keep the old one.
inline Json edit_tree(const Json& body, const std::string& model, bool keep_models) {
  Json out;
  out.kind = Json::Kind::object;
  auto keep = [&](const std::string& key, const Json& value) {
    if (is_own_key(key) && !(keep_models && key == "models")) return;
    out.members.push_back({key, value});
    if (key == "model" && !model.empty()) out.members.back().value.text = model;
  };
  for (const auto& [key, value] : body.members) {
    if (key == "extra_body" || key == "extraBody") {
      for (const auto& [inner_key, inner] : value.members) keep(inner_key, inner);
    } else {
      keep(key, value);
    }
  }
  return out;
}

}  // namespace hyperion::test
