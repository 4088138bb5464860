// A real HTTP server that answers as the gateway does, and remembers what it was asked.
import { once } from "node:events";
import { createServer } from "node:http";

export const KEY = "sk_test_client";
export const HEADERS = {
  "x-request-id": "req_1",
  "x-cache-status": "miss",
  "x-hyperion-provider": "anthropic",
  "x-hyperion-model": "claude-haiku-4-5-20251001",
  "x-hyperion-requested-model": "gpt-4o",
  "x-hyperion-route": "auto",
  "x-hyperion-route-intent": "balanced",
  "x-hyperion-route-decision":
    "tier=2 score=0.43 from=gpt-4o to=claude-haiku-4-5 saved=$0.0021 pressure=0.1",
  "x-hyperion-attempts": "3",
  "x-hyperion-fallback-index": "2",
  "x-hyperion-fallback-reason": "rate_limited",
  "x-hyperion-cost-reserved": "0.0120",
  "x-hyperion-cost": "0.000345",
  "x-hyperion-overhead-us": "41",
  "x-hyperion-dropped-params": "logit_bias, seed",
  "x-hyperion-adjusted": "max_tokens",
};
export const EXPECTED = {
  provider: "anthropic",
  model: "claude-haiku-4-5-20251001",
  requested_model: "gpt-4o",
  route: "auto",
  route_intent: "balanced",
  route_decision: {
    tier: 2,
    score: 0.43,
    from_model: "gpt-4o",
    to_model: "claude-haiku-4-5",
    saved: 0.0021,
    parts: {
      tier: "2",
      score: "0.43",
      from: "gpt-4o",
      to: "claude-haiku-4-5",
      saved: "$0.0021",
      pressure: "0.1",
    },
  },
  attempts: 3,
  fallback_index: 2,
  fallback_reason: "rate_limited",
  cost_reserved: 0.012,
  cost: 0.000345,
  overhead_us: 41,
  dropped_params: ["logit_bias", "seed"],
  adjusted: ["max_tokens"],
  request_id: "req_1",
  cache_status: "miss",
  explanation: null,
};
export const EXPLAINED = { requested: "auto", model: "gpt-4o-mini", class: "simple_qa", tier: 1 };

const TEXT = '{"name": "Paris"}';

function answerFor(path, body) {
  if (path === "/v1/route/explain") return EXPLAINED;
  if (path === "/v1/embeddings") {
    return { object: "list", data: [{ object: "embedding", index: 0, embedding: [0.5] }] };
  }
  if (path !== "/v1/chat/completions") return { ok: true };
  const message = { role: "assistant", content: TEXT };
  const answer = { id: "c1", object: "chat.completion", created: 1, model: "m" };
  answer.choices = [{ index: 0, finish_reason: "stop", message }];
  if (body.hyperion?.explain) answer.hyperion = EXPLAINED;
  return answer;
}

function chunk(delta, finish_reason = null) {
  const choices = [{ index: 0, delta, finish_reason }];
  const part = { id: "c1", object: "chat.completion.chunk", created: 1, model: "m", choices };
  return `data: ${JSON.stringify(part)}\n\n`;
}

export async function startServer() {
  const state = { asked: [], headers: { ...HEADERS }, status: 200, goOn: Promise.resolve() };
  const server = createServer(async (request, response) => {
    let text = "";
    for await (const piece of request) text += piece;
    const body = JSON.parse(text);
    state.asked.push({ path: request.url, headers: request.headers, body });
    const streamed = body.stream && request.url === "/v1/chat/completions" && state.status === 200;
    const type = streamed ? "text/event-stream" : "application/json";
    response.writeHead(state.status, { "content-type": type, ...state.headers });
    if (!streamed) {
      const error = { message: "wrong", type: "t", param: "hyperion.x", code: "c" };
      response.end(JSON.stringify(state.status === 200 ? answerFor(request.url, body) : { error }));
      return;
    }
    response.flushHeaders();
    await state.goOn;
    response.write(chunk({ role: "assistant", content: TEXT.slice(0, 9) }));
    response.write(chunk({ content: TEXT.slice(9) }) + chunk({}, "stop"));
    response.end("data: [DONE]\n\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  state.url = `http://127.0.0.1:${server.address().port}/v1`;
  state.stop = () => {
    server.closeAllConnections();
    server.close();
  };
  return state;
}
