#include "server/demo_outage.h"

#include <chrono>
#include <cstdio>

#include "server/demo_client.h"

namespace hyperion::server {
namespace {

using config::OutageKind;

// Times in seconds of a rehearsal that lasts sixty.
struct Phase {
  unsigned begin_s;
  unsigned end_s;
  const char* provider;
  const char* model;  // "": all of the provider's
  OutageKind kind;
  const char* fault;
  uint32_t slower_factor;
  const char* begins;  // what fails now
  const char* ends;
  const char* body;  // a request that shows it
};

constexpr Phase phases[] = {
    {5, 20, "openai", "gpt-5.2", OutageKind::down, "503", 0,
     "OpenAI's gpt-5.2 is down: every request gets a 503.", "gpt-5.2 is well again.",
     R"({"model": "gpt-5.2", "fallbacks": ["claude-haiku-4-5"], )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})"},
    {22, 37, "anthropic", "", OutageKind::down, "529", 0,
     "Anthropic is overloaded: every request gets a 529.", "Anthropic is well again.",
     R"({"model": "claude-haiku-4-5", "fallbacks": ["gemini-2.5-flash", "gpt-4o-mini"], )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})"},
    {39, 54, "openai", "gpt-5.2", OutageKind::brown_out, "503", 20,
     "OpenAI's gpt-5.2 is twenty times as slow; this request gives a first token 300 ms.",
     "gpt-5.2 is quick again.",
     R"({"model": "gpt-5.2", "stream": true, "hyperion": {"fallbacks": ["gemini-2.5-flash"], )"
     R"("timeouts": {"first_token_ms": 300}}, )"
     R"("messages": [{"role": "user", "content": "Say hello."}]})"},
};

constexpr unsigned all_well_s = 56;
constexpr const char* target = "/v1/chat/completions";

}  // namespace

// A line of the rehearsal.
struct Rehearsal::Moment {
  uint64_t at_ms;
  const char* says;
  const char* body;
  bool falls_back;  // otherwise the model that was asked for is well
};

Rehearsal::Rehearsal(simulator::Outages& outages, const io::Address& gateway,
                     std::string gateway_url, std::string simulator_url, unsigned length_s)
    : outages_(outages),
      gateway_(gateway),
      url_(std::move(gateway_url)),
      simulator_url_(std::move(simulator_url)),
      length_s_(length_s) {}

Rehearsal::~Rehearsal() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable()) thread_.join();
}

uint64_t Rehearsal::scaled_ms(unsigned s_of_sixty) const {
  return uint64_t{s_of_sixty} * length_s_ * 1000 / rehearsal_default_s;
}

void Rehearsal::begin() {
  began_ = SystemClock().now();
  for (const Phase& phase : phases) {
    config::Outage outage;
    outage.provider = phase.provider;
    outage.model = phase.model;
    outage.kind = static_cast<uint8_t>(phase.kind);
    outage.fault = phase.fault;
    outage.slower_factor = phase.slower_factor;
    outage.start_ms = scaled_ms(phase.begin_s);
    outage.length_ms = scaled_ms(phase.end_s) - outage.start_ms;
    outages_.add(std::move(outage), began_);
  }
  std::printf(
      "\n--- The outage: for %u seconds, providers fail and recover by a schedule\n\n"
      "  Try each curl line while its phase lasts, with and without the fallbacks. Ctrl-C ends "
      "it.\n",
      length_s_);
  std::fflush(stdout);
  thread_ = std::thread([this] { narrate(); });
}

int Rehearsal::wait() {
  thread_.join();
  return failures_;
}

void Rehearsal::narrate() {
  for (const Phase& phase : phases) {
    const Moment begins = {scaled_ms(phase.begin_s), phase.begins, phase.body, true};
    const Moment ends = {scaled_ms(phase.end_s), phase.ends, phase.body, false};
    for (const Moment& moment : {begins, ends}) {
      if (!wait_until_ms(moment.at_ms)) return;
      show(moment);
    }
  }
  if (!wait_until_ms(scaled_ms(all_well_s))) return;
  std::printf(
      "\n[%3llu s] Everything is well. What was struck, as the simulated providers counted it:\n"
      "  curl -s %s/_simulator/outages\n",
      static_cast<unsigned long long>((scaled_ms(all_well_s) + 500) / 1000),
      simulator_url_.c_str());
  std::fflush(stdout);
}

bool Rehearsal::wait_until_ms(uint64_t ms) {
  const Instant until = began_ + ms * ns_per_ms;
  std::unique_lock lock(mutex_);
  const auto left = std::chrono::nanoseconds(elapsed_ns(SystemClock().now(), until));
  return !ending_.wait_for(lock, left, [this] { return stopping_; });
}

void Rehearsal::show(const Moment& moment) {
  std::printf("\n[%3llu s] %s\n", static_cast<unsigned long long>((moment.at_ms + 500) / 1000),
              moment.says);
  if (moment.falls_back) {
    std::printf(
        "  curl -si %s%s -H \"Authorization: Bearer %s\" -d '%s' "
        "| grep -iE '^HTTP|x-hyperion-(model|fallback)'\n",
        url_.c_str(), target, demo_key, moment.body);
  }
  std::fflush(stdout);
  const Received received = ask(gateway_, {"POST", target, nullptr, moment.body});
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;  // and so does the gateway
  }
  const std::string index = header_of(received.head, "x-hyperion-fallback-index");
  const std::string reason = header_of(received.head, "x-hyperion-fallback-reason");
  std::printf("  just now: %s, by %s",
              received.problem.empty() ? received.status_line.c_str() : received.problem.c_str(),
              header_of(received.head, "x-hyperion-model").c_str());
  if (!index.empty()) {
    std::printf(", x-hyperion-fallback-index: %s, x-hyperion-fallback-reason: %s", index.c_str(),
                reason.c_str());
  }
  const bool fell_back = !index.empty() && index != "0";
  if (received.status != 200 || (moment.falls_back && !fell_back)) {
    ++failures_;
    std::printf("  (that is not what should have come)");
  }
  std::printf("\n");
  std::fflush(stdout);
}

}  // namespace hyperion::server
