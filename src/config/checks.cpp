// What a single key cannot show: settings that do not go together, files that are not there.
#include <set>

#include "base/block_pool.h"
#include "config/loader.h"

namespace hyperion::config {
namespace {

bool is_stream(const std::string& target) {
  return target == "stderr" || target == "stdout" || target == "off";
}

}  // namespace

uint32_t Loader::line_of(const std::string& key) const {
  const auto found = setting_lines_.find(key);
  if (found != setting_lines_.end()) return found->second;
  const size_t dot = key.find('.');
  return dot == std::string::npos ? 0 : line_of(key.substr(0, dot));
}

void Loader::setting_problem(const std::string& key, std::string message) {
  problem(conf_file, line_of(key), key, std::move(message));
}

// Paths in the conf are relative to its folder.
void Loader::resolve_paths() {
  Settings& settings = config_->settings;
  for (std::string* path : {&settings.tls.certificate_file, &settings.tls.key_file,
                            &settings.tls.ca_file, &settings.admin.token_file}) {
    *path = path_in_folder(*path);
  }
  if (!is_stream(settings.log.target)) settings.log.target = path_in_folder(settings.log.target);
}

void Loader::check_settings() {
  check_server();
  check_files();
  check_memory();
  check_admission();
  check_timeouts();
  const Settings& settings = config_->settings;
  if (settings.http.target_size_max_bytes > settings.http.head_size_max_bytes) {
    setting_problem("limits.target_size_max_bytes",
                    "expected at most limits.head_size_max_bytes, which is " +
                        std::to_string(settings.http.head_size_max_bytes));
  }
  if (settings.simulator.fault_percent > 0 && settings.simulator.fault.empty()) {
    setting_problem("simulator.fault_percent", "needs simulator.fault to say which fault");
  }
  const auto& origins = settings.cors.allowed_origins;
  for (const std::string& origin : origins) {
    if (origin == "*" && origins.size() > 1) {
      setting_problem("cors.allowed_origins", "expected \"*\" alone or a list of origins");
    }
  }
}

void Loader::check_server() {
  const Settings& settings = config_->settings;
  if (settings.server.listen.empty() && settings.tls.listen.empty()) {
    setting_problem("server.listen", "expected at least one address here or in tls.listen");
  }
  if (!settings.server.cores.empty() && settings.server.shards > settings.server.cores.size()) {
    setting_problem("server.shards", "expected at most one for each core of server.cores");
  }
  std::set<std::string> seen;
  const auto add = [&](const io::Address& address, const std::string& key) {
    const bool any_port = address.storage.ss_family != AF_UNIX && address.port() == 0;
    if (address.size == 0 || any_port || seen.insert(address.text()).second) return;
    setting_problem(key, address.text() + " is there twice");
  };
  for (const auto& address : settings.server.listen) add(address, "server.listen");
  for (const auto& address : settings.tls.listen) add(address, "tls.listen");
  add(settings.admin.listen, "admin.listen");
  if (settings.simulator.listen.size == 0) {
    setting_problem("simulator.listen", "expected an address");
  }
}

void Loader::check_files() {
  const TlsSettings& tls = config_->settings.tls;
  const bool certificate = !tls.certificate_file.empty(), key = !tls.key_file.empty();
  if (!tls.listen.empty() && !certificate) {
    setting_problem("tls.listen", "needs tls.certificate_file and tls.key_file");
  }
  if (certificate != key) {
    setting_problem(certificate ? "tls.certificate_file" : "tls.key_file",
                    "expected certificate_file and key_file together");
  }
  if (tls.listen.empty() && certificate) {
    setting_problem("tls.certificate_file", "is of no use: tls.listen has no address");
  }
  const auto check = [&](const std::string& path, Readers readers, const std::string& name) {
    std::string reason;
    if (path.empty()) return;
    std::optional<std::string> text = file_text(path, readers, reason);
    if (!text) return setting_problem(name, reason);
    wipe_memory(text->data(), text->size());
  };
  check(tls.certificate_file, Readers::anybody, "tls.certificate_file");
  check(tls.key_file, Readers::not_the_world, "tls.key_file");
  check(tls.ca_file, Readers::anybody, "tls.ca_file");
}

void Loader::check_memory() {
  const Settings& settings = config_->settings;
  const MemorySettings& memory = settings.memory;
  if (memory.bodies_per_shard_max_bytes < settings.http.body_size_max_bytes) {
    setting_problem("memory.bodies_per_shard_max_bytes",
                    "expected at least limits.body_size_max_bytes, which is " +
                        std::to_string(settings.http.body_size_max_bytes) +
                        ": such a body would never fit");
  }
  // Whoever lowers the limit alone means it: the default for what is kept gives way.
  bool kept_given = memory.blocks_per_shard_kept != MemorySettings{}.blocks_per_shard_kept;
  if (kept_given && memory.blocks_per_shard_kept > memory.blocks_per_shard_max) {
    setting_problem("memory.blocks_per_shard_kept", "expected at most blocks_per_shard_max");
  }
  const uint64_t blocks_bytes = uint64_t{memory.blocks_per_shard_max} * block_size_bytes;
  if (blocks_bytes < uint64_t{4} * settings.limits.relay_backlog_max_bytes) {
    setting_problem("memory.blocks_per_shard_max",
                    "expected room for at least four relays of limits.relay_backlog_max_bytes; a "
                    "block is 16 KiB");
  }
}

void Loader::check_admission() {
  const resilience::AdmissionSettings& admission = config_->settings.admission;
  const struct {
    const char* key;
    uint32_t value;
    const char* bound;
    uint32_t bound_value;
  } pairs[] = {
      {"shed_low_at_percent", admission.shed_low_at_percent, "refuse_at_percent",
       admission.refuse_at_percent},
      {"refuse_at_percent", admission.refuse_at_percent, "stop_accept_at_percent",
       admission.stop_accept_at_percent},
      {"hysteresis_percent", admission.hysteresis_percent, "shed_low_at_percent",
       admission.shed_low_at_percent},
      {"retry_after_min_s", admission.retry_after_min_s, "retry_after_max_s",
       admission.retry_after_max_s},
  };
  for (const auto& [key, value, bound, bound_value] : pairs) {
    if (value <= bound_value) continue;
    setting_problem(
        std::string("admission.") + key,
        "expected at most " + std::string(bound) + ", which is " + std::to_string(bound_value));
  }
}

void Loader::check_timeouts() {
  const Settings& settings = config_->settings;
  const catalog::UpstreamTimeouts& upstream = settings.upstream_timeouts;
  for (const auto& [value, key] : {std::pair(upstream.connect_ms, "upstream_connect_ms"),
                                   std::pair(upstream.first_byte_ms, "upstream_first_byte_ms"),
                                   std::pair(upstream.idle_ms, "upstream_idle_ms")}) {
    if (value <= upstream.total_ms) continue;
    setting_problem(
        std::string("timeouts.") + key,
        "expected at most upstream_total_ms, which is " + std::to_string(upstream.total_ms));
  }
  if (uint64_t{settings.server.drain_s} * 1000 < upstream.total_ms) {
    warning(line_of("server.drain_s"), "server.drain_s",
            "is shorter than timeouts.upstream_total_ms: a drain may cut requests");
  }
}

// What is legal and yet hardly meant.
void Loader::check_contents() {
  const AdminSettings& admin = config_->settings.admin;
  const bool unix_socket = admin.listen.storage.ss_family == AF_UNIX;
  if (admin.listen.size != 0 && !unix_socket && !admin.listen.is_loopback() &&
      admin.token.empty()) {
    warning(line_of("admin.listen"), "admin.listen",
            "is reachable from other machines, and /metrics there asks for no token");
  }
  const catalog::Catalog& catalog = config_->catalog;
  if (catalog.providers().empty()) {
    warning(0, "providers", "there is none, so no model can be used");
  }
  for (const catalog::Provider& provider : catalog.providers()) {
    bool serves = false;
    for (const catalog::Deployment& deployment : catalog.deployments()) {
      serves = serves || deployment.provider == &provider;
    }
    if (serves) continue;
    warning(0, "providers." + provider.name,
            "serves no model: no model of the catalogue or of this file has a family of its list "
            "`serves`");
  }
  if (config_->keys.all().empty()) {
    warning(0, "keys",
            "there is none, so every request is answered 401; `hyperion key create` makes one");
  }
}

}  // namespace hyperion::config
