// What a user writes, for the type checker: never run, but it must be without errors.
import Hyperion, { type Decision, type HyperionOptions, decisionOf } from "../dist/index.js";

export async function sample(client: Hyperion): Promise<string | null> {
  const options: HyperionOptions = { fallbacks: ["gpt-4o-mini"], timeouts: { total_ms: 5000 } };
  const messages = [{ role: "user" as const, content: "Hello." }];
  const answer = await client.chat.completions.create({
    model: "gpt-4o",
    messages,
    hyperion: options,
    smart_routing: true,
  });
  const decision: Decision = answer.hyperion;
  const attempts: number | null = decision.attempts;
  const stream = await client.chat.completions.create({ model: "auto", messages, stream: true });
  const model: string | null = stream.hyperion.model;
  for await (const part of stream) console.log(part.choices[0]?.delta.content, attempts, model);
  const parsed = await client.chat.completions.parse({
    model: "gpt-4o",
    messages,
    hyperion: { max_cost: 0.01 },
  });
  console.log(parsed.hyperion.route_decision?.tier, parsed.choices[0]?.message.parsed);
  const events = client.chat.completions.stream({ model: "auto", messages, smart_routing: true });
  console.log((await events.finalContent()) ?? "", events.hyperion?.model);
  await client.feedback({ request_id: decision.request_id ?? "", good: true });
  const explanation = await client.route.explain({ model: "auto", messages });
  console.log(explanation.class, decisionOf(answer).model);
  // @ts-expect-error: a misspelled option
  await client.chat.completions.create({ model: "m", messages, hyperion: { fallback: [] } });
  // @ts-expect-error: no such field of the decision
  console.log(answer.hyperion.modle);
  // @ts-expect-error: a parameter's type
  await client.chat.completions.create({ model: "m", messages, n: "two" });
  // @ts-expect-error: a score or good, not both
  await client.feedback({ request_id: "r", good: true, score: 1 });
  return answer.choices[0]?.message.content ?? null;
}
