#!/usr/bin/env python3
"""Writes a text file into a C++ source as the constant hyperion::config::embedded_catalog.

Usage: embed_text.py TEXT_FILE SOURCE_FILE. Called by the build for conf/models.toml. As numbers,
because a string literal has a length that compilers limit.
"""

import sys


def main():
    with open(sys.argv[1], "rb") as text_file:
        data = text_file.read()
    lines = [",".join(str(byte) for byte in data[i : i + 24]) for i in range(0, len(data), 24)]
    with open(sys.argv[2], "w", encoding="ascii") as source:
        source.write(
            '#include "config/embedded_catalog.h"\n\n'
            "namespace hyperion::config {\nnamespace {\n"
            "constexpr unsigned char text[] = {\n" + ",\n".join(lines) + "\n};\n}\n"
            "const std::string_view embedded_catalog{reinterpret_cast<const char*>(text), "
            "sizeof(text)};\n"
            "}\n"
        )


if __name__ == "__main__":
    main()
