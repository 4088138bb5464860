"""Edits that change nothing of what is asked: a router should not care."""

import re


def upper_case(text, generator):
    del generator
    return text.lower() if text[:200].isupper() else text.capitalize() if text.islower() else (
        text.lower()
    )


def blanks(text, generator):
    return "  " + re.sub(r" ", lambda _: " " * generator.choice((1, 1, 2)), text) + "\n\n"


def typos(text, generator):
    """Two neighbouring letters change places in one word of fifty."""
    words = text.split(" ")
    for i, word in enumerate(words):
        if len(word) > 3 and word.isalpha() and generator.random() < 0.02:
            at = generator.randrange(1, len(word) - 2)
            words[i] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)


def polite(text, generator):
    return generator.choice(
        ("Please help me with this. ", "Could you please answer this: ", "Hi! ", "Please: ")
    ) + text


def options_reordered(text, generator):
    """Lines "A. ..." keep their letters and change their texts."""
    lines = text.split("\n")
    places = [i for i, line in enumerate(lines) if re.match(r"\(?[A-J][.):] ", line)]
    texts = [re.sub(r"^\(?[A-J][.):] ", "", lines[i]) for i in places]
    order = generator.sample(texts, len(texts))
    for i, new in zip(places, order, strict=True):
        lines[i] = re.match(r"\(?[A-J][.):] ", lines[i]).group(0) + new
    return "\n".join(lines)


EDITS = {
    "case": upper_case,
    "blanks": blanks,
    "typos": typos,
    "polite": polite,
    "options": options_reordered,
}
