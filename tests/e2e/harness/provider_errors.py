"""What a provider's error means, and what each client is to be told of it: the oracle of errors.

Read by hand from the whole body by the table of the wire formats, apart from what the program does.
"""

import json
import math
from dataclasses import dataclass

# (status, OpenAI's type, code, Anthropic's type, Google's status) that a client is told. Code None:
# the provider's own.
TOLD = {
    "invalid_request": (400, "invalid_request_error", None, "invalid_request_error",
                        "INVALID_ARGUMENT"),
    "context_too_long": (400, "invalid_request_error", "context_length_exceeded",
                         "invalid_request_error", "INVALID_ARGUMENT"),
    "too_large": (413, "invalid_request_error", "request_too_large", "request_too_large",
                  "INVALID_ARGUMENT"),
    "bad_key": (502, "server_error", "upstream_credentials", "api_error", "INTERNAL"),
    "forbidden": (502, "server_error", "upstream_credentials", "api_error", "INTERNAL"),
    "money": (429, "insufficient_quota", "insufficient_quota", "rate_limit_error",
              "RESOURCE_EXHAUSTED"),
    "no_model": (404, "not_found_error", "model_not_found", "not_found_error", "NOT_FOUND"),
    "conflict": (409, "invalid_request_error", "conflict", "conflict_error", "ABORTED"),
    "rate_limit": (429, "rate_limit_error", "rate_limit_exceeded", "rate_limit_error",
                   "RESOURCE_EXHAUSTED"),
    "overload": (503, "server_error", "upstream_overloaded", "overloaded_error", "UNAVAILABLE"),
    "server": (502, "server_error", "upstream_error", "api_error", "INTERNAL"),
    "timeout": (504, "server_error", "upstream_timeout", "timeout_error", "DEADLINE_EXCEEDED"),
}
# What the provider's own words about these would tell is not the client's affair.
SECRET_KINDS = ("bad_key", "forbidden", "money")

BY_STATUS = {401: "bad_key", 402: "money", 403: "forbidden", 404: "no_model", 408: "timeout",
             409: "conflict", 413: "too_large", 429: "rate_limit", 503: "overload",
             504: "timeout", 529: "overload"}
MONEY = {"insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
         "project_spend_limit_exceeded", "organization_usage_limit_exceeded", "billing_error",
         "enforced_spend_limit_reached", "contract_spend_limit_reached"}
TOO_LONG = ("context window", "maximum context length", "prompt is too long",
            "exceeds the maximum number of tokens")
# Errors within a stream have words only.
BY_WORD = {"authentication_error": "bad_key", "permission_error": "forbidden",
           "not_found_error": "no_model", "rate_limit_error": "rate_limit",
           "rate_limit_exceeded": "rate_limit", "overloaded_error": "overload",
           "timeout_error": "timeout"}


@dataclass
class Meant:
    kind: str
    message: str = ""
    code: str = None
    param: str = None
    retry_after: int = None  # seconds, whole


def meant_by(status: int, headers: dict, body: str) -> Meant:
    """Of an error that came as the answer's status, or (status 0) within a stream."""
    error = error_in(body)
    details = error.get("details") or []
    details = [details] if isinstance(details, dict) else details
    reasons = [item[name] for item in details for name in ("reason", "error_code") if name in item]
    words = [error.get("code"), error.get("type"), error.get("status"), *reasons]
    message = error.get("message") or ""
    code = next((word for word in (error.get("code"), *reasons) if isinstance(word, str)), None)
    meant = Meant(kind_of(status, words, message, body), message, code, error.get("param"))
    delays = [item["retryDelay"] for item in details if "retryDelay" in item]
    meant.retry_after = delay_of(status, headers, delays)
    return meant


def error_in(body: str) -> dict:
    """The object that tells of an error, in whichever dialect."""
    try:
        document = json.loads(body)
    except ValueError:
        return {}
    if isinstance(document, list):
        document = document[0]
    error = document.get("error", document)
    if isinstance(error, str):
        return {**document, "message": error}
    return {**error, "message": error.get("message") or error.get("detail")}


