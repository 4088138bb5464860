export { decisionOf } from "./answers.js";
export { DEFAULT_BASE_URL, Hyperion, Hyperion as default } from "./client.js";
export { Chat, Completions } from "./completions.js";
export {
  type Decided,
  type Decision,
  type RouteDecision,
  decisionFromHeaders,
} from "./decision.js";
export type { HyperionOptions, HyperionParams, Timeouts } from "./options.js";
export { type Candidate, type Explanation, type Feedback, Route } from "./route.js";
