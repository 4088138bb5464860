#!/usr/bin/env python3
"""Checks what a built hyperion is linked with: at run time only the C and C++ runtime.

Usage: linkage.py BINARY. Everything third-party is linked statically, so that one file is all that
has to be copied to another machine.
"""

import re
import subprocess
import sys

RUNTIME = re.compile(r"linux-vdso|ld-linux|lib(c|m|stdc\+\+|gcc_s|pthread|dl|rt|resolv)\.so")


def foreign_libraries(ldd_output: str) -> list:
    """The libraries of `ldd`'s output that are not the C or C++ runtime."""
    names = [line.split()[0] for line in ldd_output.splitlines() if line.strip()]
    return [name for name in names if not RUNTIME.match(name.rsplit("/", 1)[-1])]


def main() -> int:
    listed = subprocess.run(["ldd", sys.argv[1]], capture_output=True, text=True)
    foreign = foreign_libraries(listed.stdout)
    failed = listed.returncode != 0 or bool(foreign)
    if listed.returncode != 0:
        print(f"ldd {sys.argv[1]}: {listed.stderr or listed.stdout}")
    for name in foreign:
        print(f"{sys.argv[1]} needs {name} at run time: link it statically")
    print(f"{int(not failed)} passed, {int(failed)} failed, 0 skipped")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
