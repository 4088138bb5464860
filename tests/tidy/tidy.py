#!/usr/bin/env python3
"""Checks of the source tree that no compiler makes: layers, sizes, words, layout.

Run by ./dev test, and by hand as tests/tidy/tidy.py [ROOT]. Each rule is one check; the last
line printed is "N passed, N failed, N skipped". Exceptions stand in exceptions.txt, each with its
reason.
"""

import argparse
import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from cpp_text import blank_literals, find_functions  # noqa: E402

COLUMNS_MAX = 100
FUNCTION_LINES_MAX = 70
FILE_LINES_GUIDE = 400
FILE_LINES_MAX = 600
HEADER_PROSE_LINES_MIN = 4

# Lowest first: a folder includes only itself and those before it (ARCHITECTURE.md).
FOLDERS = (
    "base io tls http json catalog dialect routing resilience ledger config upstream gateway"
    " admin simulator server"
).split()

# The one folder that may include each library.
LIBRARY_OWNERS = {
    r"liburing": "io",
    r"wolfssl/": "tls",
    r"llhttp": "http",
    r"simdjson": "json",
    r"toml\+\+/": "config",
    r"sqlite3": "ledger",
}

CPP = {".cpp", ".h"}
SOURCE = CPP | {".py", ".sh", ".build", ".toml", ".ts", ".js", ".mjs"}
TEXT = SOURCE | {".md", ".txt", ".json", ".service", ""}

# Written in pieces, so that this file does not break its own rules.
LEFTOVERS = re.compile(r"\b(TO" r"DO|FIX" r"ME|X" r"XX|HA" r"CK)\b")
PLACES = re.compile(
    r"(?<![\w.])/(?:ho" r"me|ro" r"ot|wo" r"rk|Us" r"ers)/[\w.]|/tmp/" r"hyp"
    r"|registry\.npm" r"js|py" r"pi\.org|pythonhos" r"ted\.org|deb\.deb" r"ian\.org"
)
NOT_IN_SRC = re.compile(r"\b(try|catch|throw|co_await|co_yield|co_return)\b")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


class Tree:
    """The files of the project (git's, or all where there is no git), read once."""

    def __init__(self, root: Path):
        self.root = root
        self.paths = sorted(path for path in self.list_files() if (root / path).is_file())
        self.texts = {}
        self.exceptions = self.read_exceptions()

    def list_files(self) -> list:
        if (self.root / ".git").exists():
            command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
            listed = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
            return [Path(name) for name in listed.stdout.split("\0") if name]
        found = []
        for folder, subfolders, names in os.walk(self.root):
            subfolders[:] = [name for name in subfolders if name not in ("build", "node_modules")]
            found += [(Path(folder) / name).relative_to(self.root) for name in names]
        return found

    def read_exceptions(self) -> dict:
        """{(rule, path): reason} from lines of `rule path reason`."""
        path = self.root / "tests/tidy/exceptions.txt"
        exceptions = {}
        if path.exists():
            for line in path.read_text().splitlines():
                if line.strip() and not line.startswith("#"):
                    rule, name, reason = (line.split(None, 2) + ["", ""])[:3]
                    exceptions[(rule, name)] = reason
        return exceptions

    def select(self, suffixes: set, *tops: str) -> list:
        """Paths with one of the suffixes, below one of the top folders if any are given."""
        return [
            path
            for path in self.paths
            if path.suffix in suffixes and (not tops or path.parts[0] in tops)
        ]

    def select_scripts(self, interpreter: str = "") -> list:
        """Programs without a suffix, by their first line; of one interpreter if it is given."""
        return [
            path
            for path in self.select({""})
            if self.text(path).startswith("#!") and interpreter in self.text(path).split("\n")[0]
        ]

    def text(self, path: Path) -> str:
        if path not in self.texts:
            self.texts[path] = (self.root / path).read_text(encoding="utf-8", errors="replace")
        return self.texts[path]


def line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1


# A rule yields (path, line, what is wrong and what to do).


def rule_columns(tree):
    """No line is wider than 100 columns."""
    for path in tree.select(SOURCE) + tree.select_scripts():
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if len(line) > COLUMNS_MAX:
                yield path, number, f"{len(line)} columns, at most {COLUMNS_MAX}"


