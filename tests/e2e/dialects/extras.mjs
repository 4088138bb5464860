// What clients for Node do beyond the matrix, each against a model of every provider: tools run by
// the client itself until the model has said its last, counting tokens, and their own exceptions.
// dialect_clients_test.py starts it with the name of one extra and judges the JSON it prints.
import process from "node:process";

import { packagesOf } from "./shared.mjs";

const context = JSON.parse(process.argv[2]);
const load = packagesOf(context);
const { OpenAI } = load("openai");
const { Anthropic } = load("@anthropic-ai/sdk");
const { GoogleGenAI } = load("@google/genai");
const ai = load("ai");
globalThis.AI_SDK_LOG_WARNINGS = false;

const patience = { maxRetries: 0, timeout: 20000 };
const openai = (apiKey, more) => new OpenAI({
  baseURL: `${context.gateway}/v1`, apiKey, ...patience, ...more });
const anthropic = (apiKey) => new Anthropic({ baseURL: context.gateway, apiKey, ...patience });
const google = (apiKey) => new GoogleGenAI({
  apiKey, httpOptions: { baseUrl: context.gateway, timeout: 20000 } });

async function caught(promise) {
  try {
    await promise;
    return { class: "nothing was thrown" };
  } catch (error) {
    return { class: error.constructor.name, status: error.status };
  }
}

const calling = { "x-hyperion-fault": "calls:2" };
const prompt = "What is the weather, and what time is it?";

// The simulated model calls only where the fault asks for it: so in the first turn only.
function callingAtFirst(url, options) {
  if (!options.body.includes('"role":"tool"')) {
    options.headers = new Headers(options.headers);
    options.headers.set("x-hyperion-fault", calling["x-hyperion-fault"]);
  }
  return fetch(url, options);
}

const extras = {
  async runTools(model) {
    const client = openai(context.key, { fetch: callingAtFirst });
    const seen = {};
    for (const stream of [false, true]) {
      const called = [];
      const tools = context.tools.map(({ name, description, parameters }) => ({
        type: "function",
        function: {
          name, description, parameters, parse: JSON.parse,
          function: (given) => {
            called.push({ name, given });
            return `result of ${name}`;
          },
        },
      }));
      const runner = client.chat.completions.runTools({
        model, stream, tools, messages: [{ role: "user", content: prompt }] });
      const text = await runner.finalContent();
      const results = runner.messages.filter((message) => message.role === "tool");
      seen[stream ? "streamed" : "plain"] = {
        text, called, results: results.map((message) => message.content),
        calls: runner.messages[1].tool_calls.map((call) => call.id),
      };
    }
    return seen;
  },

  async steps(model) {
    const { tool, jsonSchema, stepCountIs } = ai;
    const seen = {};
    const provider = load("@ai-sdk/openai-compatible").createOpenAICompatible({
      name: "gateway", baseURL: `${context.gateway}/v1`, apiKey: context.key,
      fetch: callingAtFirst,
    });
    for (const stream of [false, true]) {
      const called = [];
      const tools = Object.fromEntries(context.tools.map(({ name, description, parameters }) => [
        name, tool({
          description,
          inputSchema: jsonSchema(parameters),
          execute: async (given) => {
            called.push({ name, given });
            return `result of ${name}`;
          },
        }),
      ]));
      const options = { model: provider(model), prompt, tools, stopWhen: stepCountIs(3),
                        maxRetries: 0 };
      const result = stream ? ai.streamText(options) : await ai.generateText(options);
      seen[stream ? "streamed" : "plain"] = {
        text: await result.text, called, steps: (await result.steps).length,
        finish: await result.finishReason,
      };
    }
    return seen;
  },

  async forced(model) {
    const [weather] = context.tools;
    const { name, description, parameters } = weather;
    const message = await anthropic(context.key).messages.create({
      model, max_tokens: 4096, messages: [{ role: "user", content: prompt }],
      tools: context.tools.map((one) => ({
        name: one.name, description: one.description, input_schema: one.parameters })),
      tool_choice: { type: "tool", name },
    });
    const chat = await openai(context.key).chat.completions.create({
      model, messages: [{ role: "user", content: prompt }], tool_choice: "required",
      tools: [{ type: "function", function: { name, description, parameters } }],
    });
    const answer = await google(context.key).models.generateContent({
      model, contents: prompt, config: {
        tools: [{ functionDeclarations: [{ name, description,
                                           parametersJsonSchema: parameters }] }],
        toolConfig: { functionCallingConfig: { mode: "ANY", allowedFunctionNames: [name] } },
      },
    });
    return {
      anthropic: message.content.filter((block) => block.type === "tool_use")
        .map((block) => [block.name, block.input]),
      chat: chat.choices[0].message.tool_calls
        .map((call) => [call.function.name, JSON.parse(call.function.arguments)]),
      gemini: answer.functionCalls.map((call) => [call.name, call.args]),
    };
  },

  async counts(model) {
    const counted = await anthropic(context.key).messages.countTokens({
      model, messages: [{ role: "user", content: prompt }] });
    const google_counted = await google(context.key).models.countTokens({
      model, contents: prompt });
    return { anthropic: counted.input_tokens, gemini: google_counted.totalTokens };
  },

  async exceptions(model) {
    const stranger = "sk_live_stranger";
    const puts = {
      anthropic: (key, name, content) => anthropic(key).messages.create({
        model: name, max_tokens: 10, messages: [{ role: "user", content }] }),
      responses: (key, name, input) => openai(key).responses.create({ model: name, input }),
      gemini: (key, name, contents) => google(key).models.generateContent({
        model: name, contents }),
    };
    const wrong = {
      anthropic: [{ type: "odd" }], responses: [{ type: "odd" }],
      gemini: [{ role: "odd", parts: [{ text: "Hi." }] }],
    };
    const seen = {};
    for (const [client, put] of Object.entries(puts)) {
      seen[client] = {
        key: await caught(put(stranger, model, prompt)),
        model: await caught(put(context.key, "no-such-model", prompt)),
        body: await caught(put(context.key, model, wrong[client])),
      };
    }
    return seen;
  },
};

const seen = {};
for (const [upstream, model] of Object.entries(context.models)) {
  seen[upstream] = await extras[context.extra](model);
}
console.log(JSON.stringify(seen));