def kind_of(status: int, words: list, message: str, body: str) -> str:
    said = {word for word in words if isinstance(word, str)}
    if said & MONEY:
        return "money"
    if "context_length_exceeded" in said:
        return "context_too_long"
    if "model_not_found" in said:
        return "no_model"
    if said & {"API_KEY_INVALID", "invalid_api_key"}:
        return "bad_key"
    kind = BY_STATUS.get(status, "invalid_request" if 400 <= status < 500 else "server")
    if not status:
        kind = next((BY_WORD[word] for word in said if word in BY_WORD), "server")
    if kind == "rate_limit" and "PerDay" in body:
        return "money"
    if kind == "invalid_request" and any(text in message for text in TOO_LONG):
        return "context_too_long"
    return kind


def delay_of(status: int, headers: dict, delays: list):
    """Seconds, where waiting helps. A delay of zero is none."""
    if status not in (429, 503, 529):
        return None
    if float(headers.get("retry-after-ms") or 0):
        return math.ceil(float(headers["retry-after-ms"]) / 1000)
    if float(headers.get("retry-after") or 0):
        return math.ceil(float(headers["retry-after"]))
    return math.ceil(float(delays[0].rstrip("s"))) if delays else None


def check_told(client: str, answer, meant: Meant, case) -> None:
    """That an answer in a client's dialect tells it what the provider meant."""
    status, openai_type, code, anthropic_type, google_status = TOLD[meant.kind]
    assert answer.status == status and answer.complete, case
    assert answer.header("content-type") == "application/json", case
    code = code or meant.code
    retry_after = None if meant.kind == "money" else meant.retry_after
    document = answer.json()
    error = document["error"]
    details = error.get("details")
    if client == "anthropic":
        assert set(document) == {"type", "error", "request_id"}, case
        assert document["type"] == "error" and document["request_id"] == answer.request_id, case
        assert error["type"] == anthropic_type, case
        assert (details or {}).get("error_code") == code, case
        assert (details or {}).get("param") == (meant.param if code else None), case
    elif client == "gemini":
        assert set(document) == {"error"}, case
        assert (error["code"], error["status"]) == (status, google_status), case
        named = {item["@type"].rpartition(".")[2]: item for item in details}
        assert named.get("ErrorInfo", {}).get("reason") == code, case
        delay = f"{retry_after}s" if retry_after is not None else None
        assert named.get("RetryInfo", {}).get("retryDelay") == delay, case
    else:
        assert set(document) == {"error"}, case
        assert set(error) == {"message", "type", "param", "code"}, case
        assert (error["type"], error["code"]) == (openai_type, code), case
        assert error["param"] == meant.param, case
    if meant.kind in SECRET_KINDS:
        assert not meant.message or meant.message not in error["message"], case
        assert len(error["message"]) > 20, case
    elif meant.message:
        assert error["message"] == meant.message, case
    wanted = str(retry_after) if retry_after is not None else None
    assert answer.header("retry-after") == wanted, case


def check_told_within(client: str, error: dict, meant: Meant, case) -> None:
    """The same of an error that broke off a stream of the client's."""
    status, openai_type, code, anthropic_type, google_status = TOLD[meant.kind]
    code = code or meant.code
    if client == "anthropic":
        assert error["type"] == anthropic_type, case
    elif client == "gemini":
        assert (error["code"], error["status"]) == (status, google_status), case
    elif client == "responses":
        # Its list of codes is closed.
        known = "rate_limit_exceeded" if meant.kind == "rate_limit" else "server_error"
        assert error["code"] in (known, code), case
    else:
        assert (error["type"], error["code"]) == (openai_type, code), case
    if meant.kind in SECRET_KINDS:
        assert meant.message not in error["message"], case
    elif meant.message:
        assert error["message"] == meant.message, case
