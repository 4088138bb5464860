#include "simulator/models.h"

namespace hyperion::simulator {

Models::Models(const catalog::Catalog& catalog) {
  for (const catalog::Model& model : catalog.models()) {
    if (model.status == catalog::Status::retired) continue;
    all_.push_back(&model);
    by_name_[model.id] = &model;
  }
  for (const catalog::Model* model : all_) {
    for (const std::string& alias : model->aliases) by_name_.emplace(alias, model);
    if (model->moving_name.empty()) continue;
    auto [entry, added] = by_name_.emplace(model->moving_name, model);
    const catalog::Model& known = *entry->second;
    const bool same_line = known.moving_name == model->moving_name;
    if (!added && same_line && known.released < model->released) entry->second = model;
  }
}

const catalog::Model* Models::find(std::string_view name) const {
  const auto entry = by_name_.find(name);
  return entry != by_name_.end() ? entry->second : nullptr;
}

}  // namespace hyperion::simulator
