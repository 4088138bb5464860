// Google's client for Node.
import { bookSchema, faultHeaders, packagesOf } from "./shared.mjs";

function contentsOf(request) {
  if (request.previous) {
    const { contents, parts, calls } = request.previous;
    const responses = request.results.map((response, at) => {
      const { id, name } = calls[at];
      return { functionResponse: id ? { id, name, response } : { name, response } };
    });
    return [...contents, { role: "model", parts }, { role: "user", parts: responses }];
  }
  const parts = [{ text: request.prompt }];
  if (request.image) parts.push({ inlineData: { mimeType: "image/png", data: request.image } });
  return [{ role: "user", parts }];
}

function configOf(request, zod) {
  const config = { httpOptions: { headers: faultHeaders(request) } };
  if (request.tools) {
    const functionDeclarations = request.tools.map(({ name, description, parameters }) => ({
      name, description, parametersJsonSchema: parameters,
    }));
    config.tools = [{ functionDeclarations }];
  }
  if (request.limit) config.maxOutputTokens = request.limit;
  if (request.effort) {
    config.thinkingConfig = { thinkingLevel: request.effort.toUpperCase(), includeThoughts: true };
  }
  if (request.schema) {
    config.responseMimeType = "application/json";
    config.responseJsonSchema = zod.toJSONSchema(bookSchema(zod));
  }
  return config;
}

function seenIn(answers, contents, withSchema) {
  const parts = answers.flatMap((answer) => answer.candidates?.[0]?.content?.parts ?? []);
  const text = parts.map((part) => (part.thought ? "" : part.text ?? "")).join("");
  const calls = parts.filter((part) => part.functionCall).map(({ functionCall }) => ({
    id: functionCall.id, name: functionCall.name, arguments: functionCall.args ?? {},
  }));
  const usage = answers.findLast((answer) => answer.usageMetadata).usageMetadata;
  const finishes = answers.map((answer) => answer.candidates?.[0]?.finishReason).filter(Boolean);
  return {
    text,
    thinking: parts.map((part) => (part.thought ? part.text ?? "" : "")).join(""),
    calls,
    finish: finishes.join(", "),
    usage: {
      input: usage.promptTokenCount,
      output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
      reasoning: usage.thoughtsTokenCount,
    },
    object: withSchema ? JSON.parse(text) : undefined,
    parts,
    contents,
  };
}

export async function geminiRows(context) {
  const load = packagesOf(context);
  const { GoogleGenAI } = load("@google/genai");
  const zod = load("zod");
  const client = new GoogleGenAI({
    apiKey: context.key, httpOptions: { baseUrl: context.gateway, timeout: 20000 },
  });
  const ask = async (request) => {
    const contents = contentsOf(request);
    const body = { model: request.model, contents, config: configOf(request, zod) };
    const answers = [];
    if (request.stream) {
      const stream = await client.models.generateContentStream(body);
      for await (const answer of stream) answers.push(answer);
    } else {
      answers.push(await client.models.generateContent(body));
    }
    return seenIn(answers, contents, request.schema);
  };
  return { "@google/genai": ask };
}
