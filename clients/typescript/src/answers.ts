/**
 * Gives every answer and every stream its `hyperion`: a property that is not enumerable, so that it
 * is no part of what is copied or written as JSON.
 */
import { type Decision, decisionFromHeaders } from "./decision.js";

/** An option of a request: who wants to be told its decision as soon as the head has arrived. */
export const tell = Symbol("tell the decision");

interface Props {
  response: Response;
  options: object;
}

// What is made of an answer's body anew (a parsed completion) has the decision of that answer, and
// with it the explanation that stood in its body.
const decisions = new WeakMap<Response, Decision>();

export function keep<T>(answer: T, { response, options }: Props): T {
  let decision = decisions.get(response);
  if (decision === undefined) {
    decision = decisionFromHeaders(response.headers, explanationIn(answer));
    decisions.set(response, decision);
    (options as { [tell]?: (decision: Decision) => void })[tell]?.(decision);
  }
  if (isObject(answer) && !(answer instanceof Response)) {
    Object.defineProperty(answer, "hyperion", {
      value: decision,
      enumerable: false,
      configurable: true,
    });
  }
  return answer;
}

/** The decision of any answer, stream, HTTP response or error of a Hyperion client. */
export function decisionOf(answer: unknown): Decision {
  if (isObject(answer)) {
    const kept = Object.getOwnPropertyDescriptor(answer, "hyperion");
    if (kept !== undefined && !kept.enumerable) return kept.value as Decision;
    if (answer["headers"] instanceof Headers) return decisionFromHeaders(answer["headers"]);
  }
  return decisionFromHeaders(new Headers());
}

function explanationIn(answer: unknown): Record<string, unknown> | null {
  const explanation = isObject(answer) ? answer["hyperion"] : null;
  return isObject(explanation) ? explanation : null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
