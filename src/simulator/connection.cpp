#include "simulator/connection.h"

#include <string>

#include "simulator/outage_page.h"
#include "simulator/simulator.h"

namespace hyperion::simulator {
namespace {

using ParserState = http::RequestParser::State;

constexpr std::string_view own_prefix = "/_simulator/";
constexpr std::string_view fault_header = "x-hyperion-fault";

size_t arena_size_max(const http::Limits& limits) {
  return size_t{limits.head_size_max_bytes} * 3 + limits.trailer_size_max_bytes + 32 * 1024;
}

std::string_view name_of(http::Method method) {
  switch (method) {
    case http::Method::get: return "GET";
    case http::Method::head: return "HEAD";
    case http::Method::post: return "POST";
    case http::Method::put: return "PUT";
    case http::Method::patch: return "PATCH";
    case http::Method::delete_: return "DELETE";
    case http::Method::options: return "OPTIONS";
    case http::Method::other: break;
  }
  return "other";
}

void write_bill(const Bill& bill, std::string& out) {
  out = "{\"requests\": " + std::to_string(bill.requests) +
        ", \"nano_usd\": " + std::to_string(bill.nano_usd) +
        ", \"input_tokens\": " + std::to_string(bill.input_tokens) +
        ", \"cached_tokens\": " + std::to_string(bill.cached_tokens) +
        ", \"cache_write_tokens\": " + std::to_string(bill.cache_write_tokens) +
        ", \"output_tokens\": " + std::to_string(bill.output_tokens) +
        ", \"unpriced\": " + std::to_string(bill.unpriced) +
        ", \"received\": " + std::to_string(bill.received) +
        ", \"malformed\": " + std::to_string(bill.malformed) + "}\n";
}

// What a dialect names in the body; -1: nothing was asked. A date is for the head alone.
int64_t retry_delay_ms(const FaultPlan& plan) {
  constexpr int64_t ms_per_s = 1000;
  if (plan.retry_form == FaultKind::retry_after) return plan.retry * ms_per_s;
  if (plan.retry_form == FaultKind::retry_ms) return plan.retry;
  return plan.rate_limit_s == FaultPlan::not_given ? -1 : plan.rate_limit_s * ms_per_s;
}

}  // namespace

Connection::Connection(Simulator& simulator, io::Stream* stream)
    : simulator_(simulator),
      stream_(stream),
      parser_(simulator.limits()),
      arena_(simulator.reactor_.runtime().blocks, arena_size_max(simulator.limits())),
      body_(simulator.reactor_.runtime().blocks, simulator.bodies_) {}

Connection::~Connection() { simulator_.reactor_.runtime().timers.cancel(wait_); }

void Connection::start() {
  stream_->set_handler(this);
  stream_->resume_reading();
}

void Connection::on_read(std::string_view bytes) {
  const bool ignored = phase_ == Phase::closing || phase_ == Phase::gone ||
                       phase_ == Phase::silent || phase_ == Phase::commenting;
  if (ignored) return;
  if (phase_ == Phase::reading && held_back_.empty()) {
    consume(bytes);
  } else {
    hold_back(bytes);
  }
}

void Connection::hold_back(std::string_view bytes) {
  stream_->pause_reading();
  if (held_back_.size() + bytes.size() > held_back_max_bytes) {
    terminate();
    return;
  }
  held_back_.append(bytes);
}

// Feeds the parser until a request is whole and being answered, or the bytes are used up.
void Connection::consume(std::string_view bytes) {
  while (phase_ == Phase::reading) {
    bytes.remove_prefix(parser_.feed(bytes, arena_, *this));
    switch (parser_.state()) {
      case ParserState::head_ready:
        on_head();
        if (phase_ == Phase::reading) parser_.continue_body();
        break;
      case ParserState::complete: on_complete(); break;
      case ParserState::failed: on_rejected(); break;
      default:
        if (bytes.empty()) return;
    }
  }
  if (!bytes.empty()) on_read(bytes);
}

bool Connection::on_body(std::string_view bytes) { return body_.append(bytes); }

// What must happen before the body: an early refusal, or interim answers.
void Connection::on_head() {
  const http::RequestHead& head = parser_.head();
  plan_ = {};
  ending_ = Ending::keep;
  body_.release();
  if (head.path.starts_with(own_prefix)) {
    destination_ = {};
    return;
  }
  simulator_.ledger_.count_received();
  destination_ = find_route(head);
  const std::string_view faults = head.headers.find(fault_header);
  std::string_view unknown;
  if (!faults.empty()) config::read_faults(faults, {}, true, plan_, unknown);
  apply_outages(head, {}, true);
  if (plan_.is(FaultKind::early)) {
    simulator_.ledger_.record(name_of(head.method), head, {});
    ending_ = Ending::close;
    simulator_.answer_.id_seed = simulator_.random_.next();
    destination_.dialect->write_error({413, {}, {}, {}}, simulator_.answer_);
    deliver_plain(simulator_.answer_);
    return;
  }
  if (plan_.is(FaultKind::interim)) {
    emit("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n");
  } else if (head.expects_continue) {
    emit("HTTP/1.1 100 Continue\r\n\r\n");
  } else {
    return;
  }
  if (phase_ == Phase::reading) stream_->flush();
}

void Connection::on_complete() {
  const http::RequestHead& head = parser_.head();
  if (!head.keep_alive) ending_ = Ending::close;
  Answer& answer = simulator_.answer_;
  answer.clear();
  answer.id_seed = simulator_.random_.next();
  plan_ = {};
  if (destination_.dialect == nullptr) {
    answer_own(head.path);
    return;
  }
  simulator_.ledger_.record(name_of(head.method), head, body_.view());
  Call& call = simulator_.call_;
  call = {};
  call.head = &head;
  call.tail = destination_.tail;
  call.path_model = destination_.path_model;
  call.body = body_.view();
  call.models = &simulator_.models_;
  call.tree = &simulator_.tree_;
  call.answer_tokens = simulator_.settings().answer_tokens;
  if (destination_.route != nullptr && destination_.route->wants_json && !body_.empty()) {
    call.body_is_json = simulator_.scanner_.scan(call.body, simulator_.config_->settings.json,
                                                 call.scan, call.scan_error);
  }
  if (read_plan(call, answer)) judge(call, answer);
  deliver(call, answer);
}

// What the schedule does to this request, after what it asks for itself.
void Connection::apply_outages(const http::RequestHead& head, std::string_view model,
                               bool head_only) {
  delays_ = {simulator_.settings().first_token_ms, simulator_.settings().token_gap_ms};
  if (!simulator_.outages_.any()) return;
  Asker asker;
  asker.provider = destination_.dialect->name;
  asker.model = model;
  asker.api_key = api_key_of(head);
  asker.path = head.path;
  asker.host = head.host;
  asker.model_is_known = !head_only;
  simulator_.outages_.apply(asker, head_only, simulator_.reactor_.runtime().clock.now(), plan_,
                            delays_);
}

// The request's fault, else by chance the conf's, and beside it the schedule's. False: it is none,
// and the answer says so.
bool Connection::read_plan(Call& call, Answer& answer) {
  std::string_view text = call.head->headers.find(fault_header);
  const config::SimulatorSettings& settings = simulator_.settings();
  if (text.empty() && settings.fault_percent != 0 &&
      simulator_.random_.chance(settings.fault_percent, 100)) {
    text = settings.fault;
  }
  std::string_view unknown;
  if (config::read_faults(text, call.model_name(), false, plan_, unknown)) {
    apply_outages(*call.head, call.model_name(), false);
    call.plan = plan_;
    return true;
  }
  plan_ = {};
  const std::string message =
      "There is no fault `" + std::string(unknown.substr(0, 128)) +
      "`. Expected a comma list of `fault` or `model=fault`; docs/simulator.md lists the faults.";
  destination_.dialect->write_error({400, "unknown_fault", fault_header, message}, answer);
  return false;
}

void Connection::judge(Call& call, Answer& answer) {
  const Dialect& dialect = *destination_.dialect;
  const std::string where = destination_.route != nullptr
                                ? std::string()
                                : "(" + std::string(name_of(call.head->method)) + " " +
                                      std::string(call.head->path.substr(0, 256)) + ").";
  if (call.plan.is(FaultKind::status)) {
    dialect.write_error(
        {static_cast<uint16_t>(call.plan.argument), {}, {}, {}, retry_delay_ms(call.plan)}, answer);
  } else if (call.plan.is(FaultKind::quota)) {
    dialect.write_quota_error(answer);
  } else if (!destination_.path_known) {
    dialect.write_error({404, "unknown_url", {}, "There is no such path " + where}, answer);
  } else if (destination_.route == nullptr) {
    dialect.write_error({405, {}, {}, "The path has no such method " + where}, answer);
  } else if (!dialect.admit(call, answer)) {
    return;
  } else if (destination_.route->wants_json && !call.body_is_json) {
    const json::ScanError& error = call.scan_error;
    const std::string message =
        call.body.empty()
            ? "A JSON body is expected, and there is none."
            : "The body is not acceptable JSON: " + std::string(error.field) + ": expected " +
                  error.expected + " (at byte " + std::to_string(error.position) + ").";
    dialect.write_error({400, "invalid_json", {}, message}, answer);
  } else if (call.scan.options.any) {
    dialect.write_error({400,
                         "unknown_parameter",
                         {},
                         "The request has a parameter that only Hyperion knows: a provider must "
                         "not be sent it."},
                        answer);
  } else {
    destination_.route->answer(call, answer);
  }
}

// The simulator's own pages.
void Connection::answer_own(std::string_view path) {
  Answer& answer = simulator_.answer_;
  Ledger& ledger = simulator_.ledger_;
  const http::Method method = parser_.head().method;
  path.remove_prefix(own_prefix.size());
  if (method == http::Method::get && path == "bill") {
    write_bill(ledger.bill(), answer.body);
  } else if (method == http::Method::get && path == "requests") {
    answer.body = ledger.requests_json();
  } else if (method == http::Method::post && path == "reset") {
    ledger.reset();
    answer.body = "{}\n";
  } else if (path == "outages") {
    answer_outages(method);
  } else {
    default_dialect().write_error(
        {404,
         {},
         {},
         "The simulator has GET /_simulator/bill, GET /_simulator/requests, POST /_simulator/reset "
         "and GET, POST and DELETE /_simulator/outages."},
        answer);
  }
  deliver_plain(answer);
}

// Whatever is asked of the schedule, the answer is the schedule as it then stands.
void Connection::answer_outages(http::Method method) {
  Answer& answer = simulator_.answer_;
  if (method == http::Method::post) {
    add_outage();
  } else if (method == http::Method::delete_) {
    simulator_.outages_.clear();
  } else if (method != http::Method::get) {
    default_dialect().write_error({405, {}, {}, "/_simulator/outages has GET, POST and DELETE."},
                                  answer);
  }
  if (answer.status != 200) return;
  answer.body = simulator_.outages_.json(simulator_.reactor_.runtime().clock.now());
}

void Connection::add_outage() {
  const auto refuse = [&](const std::string& message) {
    default_dialect().write_error({400, "invalid_outage", {}, message}, simulator_.answer_);
  };
  json::Scan scan;
  json::ScanError error;
  if (body_.empty() ||
      !simulator_.scanner_.scan(body_.view(), simulator_.config_->settings.json, scan, error)) {
    return refuse(body_.empty() ? "Expected an outage as a JSON object; docs/simulator.md has its "
                                  "fields."
                                : "The body is not acceptable JSON: " + std::string(error.field) +
                                      ": expected " + error.expected + " (at byte " +
                                      std::to_string(error.position) + ").");
  }
  config::Outage outage;
  std::string problem;
  if (!read_outage_body(body_.view(), simulator_.tree_, outage, problem)) return refuse(problem);
  if (!simulator_.outages_.add(std::move(outage), simulator_.reactor_.runtime().clock.now())) {
    refuse("There are as many outages as there may be: DELETE them first.");
  }
}

void Connection::on_rejected() {
  simulator_.ledger_.count_malformed();
  plan_ = {};
  ending_ = Ending::close;
  const http::Rejection& rejection = parser_.rejection();
  default_dialect().write_error({rejection.status, "invalid_http", {}, rejection.reason},
                                simulator_.answer_);
  deliver_plain(simulator_.answer_);
}

void Connection::next_request() {
  phase_ = Phase::reading;
  pending_.clear();
  pending_at_ = 0;
  body_.release();
  arena_.reset();
  parser_.next(simulator_.limits());
  if (held_back_.empty()) {
    stream_->resume_reading();
  } else {
    simulator_.reactor_.deferred().add(this);
  }
}

// The request that was sent ahead: its turn has come.
void Connection::run_deferred() {
  if (phase_ != Phase::reading || held_back_.empty()) return;
  std::string bytes;
  bytes.swap(held_back_);
  consume(bytes);
  if (phase_ == Phase::reading) stream_->resume_reading();
}

void Connection::on_end(Error) { terminate(); }

void Connection::terminate(bool with_reset) {
  if (phase_ == Phase::gone) return;
  charge_stream();
  phase_ = Phase::gone;
  io::Deferred::unlink();
  simulator_.reactor_.runtime().timers.cancel(wait_);
  if (with_reset) {
    stream_->reset();
  } else {
    stream_->terminate();
  }
}

void Connection::on_closed() {
  stream_ = nullptr;
  simulator_.release(this);
}

}  // namespace hyperion::simulator