def rule_function_lines(tree):
    """A function fits a screen."""
    for path in tree.select(CPP):
        for function in find_functions(tree.text(path)):
            if function.lines > FUNCTION_LINES_MAX:
                yield path, function.first_line, too_long(function.name, function.lines)
    for path in tree.select({".py"}) + tree.select_scripts("python"):
        for node in ast.walk(ast.parse(tree.text(path))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = node.end_lineno - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    yield path, node.lineno, too_long(node.name, lines)


def too_long(name: str, lines: int) -> str:
    return f"{name} has {lines} lines, at most {FUNCTION_LINES_MAX}: name its steps"


def rule_file_lines(tree):
    """A file holds one idea."""
    for path in tree.select(CPP | {".py"}) + tree.select_scripts():
        lines = tree.text(path).count("\n")
        if lines > FILE_LINES_MAX:
            yield path, lines, f"{lines} lines, at most {FILE_LINES_MAX}: split it by idea"
        elif lines > FILE_LINES_GUIDE and ("file_lines", str(path)) not in tree.exceptions:
            print(f"  note: {path} has {lines} lines; the guide is {FILE_LINES_GUIDE}")


def rule_include_direction(tree):
    """A folder of src includes only itself and the folders below it; src never includes tests."""
    for path in tree.select(CPP, "src"):
        own = path.parts[1] if len(path.parts) > 2 else None
        text = tree.text(path)
        for match in INCLUDE.finditer(text):
            bracket, name = match.groups()
            folder = name.split("/")[0]
            if bracket == "<" and folder not in FOLDERS:
                continue
            line = line_of(text, match.start())
            if bracket == "<" or "/" not in name or folder not in FOLDERS:
                yield path, line, f'write our headers as "folder/name.h", not {name}'
            elif own is not None and own not in FOLDERS:
                yield path, line, f"src/{own} is not a folder of the architecture"
            elif own is not None and FOLDERS.index(folder) > FOLDERS.index(own):
                yield path, line, f"{own} must not include {folder}, which is above it"


def rule_library_owner(tree):
    """Each third-party library is included by one folder of src."""
    for path in tree.select(CPP, "src"):
        text = tree.text(path)
        for match in INCLUDE.finditer(text):
            for library, owner in LIBRARY_OWNERS.items():
                if re.match(library, match.group(2)) and match.group(1) == "<":
                    if path.parts[1] != owner:
                        line = line_of(text, match.start())
                        yield path, line, f"only src/{owner} includes {match.group(2)}"


def rule_leftovers(tree):
    """No note to self is left in the tree."""
    for path in tree.select(TEXT):
        for match in LEFTOVERS.finditer(tree.text(path)):
            line = line_of(tree.text(path), match.start())
            yield path, line, f"{match.group()}: do it, or say why it is as it is"


def rule_in_the_build(tree):
    """Every .cpp is named in a meson.build."""
    named = set()
    for build in (path for path in tree.paths if path.name == "meson.build"):
        for name in re.findall(r"'([^']+\.cpp)'", tree.text(build)):
            named.add(Path(os.path.normpath(build.parent / name)))
    for path in tree.select({".cpp"}, "src", "tests", "bench"):
        if path not in named:
            yield path, 1, "no meson.build names it: it is never compiled"


def rule_header_prose(tree):
    """Every header opens with what it owns, who calls it, what can fail, what it never does."""
    for path in tree.select({".h"}):
        lines = tree.text(path).splitlines()
        prose = 0
        while prose < len(lines) and lines[prose].startswith("//"):
            prose += 1
        if prose < HEADER_PROSE_LINES_MIN:
            yield path, 1, f"opens with {prose} lines of prose, at least {HEADER_PROSE_LINES_MIN}"
        if "#pragma once" not in lines:
            yield path, 1, "has no #pragma once"


def rule_places(tree):
    """The tree names no path of somebody's machine and no package registry."""
    for path in tree.select(TEXT):
        for match in PLACES.finditer(tree.text(path)):
            line = line_of(tree.text(path), match.start())
            yield path, line, f"'{match.group()}' is a place, not part of the project"


def rule_no_exceptions(tree):
    """src has no exceptions and no coroutines: errors are values, machines are explicit."""
    for path in tree.select(CPP, "src"):
        code = blank_literals(tree.text(path))
        for match in NOT_IN_SRC.finditer(code):
            yield path, line_of(code, match.start()), f"'{match.group()}' in src"


# What cannot be translated: in the source, and in the documentation.
POLICY = Path("src/dialect/notes.cpp")
POLICY_PAGE = Path("docs/translation.md")
POLICY_ROW = re.compile(r'\{Feature::(\w+), "([^"]*)", Treatment::(\w+),\s*"([^"]*)"\}')
TREATMENTS = {
    "refuse": "refused (`drop`: left out)",
    "refuse_always": "refused",
    "drop": "left out",
    "adjust": "adjusted",
}


def rule_policy_page(tree):
    """The table of what cannot be translated is that of the source."""
    if not (tree.root / POLICY).exists():
        return
    page = tree.text(POLICY_PAGE).splitlines() if (tree.root / POLICY_PAGE).exists() else []
    text = tree.text(POLICY)
    for found in POLICY_ROW.finditer(text):
        feature, parameter, treatment, reason = found.groups()
        parameter = f"`{parameter}`" if parameter else "(its name)"
        row = f"| {feature.replace('_', ' ')} | {parameter} | {TREATMENTS[treatment]} | {reason} |"
        if row not in page:
            yield POLICY, line_of(text, found.start()), f"{POLICY_PAGE} has no row {row}"


RULES = [
    rule_policy_page,
    rule_columns,
    rule_function_lines,
    rule_file_lines,
    rule_include_direction,
    rule_library_owner,
    rule_leftovers,
    rule_in_the_build,
    rule_header_prose,
    rule_places,
    rule_no_exceptions,
]


def check_format(tree) -> tuple:
    """(verdict, details) of clang-format over the C++ files, by the one version we pin."""
    tool = shutil.which("clang-format-14")
    if tool is None:
        return "skipped", ["clang-format-14 is not installed (./dev setup)"]
    paths = [str(path) for path in tree.select(CPP)]
    if not paths:
        return "passed", []
    command = [tool, "--dry-run", "--ferror-limit=1", "-Werror", *paths]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True)
    places = [line.split(": error:")[0] for line in done.stderr.splitlines() if ": error:" in line]
    details = [f"{place}: not as clang-format lays it out: ./dev fmt" for place in places]
    return ("failed" if done.returncode else "passed"), details or done.stderr.splitlines()[:5]


