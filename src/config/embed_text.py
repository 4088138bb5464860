#!/usr/bin/env python3
"""Writes a file into a C++ source, as a std::string_view in a namespace of hyperion.

Usage: embed_text.py FILE SOURCE_FILE NAMESPACE::CONSTANT. Called by the build for files of conf.
The bytes are written as numbers, because compilers limit the length of a string literal.
"""

import sys

TEMPLATE = """#include <string_view>

namespace hyperion::%(namespace)s {
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
    text_file, source_file, name = sys.argv[1:]
    namespace, constant = name.split("::")
    with open(text_file, "rb") as text:
        data = text.read()
    lines = [",".join(str(byte) for byte in data[i : i + 24]) for i in range(0, len(data), 24)]
    fields = {"namespace": namespace, "constant": constant, "bytes": ",\n".join(lines)}
    with open(source_file, "w", encoding="ascii") as source:
        source.write(TEMPLATE % fields)


if __name__ == "__main__":
    main()
