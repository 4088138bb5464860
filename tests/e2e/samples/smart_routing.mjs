// Smart routing: a cheaper model of the same family, if it is good enough for this prompt.
import Hyperion from "@hyperion-ai/sdk";

const client = new Hyperion();
const response = await client.chat.completions.create({
  model: "gpt-5.2",
  messages: [{ role: "user", content: "Analyze this dataset." }],
  extra_body: { smart_routing: true },
});
const [{ message }] = response.choices;
const { hyperion } = response;
console.log(JSON.stringify({ text: message.content, ran: response.model, hyperion }));
