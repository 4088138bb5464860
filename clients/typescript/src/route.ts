/** What the gateway would decide, and how good its decisions were. */
import type OpenAI from "openai";
import type { APIPromise } from "openai";
import type { HyperionParams } from "./options.js";

export interface Candidate {
  model: string;
  provider: string;
  /** The chance that the model is good enough. */
  p: number | null;
  expected_nano_usd: number | null;
  worst_nano_usd: number | null;
  /** Why it is out; null: it is not. */
  excluded: string | null;
}

/** A decision in full; newer gateways may add members. */
export interface Explanation {
  requested: string;
  model: string | null;
  provider: string | null;
  route: string;
  intent: string;
  class: string;
  /** 0 to 1; higher is harder. */
  score: number;
  tier: number;
  tokens_estimated: number;
  candidates: Candidate[];
  stamps: Record<string, unknown>;
  ns: number;
}

export class Route {
  constructor(private readonly client: OpenAI) {}

  /** The decision for what would be a `chat.completions.create`; nothing is sent on. */
  explain(
    body: OpenAI.ChatCompletionCreateParams & HyperionParams,
    options?: OpenAI.RequestOptions,
  ): APIPromise<Explanation> {
    return this.client.post("/route/explain", { body, ...options });
  }
}

/** How good an answer was: a score from 0 to 1, or good or not. */
export type Feedback = { request_id: string } & (
  | { score: number; good?: never }
  | { good: boolean; score?: never }
);

export function feedbackBody({ request_id, score, good }: Feedback): object {
  if ((score === undefined) === (good === undefined)) {
    throw new TypeError("feedback takes either score, from 0 to 1, or good, true or false");
  }
  const judged = score ?? (good ? 1 : 0);
  if (!(judged >= 0 && judged <= 1)) {
    throw new RangeError(`score is ${judged}: from 0 (useless) to 1 (perfect)`);
  }
  return { request_id, score: judged };
}
