"""OpenAI's own schema of what its clients read, for every answer and chunk that is ours."""

import functools
import json

import jsonschema

from harness.said import documents_of
from harness.shared_data import shared_folder

CHUNK, ANSWER, ERROR, EMBEDDINGS = (
    "CreateChatCompletionStreamResponse", "CreateChatCompletionResponse", "ErrorResponse",
    "CreateEmbeddingResponse")


@functools.cache
def validator_of(name: str) -> jsonschema.Draft202012Validator:
    path = shared_folder("recorded", "schema") / "openai-chat.schema.json"
    schema = json.loads(path.read_text(encoding="utf-8"))
    assert name in schema["$defs"], name
    return jsonschema.Draft202012Validator({**schema, "$ref": f"#/$defs/{name}"})


def validate_chat(body: bytes, streamed: bool) -> int:
    """Every document of a chat answer; how many there were."""
    documents = documents_of(body.decode()) if streamed else [json.loads(body)]
    documents = [item for item in documents if item != "[DONE]"]
    for item in documents:
        name = ERROR if "error" in item else CHUNK if streamed else ANSWER
        validator_of(name).validate(item)
    return len(documents)
