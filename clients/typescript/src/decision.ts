/**
 * What the gateway decided for a request, as its response headers tell it. A header that is absent,
 * or that holds no value of its kind, is null: reading a decision never makes an answer fail.
 */

/** The parts of `x-hyperion-route-decision`. */
export interface RouteDecision {
  /** The tier that the request needs: 1 cheap_fast, 2 balanced, 3 high_reasoning. */
  readonly tier: number | null;
  /** How hard the request is, from 0 to 1. */
  readonly score: number | null;
  readonly from_model: string | null;
  readonly to_model: string | null;
  /** What the choice is expected to save, in USD. */
  readonly saved: number | null;
  /** Every part as it was written, those of newer gateways too. */
  readonly parts: Readonly<Record<string, string>>;
}

/** What ran, why, and what it cost. */
export interface Decision {
  readonly provider: string | null;
  /** What ran. */
  readonly model: string | null;
  readonly requested_model: string | null;
  readonly route: "passthrough" | "smart" | "auto" | (string & {}) | null;
  readonly route_intent: "cheap_fast" | "balanced" | "high_reasoning" | (string & {}) | null;
  readonly route_decision: RouteDecision | null;
  readonly attempts: number | null;
  readonly fallback_index: number | null;
  readonly fallback_reason: string | null;
  /** USD held before the request was sent: the worst case. */
  readonly cost_reserved: number | null;
  /** USD; not known yet when a stream begins. */
  readonly cost: number | null;
  /** Microseconds that the gateway itself took. */
  readonly overhead_us: number | null;
  readonly dropped_params: readonly string[] | null;
  readonly adjusted: readonly string[] | null;
  readonly request_id: string | null;
  readonly cache_status: string | null;
  /** The decision in full, from the answer's body, where `hyperion: {explain: true}` asked. */
  readonly explanation: Readonly<Record<string, unknown>> | null;
}

/** An answer or a stream with what was decided for it. */
export interface Decided {
  readonly hyperion: Decision;
}

type Read<T> = (text: string) => T | null;

export function decisionFromHeaders(
  headers: Pick<Headers, "get">,
  explanation: Readonly<Record<string, unknown>> | null = null,
): Decision {
  const of = <T>(name: string, read: Read<T>): T | null => {
    const text = headers.get("x-hyperion-" + name);
    return text === null ? null : read(text);
  };
  return Object.freeze({
    provider: of("provider", asText),
    model: of("model", asText),
    requested_model: of("requested-model", asText),
    route: of("route", asText),
    route_intent: of("route-intent", asText),
    route_decision: of("route-decision", asRouteDecision),
    attempts: of("attempts", asNumber),
    fallback_index: of("fallback-index", asNumber),
    fallback_reason: of("fallback-reason", asText),
    cost_reserved: of("cost-reserved", asUsd),
    cost: of("cost", asUsd),
    overhead_us: of("overhead-us", asNumber),
    dropped_params: of("dropped-params", asList),
    adjusted: of("adjusted", asList),
    request_id: headers.get("x-request-id"),
    cache_status: headers.get("x-cache-status"),
    explanation,
  });
}

const asText = (text: string): string => text;

const asNumber = (text: string): number | null =>
  text.trim() === "" || Number.isNaN(Number(text)) ? null : Number(text);

const asUsd = (text: string): number | null => asNumber(text.replace(/^\s*\$/, ""));

const asList = (text: string): readonly string[] =>
  Object.freeze(
    text
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  );

function asRouteDecision(text: string): RouteDecision {
  const parts: Record<string, string> = {};
  for (const part of text.split(/\s+/)) {
    const mark = part.indexOf("=");
    if (mark >= 0) parts[part.slice(0, mark)] = part.slice(mark + 1);
  }
  const of = <T>(name: string, read: Read<T>): T | null => {
    const value = parts[name];
    return value === undefined ? null : read(value);
  };
  return Object.freeze({
    tier: of("tier", asNumber),
    score: of("score", asNumber),
    from_model: of("from", asText),
    to_model: of("to", asText),
    saved: of("saved", asUsd),
    parts: Object.freeze(parts),
  });
}
