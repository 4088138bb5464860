"""Builds the file system that the kernel test boots into: one cpio archive, written without tools.

A program is packed with its loader and the libraries that ldd names, at the paths they have here,
so it runs in the guest as it runs here. Fails with OSError where a file cannot be read.
"""

import re
import subprocess
from pathlib import Path

DIRECTORY, FILE, CHARACTER_DEVICE = 0o040000, 0o100000, 0o020000
CONSOLE = (5, 1)  # /dev/console: the kernel opens it for /init before /dev is mounted.


def libraries_of(program: Path) -> list:
    """The loader and the libraries of a program; none if it is linked statically."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True)
    found = re.findall(r"^\s+(?:\S+ => )?(/\S+) \(0x", listed.stdout, re.MULTILINE)
    return [Path(name) for name in found]


class Initramfs:
    """An archive in cpio's newc format (the kernel's driver-api/early-userspace/buffer-format)."""

    def __init__(self):
        self.parts = []
        self.names = set()

    def add(self, name: str, mode: int, content: bytes = b"", device: tuple = (0, 0)) -> None:
        """Adds an entry, and the folders above it; a name that is there already is left alone."""
        name = name.strip("/")
        if name in self.names:
            return
        parent = str(Path(name).parent)
        if parent != ".":
            self.add(parent, DIRECTORY | 0o755)
        self.names.add(name)
        self.parts.append(self.entry(name, mode, content, device))

    def entry(self, name: str, mode: int, content: bytes, device: tuple) -> bytes:
        encoded = name.encode() + b"\0"
        fields = [len(self.parts) + 1, mode, 0, 0, 1, 0, len(content), 0, 0, *device]
        fields += [len(encoded), 0]
        head = b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        return head + b"\0" * (-len(head) % 4) + content + b"\0" * (-len(content) % 4)

    def add_text(self, name: str, text: str, mode: int = 0o644) -> None:
        self.add(name, FILE | mode, text.encode())

    def add_program(self, name: str, program: Path) -> None:
        self.add(name, FILE | 0o755, program.read_bytes())
        for library in libraries_of(program):
            self.add(str(library), FILE | 0o755, library.read_bytes())

    def add_console(self) -> None:
        self.add("dev/console", CHARACTER_DEVICE | 0o600, device=CONSOLE)

    def data(self) -> bytes:
        return b"".join(self.parts) + self.entry("TRAILER!!!", 0, b"", (0, 0))
