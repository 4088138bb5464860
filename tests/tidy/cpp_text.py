"""C++ source as text: enough of the language to measure it, not to compile it.

Comments, strings and characters are blanked out (the lines stay), and functions are found by
their braces. Right for code that clang-format has laid out; macros that open a brace are not.
"""

import re
from dataclasses import dataclass

LITERALS = re.compile(
    r"""(?P<line>//[^\n]*)
      | (?P<block>/\*.*?\*/)
      | (?P<raw>(?:u8|[uUL])?R"(?P<delimiter>[^()\\\s]{0,16})\(.*?\)(?P=delimiter)")
      | (?P<string>"(?:\\.|[^"\\\n])*")
      | (?P<character>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL,
)

ATTRIBUTES = re.compile(r"\[\[.*?\]\]|alignas\s*\([^)]*\)|__attribute__\s*\(\(.*?\)\)", re.DOTALL)
SCOPE = re.compile(r"\b(namespace|class|struct|union|enum|extern)\b")


def blank_literals(text: str) -> str:
    """The text with every comment and literal replaced by blanks; same length, same lines."""

    def blank(match: re.Match) -> str:
        if match.lastgroup in ("line", "block"):
            return re.sub(r"[^\n]", " ", match.group())
        inside = re.sub(r"[^\n]", " ", match.group()[1:-1])
        return '"' + inside + '"'

    return LITERALS.sub(blank, text)


def blank_preprocessor(code: str) -> str:
    """Blanks directives, continuation lines included: a macro's braces belong to its users."""
    return re.sub(
        r"^[ \t]*#(?:\\\n|[^\n])*",
        lambda match: re.sub(r"[^\n]", " ", match.group()),
        code,
        flags=re.MULTILINE,
    )


@dataclass
class Function:
    name: str
    first_line: int
    last_line: int

    @property
    def lines(self) -> int:
        return self.last_line - self.first_line + 1


def kind_of_brace(head: str) -> str:
    """What a `{` after `head` opens, at namespace or class scope."""
    head = ATTRIBUTES.sub(" ", head)
    if "(" in head:
        return "function"
    return "scope" if SCOPE.search(head) else "value"


def name_of(head: str) -> str:
    before_parameters = head.split("(", 1)[0].split()
    return before_parameters[-1] if before_parameters else "(unnamed)"


class FunctionFinder:
    """Walks the code once, keeping a stack of what each open brace is."""

    def __init__(self, code: str):
        self.code = code
        self.stack = []  # of (kind, head, position of the head's first character)
        self.head = ""
        self.head_at = None
        self.parentheses = 0
        self.functions = []

    def find(self) -> list:
        for at, character in enumerate(self.code):
            if character == "{":
                self.open(at)
            elif character == "}":
                self.close(at)
            elif all(kind == "scope" for kind, _, _ in self.stack):
                self.read(at, character)
        return self.functions

    def read(self, at: int, character: str) -> None:
        if character == "(":
            self.parentheses += 1
        elif character == ")":
            self.parentheses -= 1
        elif character == ";" and self.parentheses == 0:
            self.forget_head()
            return
        if self.head_at is None and not character.isspace():
            self.head_at = at
        if self.head_at is not None:
            self.head += character

    def open(self, at: int) -> None:
        outer = all(kind == "scope" for kind, _, _ in self.stack)
        kind = kind_of_brace(self.head) if outer and self.parentheses == 0 else "inner"
        head_at = self.head_at if self.head_at is not None else at
        self.stack.append((kind, self.head, head_at))
        if kind == "scope":
            self.forget_head()

    def close(self, at: int) -> None:
        if not self.stack:
            return
        kind, head, head_at = self.stack.pop()
        if kind == "inner":
            return
        following = self.code[at + 1 :].lstrip()[:1]
        if kind == "function" and following in (",", "{"):
            return  # A member's initial value in braces: the body is still to come.
        if kind == "value" and following != "":
            return  # An initial value; its head ends at the semicolon.
        if kind == "function":
            first = self.code.count("\n", 0, head_at) + 1
            last = self.code.count("\n", 0, at) + 1
            self.functions.append(Function(name_of(head), first, last))
        self.forget_head()

    def forget_head(self) -> None:
        self.head = ""
        self.head_at = None


def find_functions(text: str) -> list:
    """Every function defined at namespace or class scope, with its first and last line."""
    return FunctionFinder(blank_preprocessor(blank_literals(text))).find()
