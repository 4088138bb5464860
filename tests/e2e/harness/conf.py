"""Writes the conf files of tests, and holds the secrets that they use.

The secrets are canaries: a test that finds one of them in a log, an error or a metric has found a
leak. They are worth nothing.
"""

import hashlib
import json
import re

CLIENT_KEY = "sk_live_tests_5f0d1c6be2a74983c1fa7780d3b2964e5a1b08c7f3d29e46"
OTHER_KEY = "sk_live_other_0b7e4c92d8f6153aa96e2d7c4085b3f1e9d2c6a75480be13"
REVOKED_KEY = "sk_live_revoked_c9a84e1d7b3f6052d4e8a1b7c6f093825e7d4a1b0c9f8e63"
PROVIDER_KEY = "sk-provider-canary-73d1f0a8c4e9"
PROVIDER_KEY_VARIABLE = "E2E_PROVIDER_KEY"

# Catalogue names that the tests use: exact and dated, and the moving name for it.
MODEL = "gpt-4o-2024-11-20"
MOVING_MODEL = "gpt-4o"
EMBEDDING_MODEL = "text-embedding-3-small"
COMPLETION_MODEL = "gpt-3.5-turbo-instruct"


def sha256_of(key: str) -> str:
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()


def base_conf(upstream_port: int, log: str) -> dict:
    """A gateway of one shard in front of one provider, all its ports chosen by the system."""
    return {
        "server": {"listen": ["127.0.0.1:0"], "shards": 1},
        "limits": {},
        "timeouts": {},
        "upstream": {"connections_warm": 0},
        "log": {"target": log},
        "admin": {"listen": "127.0.0.1:0"},
        "providers": [
            {
                "name": "openai",
                "base_url": f"http://127.0.0.1:{upstream_port}/v1",
                "api_key_env": PROVIDER_KEY_VARIABLE,
            }
        ],
        "keys": [
            {"id": "tests", "hash": sha256_of(CLIENT_KEY)},
            {"id": "revoked", "hash": sha256_of(REVOKED_KEY), "revoked": True},
        ],
    }


def merged(base: dict, changes: dict) -> dict:
    """`base` with sections changed key by key, and lists of entries replaced whole.

    `provider` stands for changes of the one provider that `base` has.
    """
    result = dict(base)
    for name, value in changes.items():
        if name == "provider":
            result["providers"] = [{**base["providers"][0], **value}, *base["providers"][1:]]
            continue
        section = isinstance(value, dict) and isinstance(result.get(name), dict)
        result[name] = {**result[name], **value} if section else value
    return result


def value_text(value) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{key_text(key)} = {value_text(item)}" for key, item in value.items())
        return "{ " + inner + " }"
    if isinstance(value, list):
        return "[" + ", ".join(value_text(item) for item in value) + "]"
    # Of what JSON leaves as it is, TOML wants DEL escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def key_text(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else value_text(key)


def conf_text(conf: dict) -> str:
    """The conf as TOML: plain values first, then sections, then lists of entries."""
    lines = []
    for key, value in conf.items():
        entries = isinstance(value, list) and value and isinstance(value[0], dict)
        if not isinstance(value, dict) and not entries:
            lines.append(f"{key_text(key)} = {value_text(value)}")
    for name, value in conf.items():
        if isinstance(value, dict):
            lines.append(f"\n[{name}]")
            lines += [f"{key_text(key)} = {value_text(item)}" for key, item in value.items()]
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for entry in value:
                lines.append(f"\n[[{name}]]")
                lines += [f"{key_text(key)} = {value_text(item)}" for key, item in entry.items()]
    return "\n".join(lines) + "\n"
