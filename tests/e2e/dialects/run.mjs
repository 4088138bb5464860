// Runs clients for Node through the scenarios of the dialect matrix against a gateway in front of
// the simulated provider, and prints a line of JSON for each: what the client saw, and what the
// simulator got and billed meanwhile. dialect_matrix_test.py starts it and judges the lines.
//
// A client is a function of the context that gives rows: {name: ask}. `ask(request)` puts one
// request by the client's own means and gives {text, thinking, calls, finish, usage, object} and
// whatever the same client needs to go on from there (`previous`).
import process from "node:process";

import { anthropicRows } from "./anthropic.mjs";
import { geminiRows } from "./gemini.mjs";
import { openaiRows } from "./openai.mjs";
import { vercelRows } from "./vercel.mjs";

const context = JSON.parse(process.argv[2]);

async function fromSimulator(path, options) {
  const answer = await fetch(context.simulator + path, options);
  return answer.json();
}

function described(error) {
  return {
    class: error.constructor.name,
    status: error.status ?? error.statusCode ?? null,
    text: `${error.message} ${error.responseBody ?? ""} ${JSON.stringify(error.error ?? null)}`,
  };
}

// The part of an answer that is judged.
function judged({ text, thinking, calls, finish, usage, object }) {
  return { text, thinking, calls, finish, usage, object };
}

async function puts(ask, requests) {
  const answers = [];
  for (const request of requests) {
    const previous = answers[answers.length - 1];
    answers.push(await ask(request.results ? { ...request, previous } : request));
  }
  return answers.map(judged);
}

async function run(row, ask, upstream, scenario, requests) {
  await fromSimulator("/_simulator/reset", { method: "POST" });
  const line = { row, upstream, scenario };
  try {
    line.answers = await puts(ask, requests);
  } catch (error) {
    line.thrown = described(error);
  }
  line.requests = await fromSimulator("/_simulator/requests");
  line.bill = await fromSimulator("/_simulator/bill");
  console.log(JSON.stringify(line));
}

const rows = {
  ...(await openaiRows(context)),
  ...(await anthropicRows(context)),
  ...(await geminiRows(context)),
  ...(await vercelRows(context)),
};
for (const [row, ask] of Object.entries(rows)) {
  for (const { upstream, scenario, requests } of context.scenarios) {
    await run(row, ask, upstream, scenario, requests);
  }
}
