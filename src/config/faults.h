// What a simulated provider can do wrong, and how a request asks for it.
//
// One table names every fault with its argument and a line of help; docs/simulator.md shows the
// same table and a test compares the two. A fault is asked for by the header x-hyperion-fault, or
// by the conf's [simulator] fault: a comma list of `fault` or `model=fault`. An entry with a model
// holds for requests whose model, as it arrives here, is that name or a dated release of it.
// Pure: reads texts, does nothing. A text that names no fault is reported, never ignored, since a
// test with a misspelt fault would pass for the wrong reason; that the conf's texts are judged
// while it is loaded is why the table stands here and not in the simulator, which does the faults.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace hyperion::config {

enum class FaultKind : uint8_t {
  none,
  status,  // the argument is the status code
  reset,
  stall,
  cut,
  cut_bytes,
  slow,
  gap,
  dribble,
  garbage,
  html,
  half_json,
  wrong_length,
  surplus,
  comments,
  headers,
  gzip,
  no_usage,
  negative_usage,
  close,
  early,
  interim,
  stream_error,
  quota,
  refusal,
  blocked,
  calls,
  wrong_types,
  gzipped,
  // Said in the head of an answer, beside its fault.
  retry_after,
  retry_date,
  retry_ms,
  rate_limit,
  should_retry,
};

enum class ArgumentUse : uint8_t { none, optional, required };

struct FaultRow {
  FaultKind kind;
  std::string_view name;      // "CODE" stands for the codes of `fault_statuses`
  std::string_view argument;  // what the number after the colon means; empty where there is none
  ArgumentUse use;
  std::string_view help;
};

std::span<const FaultRow> fault_table();

// The status codes that can be asked for.
std::span<const uint16_t> fault_statuses();

// What goes wrong with one answer: one fault, and beside it the two delays and what is said of when
// to come back.
struct FaultPlan {
  static constexpr uint32_t not_given = UINT32_MAX;

  FaultKind kind = FaultKind::none;
  uint32_t argument = not_given;
  uint32_t slow_ms = not_given;
  uint32_t gap_ms = not_given;
  FaultKind retry_form = FaultKind::none;  // retry_after, retry_date, retry_ms or none
  uint32_t retry = not_given;              // in seconds, of retry_ms in milliseconds
  uint32_t rate_limit_s = not_given;       // until the limit of the rate is reset
  uint32_t should_retry = not_given;       // 0: no

  bool is(FaultKind other) const { return kind == other; }
  // `argument`, or what it is where it was left out.
  uint32_t argument_or(uint32_t otherwise) const {
    return argument == not_given ? otherwise : argument;
  }
  bool any() const {
    return kind != FaultKind::none || slow_ms != not_given || gap_ms != not_given ||
           should_retry != not_given;
  }
  bool names_delay() const { return retry != not_given || rate_limit_s != not_given; }
};

// Adds to `plan` what `text` asks of requests for `model`; the first of several faults counts.
// Where a delay is named and no fault, the fault is a 429. With `any_model` the models of the
// entries are not compared. False: `unknown` is the entry that names no fault.
bool read_faults(std::string_view text, std::string_view model, bool any_model, FaultPlan& plan,
                 std::string_view& unknown);

// Is `requested` the name `name`, or a release of it by date ("gpt-4o-2024-11-20", "x-20241120")?
bool is_release_of(std::string_view requested, std::string_view name);

}  // namespace hyperion::config
