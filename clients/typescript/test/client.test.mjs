import assert from "node:assert/strict";
import process from "node:process";
import { afterEach, beforeEach, test } from "node:test";
import OpenAI from "openai";
import Hyperion, { decisionOf, Hyperion as Named } from "../dist/index.js";
import { EXPECTED, EXPLAINED, KEY, startServer } from "./server.mjs";

const chat = { model: "gpt-4o", messages: [{ role: "user", content: "Hello." }] };
const nothing = Object.fromEntries(Object.keys(EXPECTED).map((name) => [name, null]));
let server;
let client;

beforeEach(async () => {
  server = await startServer();
  Object.assign(process.env, {
    // What a machine of a user of OpenAI's may hold.
    OPENAI_API_KEY: "sk-openai-secret",
    OPENAI_ADMIN_KEY: "sk-openai-admin-secret",
    OPENAI_ORG_ID: "org-secret",
    OPENAI_PROJECT_ID: "project-secret",
    OPENAI_BASE_URL: "http://127.0.0.1:9/openai-secret",
    OPENAI_CUSTOM_HEADERS: "x-custom: custom-secret",
    HYPERION_API_KEY: KEY,
    HYPERION_BASE_URL: server.url,
  });
  client = new Hyperion({ maxRetries: 0 });
});

afterEach(() => server.stop());

const body = () => server.asked.at(-1).body;

test("the client is OpenAI's", () => {
  assert.ok(client instanceof OpenAI && Named === Hyperion);
});

test("key and address come from the environment, and arguments win", () => {
  assert.deepEqual([client.apiKey, client.baseURL], [KEY, server.url]);
  const given = new Hyperion({ apiKey: "sk_live_given", baseURL: "http://127.0.0.1:7/v1" });
  assert.deepEqual([given.apiKey, given.baseURL], ["sk_live_given", "http://127.0.0.1:7/v1"]);
  delete process.env.HYPERION_BASE_URL;
  assert.equal(new Hyperion().baseURL, "http://127.0.0.1:8080/v1");
});

test("without a key OpenAI's is not taken", () => {
  process.env.HYPERION_API_KEY = "";
  assert.throws(() => new Hyperion(), /HYPERION_API_KEY/);
  delete process.env.HYPERION_API_KEY;
  assert.throws(() => new Hyperion(), /HYPERION_API_KEY/);
  assert.throws(() => new Hyperion({ apiKey: "" }), /HYPERION_API_KEY/);
});

test("nothing of OpenAI's environment is sent", async () => {
  await client.chat.completions.create(chat);
  await client.withOptions({ timeout: 5000 }).chat.completions.create(chat);
  const own = new Hyperion({ defaultHeaders: { "x-own": "1" }, organization: "org-given" });
  await own.chat.completions.create(chat);
  assert.equal(server.asked.length, 3);
  for (const { headers } of server.asked) {
    assert.equal(headers.authorization, `Bearer ${KEY}`);
    assert.doesNotMatch(JSON.stringify(headers), /secret/);
  }
  const { headers } = server.asked[2];
  assert.deepEqual([headers["x-own"], headers["openai-organization"]], ["1", "org-given"]);
});

test("every header is read", async () => {
  const answer = await client.chat.completions.create(chat);
  assert.deepEqual(answer.hyperion, EXPECTED);
  assert.ok(Object.isFrozen(answer.hyperion));
  assert.equal(answer._request_id, "req_1");
  assert.doesNotMatch(JSON.stringify(answer), /hyperion/);
});

test("absent headers, and those that are no value of their kind, are null", async () => {
  server.headers = {};
  const answer = await client.chat.completions.create(chat);
  assert.deepEqual(answer.hyperion, nothing);
  server.headers = { "x-hyperion-attempts": "many", "x-hyperion-cost": "" };
  server.headers["x-hyperion-route-decision"] = "tier=x score from=a";
  const { hyperion } = await client.chat.completions.create(chat);
  const parts = { tier: "x", from: "a" };
  const route_decision = { tier: null, score: null, from_model: "a", to_model: null, saved: null };
  assert.deepEqual(hyperion, { ...nothing, route_decision: { ...route_decision, parts } });
});

