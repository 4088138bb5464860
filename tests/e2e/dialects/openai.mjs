// OpenAI's client for Node: Chat Completions and Responses.
import { bookSchema, faultHeaders, packagesOf } from "./shared.mjs";

function chatMessages(request) {
  if (request.previous) {
    const results = request.results.map((result, at) => ({
      role: "tool",
      tool_call_id: request.previous.calls[at].id,
      content: JSON.stringify(result),
    }));
    return [...request.previous.messages, request.previous.message, ...results];
  }
  const content = request.image
    ? [
        { type: "text", text: request.prompt },
        { type: "image_url", image_url: { url: `data:image/png;base64,${request.image}` } },
      ]
    : request.prompt;
  return [{ role: "user", content }];
}

function chatSeen(completion, messages) {
  const { message, finish_reason: finish } = completion.choices[0];
  return {
    text: message.content ?? "",
    thinking: message.reasoning_content ?? "",
    calls: (message.tool_calls ?? []).map(({ id, function: called }) => ({
      id,
      name: called.name,
      arguments: JSON.parse(called.arguments),
    })),
    finish,
    usage: {
      input: completion.usage.prompt_tokens,
      output: completion.usage.completion_tokens,
      reasoning: completion.usage.completion_tokens_details?.reasoning_tokens,
    },
    object: message.parsed,
    message,
    messages,
  };
}

function chatAsk(client, zodResponseFormat, schema) {
  return async (request) => {
    const messages = chatMessages(request);
    const body = { model: request.model, messages };
    if (request.tools) {
      body.tools = request.tools.map((tool) => ({ type: "function", function: tool }));
    }
    if (request.limit) body.max_completion_tokens = request.limit;
    if (request.effort) body.reasoning_effort = request.effort;
    const options = { headers: faultHeaders(request) };
    if (request.schema) {
      body.response_format = zodResponseFormat(schema, "book");
      return chatSeen(await client.chat.completions.parse(body, options), messages);
    }
    if (!request.stream) {
      return chatSeen(await client.chat.completions.create(body, options), messages);
    }
    const stream = client.chat.completions.stream(
      { ...body, stream_options: { include_usage: true } }, options);
    let thinking = "";
    stream.on("chunk", (chunk) => {
      thinking += chunk.choices[0]?.delta?.reasoning_content ?? "";
    });
    const seen = chatSeen(await stream.finalChatCompletion(), messages);
    return { ...seen, thinking };
  };
}

function responsesInput(request) {
  if (request.previous) {
    const results = request.results.map((result, at) => ({
      type: "function_call_output",
      call_id: request.previous.calls[at].id,
      output: JSON.stringify(result),
    }));
    return [...request.previous.input, ...request.previous.output, ...results];
  }
  const content = [{ type: "input_text", text: request.prompt }];
  if (request.image) {
    const image_url = `data:image/png;base64,${request.image}`;
    content.push({ type: "input_image", image_url, detail: "auto" });
  }
  return [{ role: "user", content }];
}

function responsesSeen(response, input) {
  const calls = response.output.filter((item) => item.type === "function_call");
  const reasoning = response.output.filter((item) => item.type === "reasoning");
  return {
    text: response.output_text,
    thinking: reasoning.flatMap((item) => item.summary.map((part) => part.text)).join(""),
    calls: calls.map((item) => ({
      id: item.call_id, name: item.name, arguments: JSON.parse(item.arguments),
    })),
    finish: response.status,
    usage: {
      input: response.usage.input_tokens,
      output: response.usage.output_tokens,
      reasoning: response.usage.output_tokens_details.reasoning_tokens,
    },
    object: response.output_parsed,
    output: response.output.map(({ parsed_arguments: _, ...item }) => item),
    input,
  };
}

function responsesAsk(client, zodTextFormat, schema) {
  return async (request) => {
    const input = responsesInput(request);
    const body = { model: request.model, input };
    if (request.tools) {
      body.tools = request.tools.map((tool) => ({ type: "function", strict: false, ...tool }));
    }
    if (request.limit) body.max_output_tokens = request.limit;
    if (request.effort) body.reasoning = { effort: request.effort, summary: "auto" };
    const options = { headers: faultHeaders(request) };
    if (request.schema) {
      body.text = { format: zodTextFormat(schema, "book") };
      return responsesSeen(await client.responses.parse(body, options), input);
    }
    if (!request.stream) {
      return responsesSeen(await client.responses.create(body, options), input);
    }
    const stream = client.responses.stream(body, options);
    for await (const event of stream) {
      // The plain iterator leaves it to its user what a response that failed means.
      if (event.type === "response.failed") {
        throw Object.assign(new Error(event.response.error.message), event.response);
      }
    }
    return responsesSeen(await stream.finalResponse(), input);
  };
}

export async function openaiRows(context) {
  const load = packagesOf(context);
  const { OpenAI } = load("openai");
  const { zodResponseFormat, zodTextFormat } = load("openai/helpers/zod");
  const schema = bookSchema(load("zod"));
  const client = new OpenAI({
    baseURL: `${context.gateway}/v1`, apiKey: context.key, maxRetries: 0, timeout: 20000,
  });
  return {
    "openai node, chat": chatAsk(client, zodResponseFormat, schema),
    "openai node, responses": responsesAsk(client, zodTextFormat, schema),
  };
}
