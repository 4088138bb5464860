"""Clients that ask all the time, and note everything that a client could complain about.

In a thread of its own, on asyncio: some keep their connections as long as the answers allow it,
some open one for each request, some read slow streams. A refused or reset connection, one that
ends without an answer, an answer that is not 200 or not whole: each is a line in `broken`.
"""

import asyncio
import threading
from collections import Counter

from harness.conf import sha256_of
from harness.waiting import DEADLINE_S, wait_until
from harness.wire import chat_body, request_bytes

KEY = "sk_test_load_9c1e6b04d7f2a8350be4c1d6f7a90823"
# What the gateway's conf needs for it: the streams are slow by the simulator's fault `gap`.
CONF = {"test_faults": True, "keys": [{"id": "load", "test": True, "hash": sha256_of(KEY)}]}


class Answer:
    def __init__(self, status: int, headers: dict, body: bytes):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def closes(self) -> bool:
        return self.headers.get("connection") == "close"


async def read_answer(reader) -> Answer:
    """The answer, whole; raises what asyncio does where it is not."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head[:-4].split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = b""
    if "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    else:
        assert headers["transfer-encoding"] == "chunked"
        while size := int(await reader.readuntil(b"\r\n"), 16):
            body += (await reader.readexactly(size + 2))[:-2]
        assert await reader.readexactly(2) == b"\r\n"
    return Answer(int(first.split(" ")[1]), headers, body)


class Load:
    """Use as a context: leaving it ends the clients, each after the request it is at."""

    def __init__(self, port: int, keeping: int = 8, opening: int = 8, streaming: int = 8,
                 pause_s: float = 0.04, gap_ms: int = 15):
        self.port = port
        self.clients = {self.keep: keeping, self.open: opening, self.stream: streaming}
        self.pause_s = pause_s
        self.slowly = [f"x-hyperion-fault: gap:{gap_ms}"]
        self.counts = Counter()
        self.broken = []
        self.ending = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.run()))

    async def run(self) -> None:
        await asyncio.gather(*(self.repeat(kind) for kind, count in self.clients.items()
                               for _ in range(count)))

    async def repeat(self, kind) -> None:
        while not self.ending.is_set():
            step = ["connect"]
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                try:
                    await asyncio.wait_for(kind(reader, writer, step), DEADLINE_S)
                finally:
                    writer.close()
            except (OSError, EOFError, AssertionError, ValueError, KeyError,
                    asyncio.TimeoutError) as error:
                self.broken.append(f"{kind.__name__}, {step[0]}: {type(error).__name__}: {error}")
                await asyncio.sleep(self.pause_s)

    async def ask(self, reader, writer, kind: str, body: bytes, headers=()) -> Answer:
        writer.write(request_bytes(body, headers=list(headers), key=KEY))
        answer = await read_answer(reader)
        assert answer.status == 200, answer.body
        self.counts[kind] += 1
        return answer

    async def keep(self, reader, writer, step) -> None:
        closes = False
        while not closes and not self.ending.is_set():
            step[0] = f"request {self.counts['keep']}"
            closes = (await self.ask(reader, writer, "keep", chat_body())).closes
            await asyncio.sleep(self.pause_s)
        if closes:
            step[0] = "the end that was told"
            self.counts["closed"] += 1
            assert await reader.read() == b""

    async def open(self, reader, writer, step) -> None:
        step[0] = "request"
        await self.ask(reader, writer, "open", chat_body())
        await asyncio.sleep(self.pause_s)

    async def stream(self, reader, writer, step) -> None:
        step[0] = "stream"
        answer = await self.ask(reader, writer, "stream", chat_body(stream=True), self.slowly)
        assert answer.body.endswith(b"data: [DONE]\n\n"), answer.body[-300:]

    def wait_for_more(self, count: int) -> None:
        """Until every kind of client was answered so often again."""
        kinds = [kind.__name__ for kind, number in self.clients.items() if number]
        before = Counter(self.counts)
        wait_until(lambda: all(self.counts[kind] >= before[kind] + count for kind in kinds),
                   "answers to go on: " + "; ".join(self.broken[-3:]), 3 * DEADLINE_S)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ending.set()
        self.thread.join()
