#!/usr/bin/env python3
"""Proof that each rule of tidy.py can fail: every case plants one fault in a clean tree."""

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import tidy  # noqa: E402
from cpp_text import find_functions  # noqa: E402

PROSE = "// What this owns.\n// Who calls it.\n// What can fail.\n// What it never does.\n"
HEADER = PROSE + "#pragma once\n"

CLEAN = {
    ".clang-format": (Path(__file__).resolve().parents[2] / ".clang-format").read_text(),
    "src/base/clock.h": HEADER + "\nnamespace hyperion {\nint now();\n}  // namespace hyperion\n",
    "src/base/clock.cpp": '#include "base/clock.h"\n',
    "src/base/meson.build": "base_sources = files(\n  'clock.cpp',\n)\n",
    "src/http/parser.h": HEADER + '#include <llhttp.h>\n\n#include "base/clock.h"\n',
    "src/main.cpp": '#include "http/parser.h"\n',
    "src/meson.build": "executable('hyperion', 'main.cpp')\n",
    "tests/tidy/exceptions.txt": "# None.\n",
}


def verdicts(changes: dict) -> dict:
    """{check: verdict} over the clean tree with `changes` ({path: text}) made to it."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **changes}.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        with contextlib.redirect_stdout(io.StringIO()):
            return {name: verdict for name, (verdict, _) in tidy.run(Path(folder)).items()}


def function_of(lines: int) -> str:
    body = "  work();\n" * (lines - 2)
    return "void long_one() {\n" + body + "}\n"


class PlantedFaults(unittest.TestCase):
    def assert_only(self, check: str, changes: dict) -> None:
        failed = {name for name, verdict in verdicts(changes).items() if verdict == "failed"}
        self.assertEqual(failed, {check})

    def test_a_clean_tree_passes(self):
        self.assertNotIn("failed", verdicts({}).values())

    def test_a_line_over_100_columns_fails(self):
        self.assert_only("columns", {"conf/a.toml": "#" * 101 + "\n"})

    def test_a_program_without_a_suffix_is_measured_too(self):
        self.assert_only("columns", {"dev": "#!/bin/sh\n" + "#" * 101 + "\n"})
        long_one = "#!/usr/bin/env python3\ndef f():\n" + "    pass\n" * 70
        self.assert_only("function_lines", {"bench/a": long_one})

    def test_columns_are_characters_not_bytes(self):
        self.assertNotIn("failed", verdicts({"conf/a.toml": "#" * 60 + "→" * 40}).values())

    def test_a_function_over_70_lines_fails_and_one_of_70_passes(self):
        self.assert_only("function_lines", {"src/main.cpp": function_of(71)})
        self.assertNotIn("failed", verdicts({"src/main.cpp": function_of(70)}).values())

    def test_a_python_function_over_70_lines_fails(self):
        self.assert_only("function_lines", {"tests/a.py": "def f():\n" + "    pass\n" * 70})

    def test_a_file_over_600_lines_fails(self):
        self.assert_only("file_lines", {"src/main.cpp": "int a;\n" * 601})

    def test_an_include_upwards_fails(self):
        self.assert_only(
            "include_direction", {"src/base/clock.cpp": '#include "http/parser.h"\n'}
        )

    def test_an_include_upwards_in_angle_brackets_fails(self):
        self.assert_only(
            "include_direction", {"src/base/clock.cpp": "#include <http/parser.h>\n"}
        )

    def test_an_include_without_its_folder_fails(self):
        self.assert_only("include_direction", {"src/base/clock.cpp": '#include "clock.h"\n'})

    def test_a_test_header_in_src_fails(self):
        self.assert_only("include_direction", {"src/main.cpp": '#include "support/fake.h"\n'})

    def test_a_folder_outside_the_architecture_fails(self):
        changes = {"src/utils/a.h": HEADER + '\n#include "base/clock.h"\n'}
        self.assert_only("include_direction", changes)

    def test_each_library_has_one_including_folder(self):
        for header in (
            "liburing.h",
            "wolfssl/ssl.h",
            "llhttp.h",
            "simdjson.h",
            "toml++/toml.h",
            "sqlite3.h",
        ):
            with self.subTest(header):
                planted = {"src/base/clock.cpp": f"#include <{header}>\n"}
                self.assert_only("library_owner", planted)

    def test_a_note_to_self_fails(self):
        for word in ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK"):
            with self.subTest(word):
                self.assert_only("leftovers", {"README.md": f"{word}: later\n"})

    def test_a_source_outside_the_build_fails(self):
        self.assert_only("in_the_build", {"src/base/lost.cpp": "int lost;\n"})
        self.assert_only("in_the_build", {"tests/lost.cpp": "int lost;\n"})

    def test_a_policy_that_the_documentation_does_not_have_fails(self):
        row = '{Feature::n, "n", Treatment::refuse, "only one"},\n'
        page = "| n | `n` | refused (`drop`: left out) | only one |\n"
        files = {"src/dialect/notes.cpp": row, "docs/translation.md": page}
        files["src/dialect/meson.build"] = "dialect_sources = files('notes.cpp')\n"
        self.assertNotIn("failed", verdicts(files).values())
        self.assert_only("policy_page", {**files, "docs/translation.md": page.upper()})

    def test_a_header_without_prose_fails(self):
        self.assert_only("header_prose", {"src/base/clock.h": "// Clock.\n#pragma once\n"})

    def test_a_header_without_pragma_once_fails(self):
        self.assert_only("header_prose", {"src/base/clock.h": PROSE})

    def test_a_path_of_a_machine_fails(self):
        for place in ("/ho" "me/ann/x", "/wo" "rk/main", "/ro" "ot/.cache", "/tmp/" "hyp"):
            with self.subTest(place):
                self.assert_only("places", {"README.md": f"see {place}\n"})

    def test_a_package_registry_fails(self):
        self.assert_only("places", {"a.json": '{"resolved": "https://registry.npm' 'js.org/x"}'})

    def test_exceptions_and_coroutines_in_src_fail(self):
        for word in ("try", "catch", "throw", "co_await"):
            with self.subTest(word):
                self.assert_only("no_exceptions", {"src/main.cpp": f"int a = {word};\n"})

    def test_such_words_in_comments_and_strings_pass(self):
        text = '// We try, and never throw.\nconst char* a = "catch";\n'
        self.assertNotIn("failed", verdicts({"src/main.cpp": text}).values())

    def test_another_layout_fails_where_clang_format_is_there(self):
        planted = {"src/main.cpp": "int   a ;\n"}
        if verdicts({})["format"] == "skipped":
            self.skipTest("clang-format-14 is not installed")
        self.assert_only("format", planted)

    def test_an_exception_with_a_reason_is_honoured(self):
        planted = {
            "src/main.cpp": "int a;\n" * 601,
            "tests/tidy/exceptions.txt": "file_lines src/main.cpp One table, clearest whole.\n",
        }
        self.assertNotIn("failed", verdicts(planted).values())

    def test_an_exception_without_a_reason_or_a_file_fails(self):
        no_reason, no_file, no_rule = "file_lines src/main.cpp", "columns src/gone.cpp y", "x a y"
        for line in (no_reason, no_file, no_rule):
            with self.subTest(line):
                self.assert_only("exceptions", {"tests/tidy/exceptions.txt": line + "\n"})


class Functions(unittest.TestCase):
    def lines_of(self, text: str) -> list:
        return [function.lines for function in find_functions(text)]

    def test_members_initialised_with_braces_belong_to_the_constructor(self):
        self.assertEqual(self.lines_of("S::S()\n    : a_{1},\n      b_{2} {\n  f();\n}\n"), [5])

    def test_tables_types_and_namespaces_are_not_functions(self):
        text = "namespace a {\nstruct B {\n  int c{1};\n};\nint d[] = {\n  1,\n};\n}\n"
        self.assertEqual(self.lines_of(text), [])

    def test_braces_in_literals_comments_and_macros_do_not_count(self):
        text = '#define M() {\nvoid f() {\n  g("}}", \'}\');  // }\n  h(R"x(})" })x");\n}\n'
        self.assertEqual(self.lines_of(text), [4])

    def test_a_lambda_inside_a_function_is_part_of_it(self):
        self.assertEqual(self.lines_of("void f() {\n  g([] {\n    return 1;\n  });\n}\n"), [5])


def report(module) -> int:
    """Runs the tests of a module and prints the line all suites share; the exit status."""
    loaded = unittest.defaultTestLoader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=0).run(loaded)
    for case, reason in result.skipped:
        print(f"skip: {case.id()} -- {reason}")
    failed = len({case.id().split(" ")[0] for case, _ in result.failures + result.errors})
    passed = result.testsRun - failed - len(result.skipped)
    print(f"{passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(report(sys.modules[__name__]))
