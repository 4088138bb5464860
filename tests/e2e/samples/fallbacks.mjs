// Fallbacks: what is tried, in order, if the first fails.
import Hyperion from "@hyperion-ai/sdk";

const client = new Hyperion();
const response = await client.chat.completions.create({
  model: "gpt-4o",
  messages: [{ role: "user", content: "Generate a report." }],
  hyperion: { fallbacks: ["gpt-4o-mini", "claude-haiku-4-5"] },
});
const [{ message }] = response.choices;
const { hyperion } = response;
console.log(JSON.stringify({ text: message.content, ran: response.model, hyperion }));
