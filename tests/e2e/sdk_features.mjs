// What the client for Node does for the test that runs this: one JSON object of what it saw.
import Hyperion, { decisionOf } from "@hyperion-ai/sdk";
import process from "node:process";

const client = new Hyperion({ maxRetries: 0, timeout: 20000 });
const model = process.argv[2];
const messages = [{ role: "user", content: "Say hello." }];
const parameters = {
  type: "object",
  properties: { city: { type: "string" } },
  required: ["city"],
  additionalProperties: false,
};
const seen = {};

const plain = await client.chat.completions.create({
  model,
  messages,
  smart_routing: false,
  hyperion: { tags: { team: "tests" } },
});
seen.plain = { ran: plain.model, text: plain.choices[0].message.content, hyperion: plain.hyperion };

const stream = await client.chat.completions.create({ model, messages, stream: true });
seen.streamed = { hyperion: stream.hyperion, text: "" };
for await (const part of stream) seen.streamed.text += part.choices[0]?.delta.content ?? "";

const called = await client.chat.completions.create({
  model,
  messages,
  tools: [{ type: "function", function: { name: "weather", parameters } }],
  tool_choice: "required",
});
seen.arguments = JSON.parse(called.choices[0].message.tool_calls[0].function.arguments);

const json_schema = { name: "place", strict: true, schema: parameters };
const response_format = { type: "json_schema", json_schema };
const parsed = await client.chat.completions.parse({ model, messages, response_format });
seen.parsed = { value: JSON.parse(parsed.choices[0].message.content), hyperion: parsed.hyperion };

const events = client.chat.completions.stream({ model, messages, hyperion: { max_cost: 1 } });
seen.events = { text: await events.finalContent(), hyperion: events.hyperion };

const vectors = await client.embeddings.create({ model: "text-embedding-3-small", input: "one" });
seen.embedding = decisionOf(vectors);

const wrong = { model, messages, hyperion: { fallback: ["gpt-4o-mini"] } };
seen.wrong = await client.chat.completions.create(wrong).then(
  () => null,
  (error) => ({ name: error.constructor.name, param: error.param, hyperion: decisionOf(error) }),
);

seen.explained = await client.route.explain({ model, messages, smart_routing: true });

console.log(JSON.stringify(seen));
