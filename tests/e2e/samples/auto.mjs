// Auto: whatever is good enough and cheapest, of every provider.
import Hyperion from "@hyperion-ai/sdk";

const client = new Hyperion();
const response = await client.chat.completions.create({
  model: "auto",
  messages: [{ role: "user", content: "What is the capital of France?" }],
});
const [{ message }] = response.choices;
const { hyperion } = response;
console.log(JSON.stringify({ text: message.content, ran: response.model, hyperion }));
