#include "server/demo.h"

#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "server/commands.h"
#include "server/demo_outage.h"
#include "server/server.h"
#include "simulator/simulator_thread.h"
#include "tls/sha256.h"

namespace hyperion::server {
namespace {

constexpr int exit_usage = 2;

struct Ports {
  unsigned gateway = 8080;
  unsigned admin = 8081;
  unsigned simulator = 9090;
};

void print_refusal(const io::Refusal& refusal) {
  std::fprintf(stderr, "hyperion: %s\nhyperion: %s\n", refusal.what.c_str(),
               refusal.remedy.c_str());
}

bool read_port(std::string_view text, unsigned& port) {
  if (text.empty() || text.size() > 5) return false;
  port = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return false;
    port = port * 10 + static_cast<unsigned>(c - '0');
  }
  return port <= 65'535;
}

// Listeners share their port with others of Hyperion: a socket that does not tells whether it is
// taken. Empty: it is free.
io::Refusal check_free(const io::Address& address, const std::string& option) {
  if (address.port() == 0) return {};
  const int probe = socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  const bool taken = bind(probe, address.get(), address.size) != 0 && errno == EADDRINUSE;
  close(probe);
  if (!taken) return {};
  return {"cannot listen on " + address.text() + ": another program has this port.",
          "Stop that program, or choose another port with " + option + " N (0 takes a free one)."};
}

io::Address loopback(unsigned port) {
  return *io::Address::from_ip("127.0.0.1", static_cast<uint16_t>(port));
}

// The demo's conf: the gateway as it would stand before the three, with the simulator in their
// place.
std::string demo_conf(const Ports& ports) {
  auto key = [](const char* id, const char* text) {
    const auto hex = tls::hex_of(tls::sha256(text));
    return "[[keys]]\nid = \"" + std::string(id) +
           "\"\ntest = true\nhash = \"sha256:" + std::string(hex.data(), hex.size()) + "\"\n";
  };
  auto address = [](unsigned port) { return "\"127.0.0.1:" + std::to_string(port) + "\""; };
  auto provider = [&](const char* name, const char* base_path) {
    return "[[providers]]\nname = \"" + std::string(name) + "\"\npreset = \"" + name +
           "\"\nbase_url = \"http://127.0.0.1:" + std::to_string(ports.simulator) + base_path +
           "\"\napi_key_env = \"DEMO_PROVIDER_KEY\"\n";
  };
  return "test_faults = true\n"
         "[server]\ndrain_s = 5\nlisten = [" +
         address(ports.gateway) + "]\n[admin]\nlisten = " + address(ports.admin) +
         "\n[log]\ntarget = \"off\"\n" + provider("openai", "/v1") + provider("anthropic", "/v1") +
         provider("gemini", "/v1beta") + key("demo", demo_key) + key("small", demo_small_key);
}

config::Surroundings demo_surroundings() {
  config::Surroundings surroundings;
  surroundings.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "DEMO_PROVIDER_KEY") return "sk-simulated-provider-key";
    return std::nullopt;
  };
  return surroundings;
}

struct DemoOptions {
  Ports ports;
  bool once = false;
  unsigned outage_s = 0;  // how long the rehearsal lasts; 0: there is none
};

// The number behind `--outage`, if there is one.
bool read_outage(const Arguments& arguments, size_t& at, DemoOptions& options) {
  options.outage_s = rehearsal_default_s;
  if (at + 1 >= arguments.size() || arguments[at + 1].starts_with("--")) return true;
  return read_port(arguments[++at], options.outage_s) && options.outage_s >= rehearsal_min_s &&
         options.outage_s <= rehearsal_max_s;
}

