"""The proxies under test: how each is configured, started, watched and ended.

A target is a command with a rendered configuration; to add one, add a class here, its configuration
in bench/targets/, and its name to KNOWN.
"""

import hashlib
import os
import resource
import shutil
import time
from pathlib import Path

from .machine import version_of
from .processes import BenchError, Process, free_port, wait_for_port

# At saturation a log grows by 10 MB a second; gigabytes of it would only wear the disk.
LOG_SIZE_MAX_BYTES = 256 << 20


class Setting:
    """What all targets share: where things are, the upstream's port, the key and the model."""

    def __init__(self, repository, cpu, upstream_port, key, model, connections_max):
        self.repository = repository
        self.folder = repository / "build" / "bench" / "run"
        self.cpu = cpu
        self.upstream_port = upstream_port
        self.key = key
        self.model = model
        self.connections_max = connections_max


class Target:
    """A proxy that runs; subclasses say how."""

    name = ""
    template = ""

    def __init__(self, setting):
        self.setting = setting
        self.folder = setting.folder / self.name
        self.port = 0
        self.admin_port = 0
        self.process = None

    def missing(self):
        """What to do before this target can run; empty when it can."""
        return ""

    def version(self):
        return ""

    def command(self, configuration):
        raise NotImplementedError

    def placeholders(self):
        setting = self.setting
        return {
            "PORT": self.port,
            "ADMIN_PORT": self.admin_port,
            "UPSTREAM_PORT": setting.upstream_port,
            "FOLDER": self.folder,
            "CONNECTIONS": setting.connections_max,
            "DESCRIPTORS": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
            "CPU": setting.cpu,
            "MODEL": setting.model,
            "KEY_SHA256": hashlib.sha256(setting.key.encode()).hexdigest(),
        }

    def render(self):
        source = self.setting.repository / "bench" / "targets" / self.template
        text = source.read_text()
        for name, value in self.placeholders().items():
            text = text.replace(f"@{name}@", str(value))
        rendered = self.folder / self.template.removesuffix(".in")
        rendered.write_text(text)
        return rendered

    def start(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port, self.admin_port = free_port(), free_port()
        command = self.command(self.render())
        with open(self.folder / "stdout.log", "ab") as out, open(
            self.folder / "stderr.log", "ab"
        ) as err:
            self.process = Process(
                command, self.setting.cpu, stdout=out, stderr=err, env=self.environment()
            )
        if not wait_for_port(self.port, self.process):
            said = (self.folder / "stderr.log").read_text(errors="replace")[-2000:]
            self.stop()
            raise BenchError(f"{self.name} did not start: {' '.join(command)}\n{said}")

    def environment(self):
        return None

    def stop(self):
        if self.process is not None:
            self.process.stop()
            self.process = None

    def log_file(self):
        return self.folder / "access.log"

    def log_bytes(self):
        return self.log_file().stat().st_size if self.log_file().exists() else 0

    def trim_log(self):
        """Empties a log that has grown large; all targets open theirs for appending."""
        if self.log_bytes() > LOG_SIZE_MAX_BYTES:
            with open(self.log_file(), "r+b") as log:
                log.truncate(0)


class Direct(Target):
    """No proxy: the client talks to the upstream. The baseline of every latency."""

    name = "direct"

    def start(self):
        self.port = self.setting.upstream_port


class Nginx(Target):
    name = "nginx"
    template = "nginx.conf.in"

    def missing(self):
        return "" if shutil.which("nginx") else "install it: apt-get install nginx-light"

    def version(self):
        return version_of("nginx", "-v")

    def command(self, configuration):
        return ["nginx", "-c", str(configuration), "-p", str(self.folder), "-e", "stderr"]


class HAProxy(Target):
    name = "haproxy"
    template = "haproxy.cfg.in"

    def missing(self):
        return "" if shutil.which("haproxy") else "install it: apt-get install haproxy"

    def version(self):
        return version_of("haproxy", "-v")

    def command(self, configuration):
        return ["haproxy", "-db", "-f", str(configuration)]

    def log_file(self):
        return self.folder / "stdout.log"


class Hyperion(Target):
    name = "hyperion"
    template = "hyperion.toml.in"

    def binary(self):
        built = self.setting.repository / "build" / "hyperion"
        return Path(os.environ.get("HYPERION_BINARY", built))

    def missing(self):
        return "" if self.binary().exists() else "build it: ./dev build"

    def version(self):
        return version_of(str(self.binary()), "version")

    def command(self, configuration):
        return [str(self.binary()), "serve", "-c", str(configuration)]

    def environment(self):
        # The provider's key; the upstream role of the load tool accepts any.
        return {"PATH": "/usr/bin:/bin", "BENCH_PROVIDER_KEY": "sk-bench-provider"}

    def log_file(self):
        return self.folder / "requests.log"


KNOWN = {target.name: target for target in (Direct, Nginx, HAProxy, Hyperion)}


def start_fresh(kind, setting):
    """A new instance of the target, given a moment to finish what it does on start."""
    target = kind(setting)
    target.start()
    time.sleep(1.0)
    return target
