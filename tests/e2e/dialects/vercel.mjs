// Vercel's `ai`, over its provider of OpenAI-compatible services and its provider of Anthropic.
import { bookSchema, faultHeaders, packagesOf } from "./shared.mjs";

function messagesOf(request) {
  if (request.previous) {
    const content = request.results.map((value, at) => ({
      type: "tool-result",
      toolCallId: request.previous.calls[at].id,
      toolName: request.previous.calls[at].name,
      output: { type: "json", value },
    }));
    return [...request.previous.messages, { role: "tool", content }];
  }
  const content = [{ type: "text", text: request.prompt }];
  if (request.image) {
    content.push({ type: "image", image: request.image, mediaType: "image/png" });
  }
  return [{ role: "user", content }];
}

function usageOf(usage) {
  return {
    input: usage.inputTokens, output: usage.outputTokens, reasoning: usage.reasoningTokens,
  };
}

// The answer of generateText, or the promises of streamText fulfilled.
async function seenIn(result, messages) {
  return {
    text: await result.text,
    thinking: (await result.reasoningText) ?? "",
    calls: (await result.toolCalls).map((call) => ({
      id: call.toolCallId, name: call.toolName, arguments: call.input,
    })),
    finish: await result.finishReason,
    usage: usageOf(await result.usage),
    messages: [...messages, ...(await result.response).messages],
  };
}

function optionsOf(ai, request) {
  const options = { maxRetries: 0, headers: faultHeaders(request) };
  if (request.limit) options.maxOutputTokens = request.limit;
  if (request.tools) {
    options.tools = Object.fromEntries(request.tools.map(({ name, description, parameters }) => [
      name, { description, inputSchema: ai.jsonSchema(parameters) },
    ]));
  }
  if (request.effort) {
    options.providerOptions = {
      gateway: { reasoningEffort: request.effort },
      anthropic: { thinking: { type: "enabled", budgetTokens: 2048 } },
    };
  }
  return options;
}

function asker(ai, modelOf, schema) {
  return async (request) => {
    const messages = messagesOf(request);
    const options = { model: modelOf(request.model), messages, ...optionsOf(ai, request) };
    if (request.schema) {
      const { object, finishReason, usage } = await ai.generateObject({ ...options, schema });
      return { object, finish: finishReason, usage: usageOf(usage) };
    }
    if (!request.stream) return seenIn(await ai.generateText(options), messages);
    const result = ai.streamText({ ...options, onError: () => {} });
    for await (const part of result.fullStream) {
      if (part.type === "error") throw part.error;
    }
    return seenIn(result, messages);
  };
}

export async function vercelRows(context) {
  const load = packagesOf(context);
  const ai = load("ai");
  globalThis.AI_SDK_LOG_WARNINGS = false;
  const schema = bookSchema(load("zod"));
  const compatible = load("@ai-sdk/openai-compatible").createOpenAICompatible({
    name: "gateway", baseURL: `${context.gateway}/v1`, apiKey: context.key, includeUsage: true,
    supportsStructuredOutputs: true,
  });
  const anthropic = load("@ai-sdk/anthropic").createAnthropic({
    baseURL: `${context.gateway}/v1`, apiKey: context.key,
  });
  return {
    "ai, openai-compatible": asker(ai, (model) => compatible(model), schema),
    "ai, anthropic": asker(ai, (model) => anthropic(model), schema),
  };
}