bool read_demo_options(const Arguments& arguments, DemoOptions& options) {
  struct {
    std::string_view name;
    unsigned& port;
  } ports[] = {{"--port", options.ports.gateway},
               {"--admin-port", options.ports.admin},
               {"--simulator-port", options.ports.simulator}};
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--once") {
      options.once = true;
      continue;
    }
    bool good = arguments[i] == "--outage" && read_outage(arguments, i, options);
    for (auto& port : ports) {
      if (arguments[i] != port.name || i + 1 >= arguments.size()) continue;
      good = read_port(arguments[++i], port.port);
      break;
    }
    if (good) continue;
    std::fprintf(stderr,
                 "Usage: hyperion demo [--outage [SECONDS]] [--once] [--port N] [--admin-port N] "
                 "[--simulator-port N]\n"
                 "--outage rehearses one instead of the samples, in 6 to 3600 seconds (60 if not "
                 "given);\n--once ends the demo after that. Ports are 0 (a free one) to 65535.\n");
    return false;
  }
  return true;
}

io::Refusal check_demo_ports(const Ports& ports) {
  io::Refusal refusal = check_free(loopback(ports.gateway), "--port");
  if (!refusal) refusal = check_free(loopback(ports.admin), "--admin-port");
  if (!refusal) refusal = check_free(loopback(ports.simulator), "--simulator-port");
  return refusal;
}

// "http://127.0.0.1:8080" to an address.
io::Address address_of(std::string_view text) {
  return *io::Address::parse(text.substr(text.find("//") + 2));
}

void print_introduction(const Server& server, const io::Address& simulator) {
  std::printf("Hyperion is serving.\n");
  std::printf("  the gateway     %s/v1   (keys %s and %s)\n", server.addresses()[0].c_str(),
              demo_key, demo_small_key);
  const std::string& admin = server.addresses()[1];
  std::printf("  metrics         %s/metrics\n", admin.substr(0, admin.find(' ')).c_str());
  std::printf("  the provider    http://%s   (simulated: it costs nothing)\n",
              simulator.text().c_str());
}

void print_invitation(const Server& server, const simulator::Ledger& ledger) {
  const simulator::Bill bill = ledger.bill();
  std::printf("\n--- Your turn\n\n");
  std::printf(
      "  The simulated provider answered %llu requests so far, for %.6f USD that nobody pays.\n",
      static_cast<unsigned long long>(bill.requests), static_cast<double>(bill.nano_usd) / 1e9);
  std::printf("  Any OpenAI client works with this base URL and key. With curl:\n\n");
  std::printf("    curl %s/v1/chat/completions -H \"Authorization: Bearer %s\" \\\n",
              server.addresses()[0].c_str(), demo_key);
  std::printf(
      "      -d '{\"model\": \"gpt-4o\", \"messages\": [{\"role\": \"user\", "
      "\"content\": \"Say hello.\"}]}'\n\n");
  std::printf(
      "  Add -i to see the headers, or -H \"x-hyperion-fault: 503\" to see a provider fail.\n");
  std::printf("  Ctrl-C ends it.\n");
  std::fflush(stdout);
}

int serve_outage(const DemoOptions& options, Server& server,
                 const simulator::SimulatorThread& provider, simulator::Outages& outages) {
  print_introduction(server, provider.address());
  const std::string& url = server.addresses()[0];
  Rehearsal rehearsal(outages, address_of(url), url, "http://" + provider.address().text(),
                      options.outage_s);
  rehearsal.begin();
  const int failures = options.once ? rehearsal.wait() : 0;
  if (options.once) server.drain_and_stop();
  const int code = server.wait();
  return code == exit_drained && failures != 0 ? exit_refused : code;
}

int serve_demo(const DemoOptions& options, Server& server,
               const simulator::SimulatorThread& provider, const simulator::Ledger& ledger) {
  print_introduction(server, provider.address());
  std::printf("\nHere is what it does with a few requests:\n");
  const int failures = show_samples(address_of(server.addresses()[0]));
  if (options.once) {
    server.drain_and_stop();
  } else {
    print_invitation(server, ledger);
  }
  const int code = server.wait();
  if (!options.once) std::printf("\nHyperion has stopped.\n");
  return code == exit_drained && options.once && failures != 0 ? exit_refused : code;
}

