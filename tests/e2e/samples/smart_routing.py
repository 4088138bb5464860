"""Smart routing: a cheaper model of the same family, if it is good enough for this prompt."""

import dataclasses
import json

from hyperion import Hyperion

client = Hyperion()
response = client.chat.completions.create(
    model="gpt-5.2",
    messages=[{"role": "user", "content": "Analyze this dataset."}],
    extra_body={"smart_routing": True},
)
print(json.dumps({"text": response.choices[0].message.content, "ran": response.model,
                  "hyperion": dataclasses.asdict(response.hyperion)}))
