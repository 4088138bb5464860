// What some 250 names stand for in two environments of one conf. The expectations were worked out
// from the contract's order of resolution by a second reading of it, in another language.
#include <algorithm>

#include <doctest/doctest.h>

#include "catalog/catalog.h"

using namespace hyperion::catalog;

namespace {

struct ModelRow {
  const char *id, *family, *series, *aliases;
  Status status;
  const char* successor;
};

constexpr ModelRow model_rows[] = {
    {"gpt-4o-2024-05-13", "openai", "", "", Status::deprecated, ""},
    {"gpt-4o-2024-08-06", "openai", "", "", Status::active, ""},
    {"gpt-4o-2024-11-20", "openai", "", "", Status::active, ""},
    {"gpt-4o-2025-03-01", "openai", "", "", Status::preview, ""},
    {"gpt-4o-mini-2024-07-18", "openai", "gpt-mini", "small", Status::active, ""},
    {"gpt-4.1-2025-04-14", "openai", "", "", Status::active, ""},
    {"gpt-4.1-mini-2025-04-14", "openai", "gpt-mini", "", Status::active, ""},
    {"gpt-4.1-nano-2025-04-14", "openai", "gpt-nano", "", Status::deprecated, ""},
    {"gpt-5-2025-08-07", "openai", "gpt-flagship", "", Status::active, ""},
    {"gpt-5-mini-2025-08-07", "openai", "gpt-mini", "", Status::active, ""},
    {"gpt-5-nano-2025-08-07", "openai", "gpt-nano", "", Status::active, ""},
    {"gpt-5.2-2025-12-11", "openai", "gpt-flagship", "", Status::active, ""},
    {"gpt-5.10-2026-02-01", "openai", "gpt-flagship", "", Status::active, ""},
    {"gpt-5.9-2026-05-01", "openai", "gpt-flagship", "", Status::active, ""},
    {"o3-2025-04-16", "openai", "", "", Status::active, ""},
    {"o4-mini-2025-04-16", "openai", "", "", Status::active, ""},
    {"gpt-6-sol", "openai", "gpt-sol", "gpt-6", Status::active, ""},
    {"gpt-6.1-sol", "openai", "gpt-sol", "", Status::active, ""},
    {"gpt-3.5-turbo", "openai", "", "", Status::active, ""},
    {"gpt-3.5-turbo-1106", "openai", "", "", Status::retired, "gpt-4o-mini"},
    {"gpt-4-0613", "openai", "", "", Status::retired, ""},
    {"text-embedding-3-small", "openai", "", "", Status::active, ""},
    {"claude-3-haiku-20240307", "anthropic", "claude-haiku,haiku", "", Status::retired, "haiku"},
    {"claude-3-5-haiku-20241022", "anthropic", "claude-haiku,haiku", "claude-3-5-haiku-latest",
     Status::deprecated, ""},
    {"claude-haiku-4-5-20251001", "anthropic", "claude-haiku,haiku", "", Status::active, ""},
    {"claude-haiku-5-5", "anthropic", "claude-haiku,haiku", "", Status::active, ""},
    {"claude-sonnet-4-20250514", "anthropic", "claude-sonnet,sonnet", "", Status::retired, ""},
    {"claude-sonnet-4-5-20250929", "anthropic", "claude-sonnet,sonnet", "", Status::active, ""},
    {"claude-sonnet-4-6", "anthropic", "claude-sonnet,sonnet", "", Status::active, ""},
    {"claude-opus-4-1-20250805", "anthropic", "claude-opus,opus", "claude-opus-4-1-latest",
     Status::active, ""},
    {"claude-opus-4-10", "anthropic", "claude-opus,opus", "", Status::active, ""},
    {"claude-opus-4-9", "anthropic", "claude-opus,opus", "", Status::active, ""},
    {"gemini-2.5-pro", "google", "gemini-pro", "", Status::active, ""},
    {"gemini-3-pro-preview", "google", "gemini-pro", "", Status::preview, ""},
    {"gemini-2.5-flash", "google", "gemini-flash", "", Status::active, ""},
    {"gemini-3.5-flash", "google", "gemini-flash", "", Status::active, ""},
    {"gemini-3-flash-preview", "google", "gemini-flash", "", Status::preview, ""},
    {"gemini-2.5-flash-lite", "google", "gemini-flash-lite", "", Status::active, ""},
    {"openai/gpt-oss-120b", "groq", "", "", Status::active, ""},
    {"llama-3.3-70b-versatile", "groq", "llama", "", Status::active, ""},
    {"mistral-large-2512", "mistral", "mistral-large", "", Status::active, ""},
    {"magistral-medium", "mistral", "magistral", "", Status::active, ""},
};

struct NameRow {
  std::string_view name;
  std::string_view production;  // "deployment match", or what is wrong
  std::string_view staging = production;
};

const NameRow name_rows[] = {
    {"chat", "chat deployment"},
    {"fast", "fast deployment"},
    {"gpt-4o", "openai/gpt-4o-2024-11-20 moving", "gpt-4o deployment"},
    {"best", "anthropic/claude-opus-4-10 environment_alias",
     "anthropic/claude-sonnet-4-6 environment_alias"},
    {"cheap", "anthropic/claude-haiku-5-5 alias"},
    {"nested", "anthropic/claude-haiku-5-5 alias"},
    {"mine", "local/qwen-7b alias"},
    {"old", "openai/gpt-4o-2024-08-06 alias"},
    {"gpt-5", "openai/gpt-5.10-2026-02-01 alias"},
    {"o3", "openai/o3-2025-04-16 moving", "openai/o4-mini-2025-04-16 environment_alias"},
    {"talk", "chat alias"},
    {"gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13 dated_id"},
    {"gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06 dated_id"},
    {"gpt-4o-2024-11-20", "openai/gpt-4o-2024-11-20 dated_id"},
    {"gpt-4o-2025-03-01", "openai/gpt-4o-2025-03-01 dated_id"},
    {"gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini-2024-07-18 dated_id"},
    {"gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18 moving"},
    {"small", "openai/gpt-4o-mini-2024-07-18 catalog"},
    {"gpt-mini", "openai/gpt-5-mini-2025-08-07 series"},
    {"gpt-4.1-2025-04-14", "openai/gpt-4.1-2025-04-14 dated_id"},
    {"gpt-4.1", "openai/gpt-4.1-2025-04-14 moving"},
    {"gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini-2025-04-14 dated_id"},
    {"gpt-4.1-mini", "openai/gpt-4.1-mini-2025-04-14 moving"},
    {"gpt-4.1-nano-2025-04-14", "openai/gpt-4.1-nano-2025-04-14 dated_id"},
    {"gpt-4.1-nano", "openai/gpt-4.1-nano-2025-04-14 moving"},
    {"gpt-nano", "openai/gpt-5-nano-2025-08-07 series"},
    {"gpt-5-2025-08-07", "openai/gpt-5-2025-08-07 dated_id"},
    {"gpt-flagship", "openai/gpt-5.10-2026-02-01 series"},
    {"gpt-5-mini-2025-08-07", "openai/gpt-5-mini-2025-08-07 dated_id"},
    {"gpt-5-mini", "openai/gpt-5-mini-2025-08-07 moving"},
    {"gpt-5-nano-2025-08-07", "openai/gpt-5-nano-2025-08-07 dated_id"},
    {"gpt-5-nano", "openai/gpt-5-nano-2025-08-07 moving"},
    {"gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11 dated_id"},
    {"gpt-5.2", "openai/gpt-5.2-2025-12-11 moving"},
    {"gpt-5.10-2026-02-01", "openai/gpt-5.10-2026-02-01 dated_id"},
    {"gpt-5.10", "openai/gpt-5.10-2026-02-01 moving"},
    {"gpt-5.9-2026-05-01", "openai/gpt-5.9-2026-05-01 dated_id"},
    {"gpt-5.9", "openai/gpt-5.9-2026-05-01 moving"},
    {"o3-2025-04-16", "openai/o3-2025-04-16 dated_id"},
    {"o4-mini-2025-04-16", "openai/o4-mini-2025-04-16 dated_id"},
    {"o4-mini", "openai/o4-mini-2025-04-16 moving"},
    {"gpt-6-sol", "openai/gpt-6-sol plain_id"},
    {"gpt-6", "openai/gpt-6-sol catalog"},
    {"gpt-sol", "openai/gpt-6.1-sol series"},
    {"gpt-6.1-sol", "openai/gpt-6.1-sol plain_id"},
    {"gpt-3.5-turbo", "openai/gpt-3.5-turbo plain_id"},
    {"gpt-3.5-turbo-1106", "retired gpt-3.5-turbo-1106"},
    {"gpt-4-0613", "retired gpt-4-0613"},
    {"text-embedding-3-small", "openai/text-embedding-3-small plain_id"},
    {"claude-3-haiku-20240307", "retired claude-3-haiku-20240307"},
    {"claude-3-haiku", "retired claude-3-haiku-20240307"},
    {"claude-haiku", "anthropic/claude-haiku-5-5 series"},
    {"haiku", "anthropic/claude-haiku-5-5 series"},
    {"claude-3-5-haiku-20241022", "anthropic/claude-3-5-haiku-20241022 dated_id"},
    {"claude-3-5-haiku", "anthropic/claude-3-5-haiku-20241022 moving"},
    {"claude-3-5-haiku-latest", "anthropic/claude-3-5-haiku-20241022 catalog"},
    {"claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5-20251001 dated_id"},
    {"claude-haiku-4-5", "anthropic/claude-haiku-4-5-20251001 moving"},
    {"claude-haiku-5-5", "anthropic/claude-haiku-5-5 plain_id"},
    {"claude-sonnet-4-20250514", "retired claude-sonnet-4-20250514"},
    {"claude-sonnet-4", "retired claude-sonnet-4-20250514"},
    {"claude-sonnet", "anthropic/claude-sonnet-4-6 series"},
    {"sonnet", "anthropic/claude-sonnet-4-6 series"},
    {"claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5-20250929 dated_id"},
    {"claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929 moving"},
    {"claude-sonnet-4-6", "anthropic/claude-sonnet-4-6 plain_id"},
    {"claude-opus-4-1-20250805", "anthropic/claude-opus-4-1-20250805 dated_id"},
    {"claude-opus-4-1", "anthropic/claude-opus-4-1-20250805 moving"},
    {"claude-opus-4-1-latest", "anthropic/claude-opus-4-1-20250805 catalog"},
    {"claude-opus", "anthropic/claude-opus-4-10 series"},
    {"opus", "anthropic/claude-opus-4-10 series"},
    {"claude-opus-4-10", "anthropic/claude-opus-4-10 plain_id"},
    {"claude-opus-4-9", "anthropic/claude-opus-4-9 plain_id"},
    {"gemini-2.5-pro", "gemini/gemini-2.5-pro plain_id"},
    {"gemini-pro", "gemini/gemini-2.5-pro series"},
    {"gemini-3-pro-preview", "gemini/gemini-3-pro-preview plain_id"},
    {"gemini-2.5-flash", "gemini/gemini-2.5-flash plain_id"},
    {"gemini-flash", "gemini/gemini-3.5-flash series"},
    {"gemini-3.5-flash", "gemini/gemini-3.5-flash plain_id"},
    {"gemini-3-flash-preview", "gemini/gemini-3-flash-preview plain_id"},
    {"gemini-2.5-flash-lite", "gemini/gemini-2.5-flash-lite plain_id"},
    {"gemini-flash-lite", "gemini/gemini-2.5-flash-lite series"},
    {"openai/gpt-oss-120b", "groq/openai/gpt-oss-120b plain_id"},
    {"llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile plain_id"},
    {"llama", "groq/llama-3.3-70b-versatile series"},
    {"mistral-large-2512", "unserved mistral-large-2512"},
    {"mistral-large", "unserved mistral-large-2512"},
    {"magistral-medium", "unserved magistral-medium"},
    {"magistral", "unserved magistral-medium"},
    {"openai/gpt-4o-2024-05-13", "openai/gpt-4o-2024-05-13 provider"},
    {"openai/gpt-4o", "openai/gpt-4o-2024-11-20 provider"},
    {"eu/gpt-4o-2024-05-13", "eu/gpt-4o-2024-05-13 provider"},
    {"openai/gpt-4o-2024-08-06", "openai/gpt-4o-2024-08-06 provider"},
    {"eu/gpt-4o-2024-08-06", "eu/gpt-4o-2024-08-06 provider"},
    {"openai/gpt-4o-2024-11-20", "openai/gpt-4o-2024-11-20 provider"},
    {"eu/gpt-4o-2024-11-20", "eu/gpt-4o-2024-11-20 provider"},
    {"openai/gpt-4o-2025-03-01", "openai/gpt-4o-2025-03-01 provider"},
    {"eu/gpt-4o-2025-03-01", "eu/gpt-4o-2025-03-01 provider"},
    {"openai/gpt-4o-mini-2024-07-18", "openai/gpt-4o-mini-2024-07-18 provider"},
    {"openai/gpt-4o-mini", "openai/gpt-4o-mini-2024-07-18 provider"},
    {"openai/small", "openai/gpt-4o-mini-2024-07-18 provider"},
    {"openai/gpt-mini", "openai/gpt-5-mini-2025-08-07 provider"},
    {"eu/gpt-4o-mini-2024-07-18", "eu/gpt-4o-mini-2024-07-18 provider"},
    {"openai/gpt-4.1-2025-04-14", "openai/gpt-4.1-2025-04-14 provider"},
    {"openai/gpt-4.1", "openai/gpt-4.1-2025-04-14 provider"},
    {"eu/gpt-4.1-2025-04-14", "eu/gpt-4.1-2025-04-14 provider"},
    {"openai/gpt-4.1-mini-2025-04-14", "openai/gpt-4.1-mini-2025-04-14 provider"},
    {"openai/gpt-4.1-mini", "openai/gpt-4.1-mini-2025-04-14 provider"},
    {"eu/gpt-4.1-mini-2025-04-14", "eu/gpt-4.1-mini-2025-04-14 provider"},
    {"openai/gpt-4.1-nano-2025-04-14", "openai/gpt-4.1-nano-2025-04-14 provider"},
    {"openai/gpt-4.1-nano", "openai/gpt-4.1-nano-2025-04-14 provider"},
    {"openai/gpt-nano", "openai/gpt-5-nano-2025-08-07 provider"},
    {"eu/gpt-4.1-nano-2025-04-14", "eu/gpt-4.1-nano-2025-04-14 provider"},
    {"openai/gpt-5-2025-08-07", "openai/gpt-5-2025-08-07 provider"},
    {"openai/gpt-5", "openai/gpt-5-2025-08-07 provider"},
    {"openai/gpt-flagship", "openai/gpt-5.10-2026-02-01 provider"},
    {"eu/gpt-5-2025-08-07", "eu/gpt-5-2025-08-07 provider"},
    {"openai/gpt-5-mini-2025-08-07", "openai/gpt-5-mini-2025-08-07 provider"},
    {"openai/gpt-5-mini", "openai/gpt-5-mini-2025-08-07 provider"},
    {"eu/gpt-5-mini-2025-08-07", "eu/gpt-5-mini-2025-08-07 provider"},
    {"openai/gpt-5-nano-2025-08-07", "openai/gpt-5-nano-2025-08-07 provider"},
    {"openai/gpt-5-nano", "openai/gpt-5-nano-2025-08-07 provider"},
    {"eu/gpt-5-nano-2025-08-07", "eu/gpt-5-nano-2025-08-07 provider"},
    {"openai/gpt-5.2-2025-12-11", "openai/gpt-5.2-2025-12-11 provider"},
    {"openai/gpt-5.2", "openai/gpt-5.2-2025-12-11 provider"},
    {"eu/gpt-5.2-2025-12-11", "eu/gpt-5.2-2025-12-11 provider"},
    {"openai/gpt-5.10-2026-02-01", "openai/gpt-5.10-2026-02-01 provider"},
    {"openai/gpt-5.10", "openai/gpt-5.10-2026-02-01 provider"},
    {"eu/gpt-5.10-2026-02-01", "eu/gpt-5.10-2026-02-01 provider"},
    {"openai/gpt-5.9-2026-05-01", "openai/gpt-5.9-2026-05-01 provider"},
    {"openai/gpt-5.9", "openai/gpt-5.9-2026-05-01 provider"},
    {"eu/gpt-5.9-2026-05-01", "eu/gpt-5.9-2026-05-01 provider"},
    {"openai/o3-2025-04-16", "openai/o3-2025-04-16 provider"},
    {"openai/o3", "openai/o3-2025-04-16 provider"},
    {"eu/o3-2025-04-16", "eu/o3-2025-04-16 provider"},
    {"openai/o4-mini-2025-04-16", "openai/o4-mini-2025-04-16 provider"},
    {"openai/o4-mini", "openai/o4-mini-2025-04-16 provider"},
    {"eu/o4-mini-2025-04-16", "eu/o4-mini-2025-04-16 provider"},
    {"openai/gpt-6-sol", "openai/gpt-6-sol provider"},
    {"openai/gpt-6", "openai/gpt-6-sol provider"},
    {"openai/gpt-sol", "openai/gpt-6.1-sol provider"},
    {"eu/gpt-6-sol", "eu/gpt-6-sol provider"},
    {"openai/gpt-6.1-sol", "openai/gpt-6.1-sol provider"},
    {"eu/gpt-6.1-sol", "eu/gpt-6.1-sol provider"},
    {"openai/gpt-3.5-turbo", "openai/gpt-3.5-turbo provider"},
    {"eu/gpt-3.5-turbo", "eu/gpt-3.5-turbo provider"},
    {"openai/gpt-3.5-turbo-1106", "retired gpt-3.5-turbo-1106"},
    {"eu/gpt-3.5-turbo-1106", "unknown"},
    {"openai/gpt-4-0613", "retired gpt-4-0613"},
    {"eu/gpt-4-0613", "unknown"},
    {"openai/text-embedding-3-small", "openai/text-embedding-3-small provider"},
    {"eu/text-embedding-3-small", "eu/text-embedding-3-small provider"},
    {"anthropic/claude-3-haiku-20240307", "retired claude-3-haiku-20240307"},
    {"anthropic/claude-3-haiku", "retired claude-3-haiku-20240307"},
    {"anthropic/claude-haiku", "anthropic/claude-haiku-5-5 provider"},
    {"anthropic/haiku", "anthropic/claude-haiku-5-5 provider"},
    {"anthropic/claude-3-5-haiku-20241022", "anthropic/claude-3-5-haiku-20241022 provider"},
    {"anthropic/claude-3-5-haiku", "anthropic/claude-3-5-haiku-20241022 provider"},
    {"anthropic/claude-3-5-haiku-latest", "anthropic/claude-3-5-haiku-20241022 provider"},
    {"anthropic/claude-haiku-4-5-20251001", "anthropic/claude-haiku-4-5-20251001 provider"},
    {"anthropic/claude-haiku-4-5", "anthropic/claude-haiku-4-5-20251001 provider"},
    {"anthropic/claude-haiku-5-5", "anthropic/claude-haiku-5-5 provider"},
    {"anthropic/claude-sonnet-4-20250514", "retired claude-sonnet-4-20250514"},
    {"anthropic/claude-sonnet-4", "retired claude-sonnet-4-20250514"},
    {"anthropic/claude-sonnet", "anthropic/claude-sonnet-4-6 provider"},
    {"anthropic/sonnet", "anthropic/claude-sonnet-4-6 provider"},
    {"anthropic/claude-sonnet-4-5-20250929", "anthropic/claude-sonnet-4-5-20250929 provider"},
    {"anthropic/claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929 provider"},
    {"anthropic/claude-sonnet-4-6", "anthropic/claude-sonnet-4-6 provider"},
    {"anthropic/claude-opus-4-1-20250805", "anthropic/claude-opus-4-1-20250805 provider"},
    {"anthropic/claude-opus-4-1", "anthropic/claude-opus-4-1-20250805 provider"},
    {"anthropic/claude-opus-4-1-latest", "anthropic/claude-opus-4-1-20250805 provider"},
    {"anthropic/claude-opus", "anthropic/claude-opus-4-10 provider"},
    {"anthropic/opus", "anthropic/claude-opus-4-10 provider"},
    {"anthropic/claude-opus-4-10", "anthropic/claude-opus-4-10 provider"},
    {"anthropic/claude-opus-4-9", "anthropic/claude-opus-4-9 provider"},
    {"google/gemini-2.5-pro", "gemini/gemini-2.5-pro provider"},
    {"google/gemini-pro", "gemini/gemini-2.5-pro provider"},
    {"gemini/gemini-2.5-pro", "gemini/gemini-2.5-pro provider"},
    {"google/gemini-3-pro-preview", "gemini/gemini-3-pro-preview provider"},
    {"gemini/gemini-3-pro-preview", "gemini/gemini-3-pro-preview provider"},
    {"google/gemini-2.5-flash", "gemini/gemini-2.5-flash provider"},
    {"google/gemini-flash", "gemini/gemini-3.5-flash provider"},
    {"gemini/gemini-2.5-flash", "gemini/gemini-2.5-flash provider"},
    {"google/gemini-3.5-flash", "gemini/gemini-3.5-flash provider"},
    {"gemini/gemini-3.5-flash", "gemini/gemini-3.5-flash provider"},
    {"google/gemini-3-flash-preview", "gemini/gemini-3-flash-preview provider"},
    {"gemini/gemini-3-flash-preview", "gemini/gemini-3-flash-preview provider"},
    {"google/gemini-2.5-flash-lite", "gemini/gemini-2.5-flash-lite provider"},
    {"google/gemini-flash-lite", "gemini/gemini-2.5-flash-lite provider"},
    {"gemini/gemini-2.5-flash-lite", "gemini/gemini-2.5-flash-lite provider"},
    {"groq/openai/gpt-oss-120b", "groq/openai/gpt-oss-120b provider"},
    {"groq/llama-3.3-70b-versatile", "groq/llama-3.3-70b-versatile provider"},
    {"groq/llama", "groq/llama-3.3-70b-versatile provider"},
    {"mistral/mistral-large-2512", "unserved mistral-large-2512"},
    {"mistral/mistral-large", "unserved mistral-large-2512"},
    {"mistral/magistral-medium", "unserved magistral-medium"},
    {"mistral/magistral", "unserved magistral-medium"},
    {"eu/gpt-4o", "eu/gpt-4o-2024-11-20 provider"},
    {"eu/gpt-mini", "eu/gpt-5-mini-2025-08-07 provider"},
    {"eu/gpt-sol", "eu/gpt-6.1-sol provider"},
    {"eu/small", "eu/gpt-4o-mini-2024-07-18 provider"},
    {"eu/claude-haiku-5-5", "unknown"},
    {"gemini/gemini-flash", "gemini/gemini-3.5-flash provider"},
    {"gemini/gemini-pro", "gemini/gemini-2.5-pro provider"},
    {"groq/gpt-oss-120b", "unknown"},
    {"local/qwen-7b", "local/* open"},
    {"local/gpt-4o", "local/* open"},
    {"local/", "unknown"},
    {"local", "unknown"},
    {"local/a b", "unknown"},
    {"local/\xc3\xbcn\xc3\xaf", "unknown"},
    {"local/\"", "unknown"},
    {"local/a\\b", "unknown"},
    {"openai/", "unknown"},
    {"/gpt-4o", "unknown"},
    {"/", "unknown"},
    {"auto", "unknown"},
    {"", "unknown"},
    {"GPT-4o", "unknown"},
    {"gpt-4o ", "unknown"},
    {" gpt-4o", "unknown"},
    {"gpt-4o-2024-11-21", "unknown"},
    {"gpt-4o-2024-13-45", "unknown"},
    {"gpt-4o-20241120", "unknown"},
    {"gpt-4o-latest", "unknown"},
    {"gpt-5.2-2025-12-12", "unknown"},
    {"gpt-5.20", "unknown"},
    {"gpt-5.1", "unknown"},
    {"gpt4o", "unknown"},
    {"claude", "unknown"},
    {"claude-haiku-4", "unknown"},
    {"claude-haiku-5", "unknown"},
    {"claude-3-haiku-20240308", "unknown"},
    {"sonnet-4-5", "unknown"},
    {"haiku-4-5", "unknown"},
    {"gemini", "unknown"},
    {"gemini-flash-2.5", "unknown"},
    {"models/gemini-2.5-pro", "unknown"},
    {"mistral/gpt-4o", "unknown"},
    {"openai/haiku", "unknown"},
    {"anthropic/gpt-4o", "unknown"},
    {"eu/chat", "unknown"},
    {"openai/chat", "unknown"},
    {"openai/openai/gpt-4o", "unknown"},
    {"chat/gpt-4o", "unknown"},
    {"gpt-4o/openai", "unknown"},
};

std::vector<std::string> split(std::string_view list) {
  std::vector<std::string> result;
  while (!list.empty()) {
    const size_t comma = std::min(list.find(','), list.size());
    result.emplace_back(list.substr(0, comma));
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  return result;
}

template <class T>
void add(std::vector<Placed<T>>& list, T value) {
  list.push_back({std::move(value), {0, static_cast<uint32_t>(list.size() + 1)}});
}

void add_provider(Draft& draft, const char* name, const char* family, bool open = false) {
  Provider provider;
  provider.name = name;
  provider.serves = {family};
  provider.passthrough_unknown_models = open;
  add(draft.providers, std::move(provider));
}

Draft draft(const char* environment) {
  Draft result;
  result.environment = environment;
  for (const ModelRow& row : model_rows) {
    Model model;
    model.id = row.id;
    model.family = row.family;
    model.series = split(row.series);
    model.aliases = split(row.aliases);
    model.status = row.status;
    model.successor = row.successor;
    add(result.models, std::move(model));
  }
  add_provider(result, "openai", "openai");
  add_provider(result, "eu", "openai");
  add_provider(result, "anthropic", "anthropic");
  add_provider(result, "gemini", "google");
  add_provider(result, "groq", "groq");
  add_provider(result, "local", "none", true);
  add(result.deployments, DeploymentDraft{"fast", "gpt-4o-mini", "openai", "", {}});
  add(result.deployments, DeploymentDraft{"chat", "gpt-4o", "openai", "", {"production"}});
  add(result.deployments, DeploymentDraft{"chat", "gpt-4o-mini", "eu", "", {"staging"}});
  add(result.deployments, DeploymentDraft{"gpt-4o", "gpt-4o-2024-08-06", "eu", "", {"staging"}});
  EnvironmentDraft production{"production", {}}, staging{"staging", {}};
  add(production.aliases, AliasDraft{"best", "opus"});
  add(staging.aliases, AliasDraft{"best", "sonnet"});
  add(staging.aliases, AliasDraft{"o3", "o4-mini"});
  add(result.environments, std::move(production));
  add(result.environments, std::move(staging));
  for (const auto& [name, target] :
       std::initializer_list<std::pair<const char*, const char*>>{{"best", "gpt-5.2"},
                                                                  {"cheap", "haiku"},
                                                                  {"nested", "cheap"},
                                                                  {"mine", "local/qwen-7b"},
                                                                  {"old", "gpt-4o-2024-08-06"},
                                                                  {"gpt-5", "gpt-5.10"},
                                                                  {"talk", "chat"}}) {
    add(result.aliases, AliasDraft{name, target});
  }
  return result;
}

Catalog build(Draft d) {
  std::vector<Problem> problems;
  Catalog catalog = Catalog::build(std::move(d), problems);
  for (const Problem& problem : problems) {
    const std::string text = problem.key + ": " + problem.message;
    FAIL_CHECK(text);
  }
  return catalog;
}

std::string resolved(const Catalog& catalog, std::string_view name) {
  constexpr const char* matches[] = {"none",     "deployment", "environment_alias", "alias",
                                     "dated_id", "moving",     "plain_id",          "catalog",
                                     "provider", "series",     "successor",         "open"};
  const Resolution result = catalog.resolve(name);
  switch (result.outcome) {
    case Resolution::Outcome::unknown: return "unknown";
    case Resolution::Outcome::retired: return "retired " + result.model->id;
    case Resolution::Outcome::unserved: return "unserved " + result.model->id;
    case Resolution::Outcome::found: break;
  }
  return result.deployment->id + " " + matches[static_cast<size_t>(result.match)];
}

std::string problem_of(Draft d) {
  std::vector<Problem> problems;
  Catalog::build(std::move(d), problems);
  REQUIRE(problems.size() == 1);
  return problems[0].key + ": " + problems[0].message;
}

}  // namespace

TEST_CASE("every name stands for what the contract says, in each environment") {
  CHECK(std::size(name_rows) >= 200);
  const Catalog production = build(draft("production"));
  const Catalog staging = build(draft("staging"));
  for (const NameRow& row : name_rows) {
    CAPTURE(row.name);
    CHECK(resolved(production, row.name) == row.production);
    CHECK(resolved(staging, row.name) == row.staging);
  }
}

TEST_CASE("a moving name of the catalogue goes to another provider where the environment says so") {
  const Catalog staging = build(draft("staging"));
  CHECK(staging.resolve("gpt-4o").upstream_model == "gpt-4o-2024-08-06");
  CHECK(staging.resolve("gpt-4o").deployment->provider->name == "eu");
  CHECK(build(draft("production")).resolve("gpt-4o").deployment->provider->name == "openai");
}

TEST_CASE("a retired name stands for its successor where the conf allows it") {
  Draft d = draft("production");
  d.use_successors = true;
  const Catalog catalog = build(std::move(d));
  CHECK(resolved(catalog, "gpt-3.5-turbo-1106") == "openai/gpt-4o-mini-2024-07-18 successor");
  CHECK(resolved(catalog, "claude-3-haiku") == "anthropic/claude-haiku-5-5 successor");
  CHECK(resolved(catalog, "anthropic/claude-3-haiku-20240307") ==
        "anthropic/claude-haiku-5-5 successor");
  CHECK(resolved(catalog, "gpt-4-0613") == "retired gpt-4-0613");
  CHECK(resolved(catalog, "claude-sonnet-4") == "retired claude-sonnet-4-20250514");
}

TEST_CASE("unknown names bring the nearest ones") {
  constexpr struct {
    std::string_view name, nearest;
  } rows[] = {
      {"gpt4o", "gpt-4o"},
      {"gpt-4o-mnii", "gpt-4o-mini"},
      {"claude-hiaku", "claude-haiku"},
      {"gemini-2.5-flahs", "gemini-2.5-flash"},
      {"o5-mini", "o4-mini"},
      {"sonet", "sonnet"},
      {"openai/gpt-4o-mini-2024-07-19", "openai/gpt-4o-mini-2024-07-18"},
  };
  const Catalog catalog = build(draft("production"));
  DeploymentSet all;
  all.allow_all();
  for (const auto& [name, nearest] : rows) {
    CAPTURE(name);
    CHECK(catalog.resolve(name).outcome == Resolution::Outcome::unknown);
    CHECK(catalog.nearest_names(name, all)[0] == nearest);
  }
  CHECK(catalog.nearest_names("something-else-entirely", all)[0].empty());
}

TEST_CASE("nothing but the gateway itself is called auto") {
  constexpr std::string_view expected = "auto is the gateway's own name for a choice of model";
  const auto with_model = [](auto change) {
    Draft d = draft("production");
    Model model;
    model.id = "something";
    model.family = "openai";
    change(model);
    add(d.models, std::move(model));
    return problem_of(std::move(d));
  };
  CHECK(with_model([](Model& m) { m.id = "auto"; }) == "models.id: " + std::string(expected));
  CHECK(with_model([](Model& m) { m.id = "auto-2026-01-01"; }) ==
        "models.id: " + std::string(expected));
  CHECK(with_model([](Model& m) {
          m.aliases = {"x", "auto"};
        }) == "models.aliases: " + std::string(expected));
  CHECK(with_model([](Model& m) { m.series = {"auto"}; }) ==
        "models.series: " + std::string(expected));

  Draft d = draft("production");
  add(d.deployments, DeploymentDraft{"auto", "gpt-4o", "openai", "", {"staging"}});
  CHECK(problem_of(std::move(d)) == "deployments.name: " + std::string(expected));
  d = draft("production");
  add(d.environments[1].value.aliases, AliasDraft{"auto", "haiku"});
  CHECK(problem_of(std::move(d)) == "environments.staging.auto: " + std::string(expected));
}

TEST_CASE("a model without a price is a model like any other, of an unknown price") {
  const Catalog catalog = build(draft("production"));
  const Resolution found = catalog.resolve("gpt-5.2");
  REQUIRE(found.found());
  CHECK(found.model->prices.input == price_unknown);
  CHECK(found.model->prices.output == price_unknown);
}