struct SimulateOptions {
  std::string conf;
  unsigned port = 0;
  bool port_given = false;
};

bool read_simulate_options(const Arguments& arguments, SimulateOptions& options) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool has_value = i + 1 < arguments.size();
    bool good = false;
    if (has_value && (arguments[i] == "-c" || arguments[i] == "--conf")) {
      options.conf = arguments[++i];
      good = true;
    } else if (has_value && arguments[i] == "--port") {
      good = options.port_given = read_port(arguments[++i], options.port);
    }
    if (good) continue;
    std::fprintf(stderr,
                 "Usage: hyperion simulate [-c FILE] [--port N]   (N: 0 takes a free port)\n");
    return false;
  }
  return true;
}

void wait_for_end() {
  sigset_t set;
  sigemptyset(&set);
  for (int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, signal);
  int signal = 0;
  while (sigwait(&set, &signal) != 0 || signal == SIGHUP) {
  }
}

}  // namespace

int run_demo(const Arguments& arguments) {
  DemoOptions options;
  if (!read_demo_options(arguments, options)) return exit_usage;
  Server::block_signals();
  io::Refusal refusal = io::probe_capabilities().refusal;
  if (!refusal) refusal = check_demo_ports(options.ports);
  if (refusal) {
    print_refusal(refusal);
    return exit_refused;
  }
  constexpr size_t requests_recorded = 1024;
  simulator::Ledger ledger(requests_recorded);
  simulator::Outages outages({}, 1, SystemClock().now());
  simulator::SimulatorThread provider(
      options.outage_s == 0 ? config::Config::defaults()
                            : config::load_text(rehearsal_conf, "the demo's conf", {}).config,
      ledger, outages);
  refusal = provider.start(loopback(options.ports.simulator));
  if (refusal) {
    print_refusal(refusal);
    return exit_refused;
  }
  options.ports.simulator = provider.address().port();
  const config::LoadOutcome outcome =
      config::load_text(demo_conf(options.ports), "the demo's conf", demo_surroundings());
  for (const std::string& error : outcome.errors)
    std::fprintf(stderr, "error: %s\n", error.c_str());
  if (outcome.config == nullptr) return exit_refused;
  Server server(outcome.config, {});
  refusal = server.start();
  if (refusal) {
    print_refusal(refusal);
    return exit_refused;
  }
  if (options.outage_s != 0) return serve_outage(options, server, provider, outages);
  return serve_demo(options, server, provider, ledger);
}

int run_simulate(const Arguments& arguments) {
  SimulateOptions options;
  if (!read_simulate_options(arguments, options)) return exit_usage;
  Server::block_signals();
  config::LoadOutcome outcome;
  if (options.conf.empty()) {
    outcome.config = config::Config::defaults();
  } else {
    outcome = config::load_file(options.conf);
  }
  for (const std::string& error : outcome.errors)
    std::fprintf(stderr, "error: %s\n", error.c_str());
  if (outcome.config == nullptr) return exit_refused;
  const config::SimulatorSettings& settings = outcome.config->settings.simulator;
  io::Address address = settings.listen;
  if (options.port_given) address.set_port(static_cast<uint16_t>(options.port));
  io::Refusal refusal = io::probe_capabilities().refusal;
  if (!refusal) refusal = check_free(address, "--port");
  simulator::Ledger ledger(settings.requests_recorded_max);
  simulator::Outages outages(settings.outages, settings.seed, SystemClock().now());
  simulator::SimulatorThread provider(outcome.config, ledger, outages);
  if (!refusal) refusal = provider.start(address);
  if (refusal) {
    print_refusal(refusal);
    return exit_refused;
  }
  std::fprintf(
      stderr,
      "simulating OpenAI on http://%s/v1, Anthropic and Gemini beside it (any key; paths and "
      "faults: docs/simulator.md)\n",
      provider.address().text().c_str());
  wait_for_end();
  return exit_drained;
}

}  // namespace hyperion::server
