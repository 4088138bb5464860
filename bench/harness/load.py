"""The load tool: built when its sources are newer, run as one process, told what to do by lines."""

import json
import subprocess
from contextlib import contextmanager

from .processes import BenchError, Process

FLAGS = ["-std=c++20", "-O2", "-g", "-fno-exceptions", "-fno-rtti", "-Wall", "-Wextra"]


def build(repository):
    """Compiles bench/load with the system's compiler, which is all it needs."""
    folder = repository / "bench"
    binary = repository / "build" / "bench" / "load"
    sources = sorted((folder / "load").glob("*.cpp"))
    newest = max(path.stat().st_mtime for path in (folder / "load").iterdir())
    if binary.exists() and binary.stat().st_mtime > newest:
        return binary
    binary.parent.mkdir(parents=True, exist_ok=True)
    unfinished = binary.with_suffix(".new")
    command = ["g++", *FLAGS, f"-I{folder}", *map(str, sources), "-o", str(unfinished)]
    try:
        subprocess.run(command, check=True)
        unfinished.rename(binary)
    except FileNotFoundError as error:
        raise BenchError("g++ is missing; install it: apt-get install g++") from error
    except subprocess.CalledProcessError as error:
        raise BenchError("the load tool does not compile; see above") from error
    return binary


class LoadTool:
    """Client and upstream in one process. `upstream_port` is where proxies send requests to."""

    def __init__(self, binary, cpu, key, model):
        self.binary = binary
        self.cpu = cpu
        command = [str(binary), "serve", "--key", key, "--model", model]
        self.process = Process(
            command, cpu, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        ready = self._read()
        self.upstream_port = ready["upstream_port"]
        self.descriptors_max = ready["descriptors_max"]

    def _read(self):
        line = self.process.popen.stdout.readline()
        if not line:
            raise BenchError("the load tool ended; see its message above")
        return json.loads(line)

    def command(self, **words):
        """Sends one command (bench/load/command.h) and returns its answer."""
        line = " ".join(f"{key}={value}" for key, value in words.items())
        self.process.popen.stdin.write(line + "\n")
        self.process.popen.stdin.flush()
        answer = self._read()
        if "error" in answer:
            raise BenchError(f"load tool: {answer['error']} (command: {line})")
        return answer

    def stop(self):
        self.process.stop()


@contextmanager
def spinner(binary, cpu):
    """Keeps a CPU from sleeping, at a priority that never takes it from anybody."""
    process = Process([str(binary), "spin"], cpu)
    try:
        yield process
    finally:
        process.stop()
