"""Fallbacks: what is tried, in order, if the first fails."""

import dataclasses
import json

from hyperion import Hyperion

client = Hyperion()
response = client.chat.completions.create(
    model="gpt-4o",
    messages=[{"role": "user", "content": "Generate a report."}],
    hyperion={"fallbacks": ["gpt-4o-mini", "claude-haiku-4-5"]},
)
print(json.dumps({"text": response.choices[0].message.content, "ran": response.model,
                  "hyperion": dataclasses.asdict(response.hyperion)}))
