// Embeddings of Gemini for OpenAI's clients.
//
// `POST /v1/embeddings` becomes `:batchEmbedContents`, and its answer comes back as OpenAI's list.
// Token numbers as input are refused: they mean something to OpenAI's tokeniser only. The vectors
// are the provider's: gemini-embedding-001 gives vectors of length 1 at its full dimension only,
// while OpenAI's always have it. Vertex AI has no such method and is refused. Pure; no allocation
// but the output's.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/language.h"

namespace hyperion::dialect::gemini {

// What the answer must know of the request.
struct EmbeddingForm {
  bool base64 = false;  // encoding_format: little-endian float32 (OpenAI's Python client asks so)
  uint32_t inputs = 0;
};

// `body`: OpenAI's, valid JSON. The path is write_action_path(model, ":batchEmbedContents", ...).
bool encode_embeddings(std::string_view body, const Target& target, json::Output& out,
                       EmbeddingForm& form, Notes& notes);

// Writes OpenAI's answer; `model` is plain. `usage` is what the provider said: gemini-embedding-001
// says nothing, then it stays unknown, and the numbers OpenAI's clients insist on are 0. False: the
// provider's answer is not what it must be (or holds another number of vectors than of inputs), or
// `out` is full; what was written is taken back.
bool write_embeddings(std::string_view answer, const EmbeddingForm& form, std::string_view model,
                      json::Output& out, Usage& usage);

}  // namespace hyperion::dialect::gemini
