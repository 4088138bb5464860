// When a provider says to come back, in all the forms that providers have for it.
//
// Read by dialect/provider_error from the head of a refusal: retry-after-ms, retry-after in seconds
// or as a date, and, where neither is there, the reset of the limit that is used up
// (x-ratelimit-reset-requests: 1m6.779s of OpenAI and its likes, anthropic-ratelimit-tokens-reset:
// 2026-01-01T00:00:00Z). Dates count from the answer's own `date`: no clock is read. Pure; what
// cannot be read is no delay. Sources: reference of each provider's rate limit headers, recorded.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/head.h"

namespace hyperion::dialect {

// Milliseconds to wait; -1: nothing is said. Of statuses only that mean waiting (429, 503, 529):
// Anthropic sends retry-after on successes too. Zero is no delay (Azure).
int64_t retry_delay_ms(uint16_t status, const http::HeaderList& headers);

// "48s", "48.5s", "4ms", "1m6.779s", "2h0m5s", "120" (seconds): milliseconds; -1 when it is none of
// these, or longer than eleven days.
int64_t milliseconds_of_duration(std::string_view text);

}  // namespace hyperion::dialect
