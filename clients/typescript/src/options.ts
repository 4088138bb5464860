/**
 * The gateway's own request fields. Their values are not judged here: the gateway does, and names
 * the field that is wrong.
 */

/** Deadlines of one request, within those of the gateway's conf. */
export interface Timeouts {
  connect_ms?: number;
  first_token_ms?: number;
  idle_ms?: number;
  total_ms?: number;
}

export interface HyperionOptions {
  /** Models to try, in order, if the first fails; [] switches off a chain that the conf gives. */
  fallbacks?: string[];
  /** USD for this request, over all its attempts. */
  max_cost?: number;
  /** Narrows the providers that `auto` may choose from. */
  providers?: string[];
  timeouts?: Timeouts;
  /** The decision in full: `answer.hyperion.explanation`, where the answer is not a stream. */
  explain?: boolean;
  bypass_cache?: boolean;
  /** Seconds. */
  cache_ttl?: number;
  tags?: Record<string, string>;
}

/** What `chat.completions` takes besides OpenAI's parameters. */
export interface HyperionParams {
  hyperion?: HyperionOptions | null;
  smart_routing?: boolean | null;
  /** As in OpenAI's client for Python: the gateway reads its members as if they stood beside it. */
  extra_body?: Record<string, unknown>;
}
