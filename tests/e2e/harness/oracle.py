"""What the simulated provider answered, said by itself: the requests it got are put to it once
more, without a gateway and without streaming, and the plain answers are read by hand (said.py).

The simulator answers the same to the same messages, streamed or not. So whatever a client saw
through the gateway must be what stands here.
"""

import base64
import json
import re
import urllib.request

from harness import said
from harness.waiting import DEADLINE_S

NOT_REPEATED = ("host", "content-length", "connection", "accept-encoding", "transfer-encoding")

STREAM_MEMBERS = re.compile(
    rb',\s*"stream(?:_options)?":\s*(?:true|{[^}]*})|"stream(?:_options)?":\s*(?:true|{[^}]*}),')


def upstream_of(target: str) -> str:
    """The dialect of a request by its path."""
    path = target.partition("?")[0]
    if path.endswith("/chat/completions"):
        return "chat"
    if path.endswith("/responses"):
        return "responses"
    return "anthropic" if path.endswith("/messages") else "gemini"


def body_of(request: dict) -> dict:
    return json.loads(base64.b64decode(request["body"]))


def repeated(url: str, request: dict) -> said.Said:
    """What the simulator answers to this request of its record."""
    target = request["target"].partition("?")[0]
    target = target.replace(":streamGenerateContent", ":generateContent")
    # By hand: it is the bytes of the messages from which the simulator draws its answer.
    body = STREAM_MEMBERS.sub(b"", base64.b64decode(request["body"]))
    headers = {name: value for name, value in request["headers"]
               if name.lower() not in NOT_REPEATED}
    asked = urllib.request.Request(url + target, body, headers)
    with urllib.request.urlopen(asked, timeout=DEADLINE_S) as answer:
        return said.read(upstream_of(target), answer.read().decode(), False)
