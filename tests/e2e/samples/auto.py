"""Auto: whatever is good enough and cheapest, of every provider."""

import dataclasses
import json

from hyperion import Hyperion

client = Hyperion()
response = client.chat.completions.create(
    model="auto",
    messages=[{"role": "user", "content": "What is the capital of France?"}],
)
print(json.dumps({"text": response.choices[0].message.content, "ran": response.model,
                  "hyperion": dataclasses.asdict(response.hyperion)}))
