// Anthropic's client for Node.
import { bookSchema, faultHeaders, packagesOf } from "./shared.mjs";

function messagesOf(request) {
  if (request.previous) {
    const content = request.results.map((result, at) => ({
      type: "tool_result",
      tool_use_id: request.previous.calls[at].id,
      content: JSON.stringify(result),
    }));
    const { messages, blocks } = request.previous;
    return [...messages, { role: "assistant", content: blocks }, { role: "user", content }];
  }
  const content = [{ type: "text", text: request.prompt }];
  if (request.image) {
    const source = { type: "base64", media_type: "image/png", data: request.image };
    content.push({ type: "image", source });
  }
  return [{ role: "user", content }];
}

function seenIn(message, messages) {
  const of = (type) => message.content.filter((block) => block.type === type);
  const usage = message.usage;
  return {
    text: of("text").map((block) => block.text).join(""),
    thinking: of("thinking").map((block) => block.thinking).join(""),
    calls: of("tool_use").map(({ id, name, input }) => ({ id, name, arguments: input })),
    finish: message.stop_reason,
    usage: {
      input: usage.input_tokens + (usage.cache_read_input_tokens ?? 0)
        + (usage.cache_creation_input_tokens ?? 0),
      output: usage.output_tokens,
    },
    object: message.parsed_output,
    blocks: message.content.map(({ parsed_output: _, ...block }) => block),
    messages,
  };
}

export async function anthropicRows(context) {
  const load = packagesOf(context);
  const { Anthropic } = load("@anthropic-ai/sdk");
  const { zodOutputFormat } = load("@anthropic-ai/sdk/helpers/zod");
  const schema = bookSchema(load("zod"));
  const client = new Anthropic({
    baseURL: context.gateway, apiKey: context.key, maxRetries: 0, timeout: 20000,
  });
  const ask = async (request) => {
    const messages = messagesOf(request);
    const body = { model: request.model, max_tokens: request.limit ?? 4096, messages };
    if (request.tools) {
      body.tools = request.tools.map(({ name, description, parameters }) => ({
        name, description, input_schema: parameters,
      }));
    }
    if (request.effort) body.thinking = { type: "enabled", budget_tokens: 2048 };
    const options = { headers: faultHeaders(request) };
    if (request.schema) {
      body.output_config = { format: zodOutputFormat(schema) };
      return seenIn(await client.messages.parse(body, options), messages);
    }
    const answer = request.stream
      ? client.messages.stream(body, options).finalMessage()
      : client.messages.create(body, options);
    return seenIn(await answer, messages);
  };
  return { "@anthropic-ai/sdk": ask };
}
