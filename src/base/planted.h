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
                                   "request_freed_early"};
  return names[static_cast<int>(bug)];
}

}  // namespace hyperion

#define HYPERION_PLANTED(name) (::hyperion::planted_bug == ::hyperion::PlantedBug::name)

#else

#define HYPERION_PLANTED(name) false

#endif