def check_rule(tree, rule) -> tuple:
    name = rule.__name__.removeprefix("rule_")
    details = [
        f"{path}:{line}: {message}"
        for path, line, message in rule(tree)
        if (name, str(path)) not in tree.exceptions
    ]
    return ("failed" if details else "passed"), details


def check_exceptions(tree) -> tuple:
    """Every exception has a reason and is still about something."""
    names = {rule.__name__.removeprefix("rule_") for rule in RULES}
    details = []
    for (rule, path), reason in tree.exceptions.items():
        if rule not in names or Path(path) not in tree.paths:
            details.append(f"exceptions.txt: no such rule or file: {rule} {path}")
        elif not reason:
            details.append(f"exceptions.txt: {rule} {path} has no reason")
    return ("failed" if details else "passed"), details


def run(root: Path) -> dict:
    """{check: (verdict, details)} over the tree at `root`."""
    tree = Tree(root)
    results = {rule.__name__.removeprefix("rule_"): check_rule(tree, rule) for rule in RULES}
    results["exceptions"] = check_exceptions(tree)
    results["format"] = check_format(tree)
    return results


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[2])
    results = run(parser.parse_args().root.resolve())
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for name, (verdict, details) in results.items():
        counts[verdict] += 1
        if verdict == "skipped":
            print(f"skip: {name} -- {details[0]}")
        elif verdict == "failed":
            print(f"{name}: failed")
            print("\n".join(f"  {detail}" for detail in details))
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
