// Deliberately planted bugs, for the simulation to find.
//
// `HYPERION_PLANTED(name)` is `false` in everything that is shipped: the branch disappears. Only
// the build of tests/sim that defines HYPERION_PLANTED_BUGS compiles them in, and there one is
// switched on at a time. A simulation that does not catch each of them within its seeds is not
// worth its time.
#pragma once

#ifdef HYPERION_PLANTED_BUGS

namespace hyperion {

enum class PlantedBug {
  none,
  clean_end_after_cut,    // a stream without its end marker counts as complete
  surplus_ignored,        // a connection with surplus bytes is used again
  upstream_not_closed,    // the client is gone, the attempt goes on
  partial_event_dropped,  // the beginning of an event is lost at a receive's end
  retry_after_answer,     // a retry although bytes of an answer had come
  keep_alive_after_cut,   // the connection is kept after a broken answer
  pause_for_ever,         // a paused upstream is not resumed
  body_leak,              // an exchange is never given back
  commit_too_early,       // a role-only chunk counts as the first token
  silence_not_timed,      // no timer while waiting for the provider
  pipelined_bytes_lost,   // bytes sent ahead are dropped
  event_split,            // half an event goes to the client
  translated_cut_is_end,  // a translated stream that breaks off ends cleanly
  translated_rest_lost,   // the beginning of an event is lost on its way to the translator
  translated_twice,       // what was relayed of a translation is relayed again
  error_event_missing,    // a stream breaks off without a word
  hedge_not_cancelled,    // of two attempts both go on
  request_freed_early,    // a translated request's memory is given back while it is being sent
  attempt_after_commit,   // a failure behind the commit point leads to another attempt
  client_fault_moves,     // the client's own fault goes to the next candidate
  too_long_moves_down,    // too long a request goes to a window no larger
  conf_chain_always,      // the conf's fallbacks, whatever the request names
  attempts_unbounded,     // a request is tried on and on
  probe_kept,             // a probe whose client left is never given back
  client_faults_counted,  // a breaker counts what was the client's fault
  hurry_blamed,           // a breaker counts the client's own short deadlines
  retry_count_leaked,     // one that tries again is counted for ever
  hedge_count_leaked,     // likewise a hedge
  wait_outlives_client,   // the timer of a wait outlives its request
  refused_key_again,      // a key that was refused is used again
  primary_body_kept,      // a fallback gets the body that was meant for another
  retry_after_ignored,    // what a provider says of when to come back is forgotten
  shut_never_forced,      // whom a breaker keeps shut is not tried at the last
  count,
};

inline PlantedBug planted_bug = PlantedBug::none;

inline const char* name_of(PlantedBug bug) {
  constexpr const char* names[] = {"none",
                                   "clean_end_after_cut",
                                   "surplus_ignored",
                                   "upstream_not_closed",
                                   "partial_event_dropped",
                                   "retry_after_answer",
                                   "keep_alive_after_cut",
                                   "pause_for_ever",
                                   "body_leak",
                                   "commit_too_early",
                                   "silence_not_timed",
                                   "pipelined_bytes_lost",
                                   "event_split",
                                   "translated_cut_is_end",
                                   "translated_rest_lost",
                                   "translated_twice",
                                   "error_event_missing",
                                   "hedge_not_cancelled",
                                   "request_freed_early",
                                   "attempt_after_commit",
                                   "client_fault_moves",
                                   "too_long_moves_down",
                                   "conf_chain_always",
                                   "attempts_unbounded",
                                   "probe_kept",
                                   "client_faults_counted",
                                   "hurry_blamed",
                                   "retry_count_leaked",
                                   "hedge_count_leaked",
                                   "wait_outlives_client",
                                   "refused_key_again",
                                   "primary_body_kept",
                                   "retry_after_ignored",
                                   "shut_never_forced"};
  return names[static_cast<int>(bug)];
}

}  // namespace hyperion

#define HYPERION_PLANTED(name) (::hyperion::planted_bug == ::hyperion::PlantedBug::name)

#else

#define HYPERION_PLANTED(name) false

#endif