test("options travel in the body", async () => {
  const options = { hyperion: { fallbacks: ["gpt-4o-mini"], max_cost: 1 }, smart_routing: true };
  await client.chat.completions.create({ ...chat, ...options });
  assert.deepEqual(body(), { ...chat, ...options });
});

test("a stream has it before its first chunk", async () => {
  let goOn;
  server.goOn = new Promise((resolve) => (goOn = resolve));
  const stream = await client.chat.completions.create({ ...chat, stream: true });
  assert.deepEqual(stream.hyperion, EXPECTED);
  goOn();
  let text = "";
  for await (const part of stream) text += part.choices[0].delta.content ?? "";
  assert.equal(text, '{"name": "Paris"}');
});

test("the stream of events has it from its head on", async () => {
  const asked = { ...chat, hyperion: { max_cost: 1 } };
  let goOn;
  server.goOn = new Promise((resolve) => (goOn = resolve));
  const stream = client.chat.completions.stream(asked);
  assert.equal(stream.hyperion, null);
  await stream.emitted("connect");
  assert.deepEqual(stream.hyperion, EXPECTED);
  goOn();
  assert.equal(await stream.finalContent(), '{"name": "Paris"}');
  assert.deepEqual(body().hyperion, { max_cost: 1 });
});

test("a parsed answer has it, with the explanation that was asked for", async () => {
  const schema = { name: "city", strict: true, schema: { type: "object" } };
  const answer = await client.chat.completions.parse({
    ...chat,
    response_format: { type: "json_schema", json_schema: schema },
    hyperion: { explain: true },
  });
  assert.equal(answer.choices[0].message.content, '{"name": "Paris"}');
  assert.deepEqual(answer.hyperion, { ...EXPECTED, explanation: EXPLAINED });
  const plain = await client.chat.completions.create({ ...chat, hyperion: { explain: true } });
  assert.deepEqual(plain.hyperion.explanation, EXPLAINED);
});

test("responses, other answers and errors tell it", async () => {
  const { data, response } = await client.chat.completions.create(chat).withResponse();
  assert.deepEqual([data.hyperion, decisionOf(response)], [EXPECTED, EXPECTED]);
  const raw = await client.chat.completions.create(chat).asResponse();
  assert.equal((await raw.json()).object, "chat.completion");
  const asked = { model: "e", input: "a", encoding_format: "float" };
  const vectors = await client.embeddings.create(asked);
  assert.deepEqual(decisionOf(vectors), EXPECTED);
  server.status = 400;
  server.headers = { "x-hyperion-attempts": "1" };
  await assert.rejects(client.chat.completions.create(chat), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError && error.param === "hyperion.x");
    assert.deepEqual(decisionOf(error), { ...nothing, attempts: 1 });
    return true;
  });
  assert.deepEqual(decisionOf({ hyperion: "not ours" }), nothing);
});

test("explain asks for the decision only", async () => {
  const asked = { ...chat, smart_routing: true };
  assert.deepEqual(await client.route.explain(asked), EXPLAINED);
  assert.equal(server.asked.at(-1).path, "/v1/route/explain");
  assert.deepEqual(body(), asked);
});

test("feedback is a score, or good or not", async () => {
  const cases = [
    [{ score: 0.25 }, 0.25],
    [{ good: true }, 1],
    [{ good: false }, 0],
  ];
  for (const [given, score] of cases) {
    assert.equal(await client.feedback({ request_id: "req_1", ...given }), undefined);
    assert.deepEqual(body(), { request_id: "req_1", score });
  }
  assert.equal(server.asked.at(-1).path, "/v1/feedback");
  await assert.rejects(client.feedback({ request_id: "r" }), TypeError);
  await assert.rejects(client.feedback({ request_id: "r", score: 1, good: true }), TypeError);
  await assert.rejects(client.feedback({ request_id: "r", score: 1.5 }), RangeError);
});
