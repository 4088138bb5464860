#!/usr/bin/env python3
"""Writes a text file into a C++ source, as a std::string_view in the namespace hyperion::config.

Usage: embed_text.py TEXT_FILE SOURCE_FILE CONSTANT. Called by the build, for conf/models.toml. The
bytes are written as numbers, because compilers limit the length of a string literal.
"""

import sys

TEMPLATE = """#include <string_view>

namespace hyperion::config {
extern const std::string_view %(constant)s;
namespace {
constexpr unsigned char bytes[] = {
%(bytes)s
};
}
const std::string_view %(constant)s{reinterpret_cast<const char*>(bytes), sizeof(bytes)};
}
"""


def main():
    text_file, source_file, constant = sys.argv[1:]
    with open(text_file, "rb") as text:
        data = text.read()
    lines = [",".join(str(byte) for byte in data[i : i + 24]) for i in range(0, len(data), 24)]
    with open(source_file, "w", encoding="ascii") as source:
        source.write(TEMPLATE % {"constant": constant, "bytes": ",\n".join(lines)})


if __name__ == "__main__":
    main()
