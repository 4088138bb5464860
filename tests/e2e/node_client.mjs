// Runs OpenAI's client for Node through the scenarios that node_client_test.py names, and prints
// what it saw as one JSON object. The package is found in the folder that the test names.
import { createRequire } from "node:module";
import process from "node:process";

const { scenario, baseURL, apiKey, model, embeddingModel, packages } = JSON.parse(process.argv[2]);
const OpenAI = createRequire(packages + "/")("openai");
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 20000 });
const messages = [{ role: "user", content: "Say hello." }];

async function caught(promise) {
  try {
    await promise;
    return { name: "nothing was thrown" };
  } catch (error) {
    return { name: error.constructor.name, status: error.status, code: error.code };
  }
}

const scenarios = {
  async plain() {
    const answer = await client.chat.completions.create({ model, messages });
    return { content: answer.choices[0].message.content, usage: answer.usage };
  },
  async streamed() {
    let content = "";
    let pieces = 0;
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const part of stream) {
      content += part.choices[0]?.delta?.content ?? "";
      pieces += 1;
    }
    return { content, pieces };
  },
  async other() {
    const vectors = await client.embeddings.create({ model: embeddingModel, input: "one" });
    const names = [];
    for await (const item of client.models.list()) names.push(item.id);
    const retrieved = await client.models.retrieve(model);
    return { dimensions: vectors.data[0].embedding.length, names, retrieved: retrieved.id };
  },
  async errors() {
    const stranger = new OpenAI({ baseURL, apiKey: "sk_live_wrong", maxRetries: 0 });
    return {
      key: await caught(stranger.models.list()),
      model: await caught(client.chat.completions.create({ model: "gpt-4oo", messages })),
      body: await caught(client.chat.completions.create({ model: 7, messages })),
    };
  },
  async failure() {
    return await caught(client.chat.completions.create({ model, messages }));
  },
  async cut() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    return await caught((async () => {
      for await (const part of stream) void part;
    })());
  },
  async abort() {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const part of stream) {
      stream.controller.abort();
      return { first: part.choices[0].delta.content };
    }
    return {};
  },
};

console.log(JSON.stringify(await scenarios[scenario]()));
