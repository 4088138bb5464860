// Reads the conf and the catalogue into one Config; used by load_text and load_file alone.
//
// loader.cpp walks the conf's document section by section, loader_catalog.cpp reads models,
// presets, providers and keys, checks.cpp looks at what single keys cannot show. Every step adds
// what it finds to `problems_` and goes on; only a text that is no TOML ends it early. `run` sorts
// the problems by place and hands out a Config only when there are none. One use each.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/document.h"
#include "config/keys.h"

namespace hyperion::config {

class Loader {
 public:
  Loader(const std::string& name, const Surroundings& surroundings)
      : name_(name), surroundings_(surroundings), config_(std::make_shared<Config>()) {}

  LoadOutcome run(std::string_view text);

 private:
  static constexpr uint16_t conf_file = 0;
  static constexpr uint16_t catalog_file = 1;
  static constexpr size_t problems_shown_max = 20;

  // Which keys an entry gave, and on which line.
  using Given = std::map<std::string, uint32_t, std::less<>>;

  void problem(uint16_t file, uint32_t line, std::string key, std::string message);
  void warning(uint32_t line, const std::string& key, const std::string& message);
  std::string place(uint16_t file, uint32_t line) const;
  std::string path_in_folder(const std::string& path) const;
  std::optional<std::string> environment(const std::string& name) const;
  std::optional<std::string> file_text(const std::string& path, Readers readers,
                                       std::string& reason) const;

  template <class Owner>
  bool read_key(std::span<const Key<Owner>> keys, Owner& owner, const Member& member, uint16_t file,
                const std::string& path);
  template <class Owner>
  Given read_table(const Value& table, uint16_t file, const std::string& path,
                   std::span<const Key<Owner>> keys, Owner& owner);
  void unknown_key(const Member& member, uint16_t file, const std::string& path,
                   const std::vector<std::string_view>& known);
  bool require(const Given& given, std::string_view key, uint16_t file, uint32_t line,
               const std::string& path);

  void read_document(const Value& document);
  void read_member(const Member& member);
  bool is_entry_list(const Member& member, uint16_t file, const std::string& path);
  void read_outage_list(const Member& member, const std::string& path,
                        std::vector<Outage>& outages);
  void read_aliases(const Value& table, const std::string& path,
                    std::vector<catalog::Placed<catalog::AliasDraft>>& list);
  void read_environments(const Member& member);

  void read_catalog();
  void read_catalog_document(const Value& document);
  void read_model(const Value& table, uint16_t file);
  catalog::Model* known_model(const Value& table);
  void read_preset(const Value& table);
  void check_capabilities(const Value& table, uint16_t file);
  void check_quality(const Value& table, uint16_t file);
  void take_authentication(const catalog::AuthenticationStyle& style, const Given& given,
                           catalog::Provider& provider);
  void read_provider(const Value& table);
  void finish_provider(ProviderDraft& draft, const Given& given, uint32_t line);
  void read_provider_keys(ProviderDraft& draft, const Given& given, uint32_t line);
  bool add_provider_key(catalog::Provider& provider, std::string_view source, uint32_t line,
                        std::string key, const std::string& name, uint32_t weight);
  void read_deployment(const Value& table);
  void read_virtual_key(const Value& table);
  void finish_virtual_keys();
  void finish_routing();
  void read_chain(const Value& table);
  void finish_chains();
  void read_weights();
  void read_calibrations();
  bool read_calibration(const Value& table, routing::Calibration& calibration, std::string& reason);
  void read_admin_token();
  void build_catalog();

  void resolve_paths();
  void check_settings();
  void check_server();
  void check_files();
  void check_memory();
  void check_admission();
  void check_timeouts();
  void check_contents();
  uint32_t line_of(const std::string& key) const;
  void setting_problem(const std::string& key, std::string message);

  std::string name_;
  std::string catalog_name_ = "the built-in catalogue";
  const Surroundings& surroundings_;
  std::shared_ptr<Config> config_;
  TopLevel top_level_;
  catalog::Draft draft_;
  std::map<std::string, ProviderDraft> presets_;
  std::map<std::string, uint32_t> conf_models_;
  std::vector<catalog::Placed<VirtualKey>> virtual_keys_;
  std::vector<catalog::Placed<resilience::DefaultChain>> chains_;
  std::map<std::string, uint32_t> setting_lines_;  // "server.listen" to its line
  std::vector<catalog::Problem> problems_;
  std::vector<std::string> warnings_;
};

template <class Owner>
bool Loader::read_key(std::span<const Key<Owner>> keys, Owner& owner, const Member& member,
                      uint16_t file, const std::string& path) {
  for (const Key<Owner>& key : keys) {
    if (key.name != member.key) continue;
    std::string message;
    const std::string full = path.empty() ? member.key : path + "." + member.key;
    const Slot slot = key.slot(owner);
    if (auto* const* outages = std::get_if<std::vector<Outage>*>(&slot)) {
      read_outage_list(member, full, **outages);
    } else if (!assign(slot, key.rule, member.value, message)) {
      problem(file, member.line, full, std::move(message));
    }
    return true;
  }
  return false;
}

template <class Owner>
Loader::Given Loader::read_table(const Value& table, uint16_t file, const std::string& path,
                                 std::span<const Key<Owner>> keys, Owner& owner) {
  Given given;
  std::vector<std::string_view> known;
  for (const Key<Owner>& key : keys) known.push_back(key.name);
  for (const Member& member : table.members) {
    given.emplace(member.key, member.line);
    if (!read_key(keys, owner, member, file, path)) unknown_key(member, file, path, known);
  }
  return given;
}

}  // namespace hyperion::config
