"""Reads a metrics page as Prometheus does (text format 0.0.4), refusing what it would refuse."""

import re

NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')
SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")


def parse_labels(text: str) -> tuple:
    labels = []
    while text:
        found = LABEL.match(text)
        assert found, f"bad labels: {text!r}"
        labels.append((found[1], found[2]))
        text = text[found.end() :]
        assert not text or text[0] == ",", f"bad labels: {text!r}"
        text = text[1:]
    names = [name for name, _ in labels]
    assert len(names) == len(set(names)), f"a label twice: {names}"
    return tuple(sorted(labels))


def family_of(name: str, types: dict) -> str:
    for suffix in ("_bucket", "_sum", "_count"):
        family = name.removesuffix(suffix)
        if family != name and types.get(family) in ("histogram", "summary"):
            return family
    return name


def parse_exposition(text: str) -> dict:
    """{(name, labels): value}; an AssertionError where the page is not an exposition."""
    assert text.endswith("\n")
    types = {}
    samples = {}
    closed = set()
    current = None
    for line in text[:-1].split("\n"):
        if line.startswith("# HELP ") or line.startswith("# TYPE "):
            _, word, name, rest = line.split(" ", 3)
            assert NAME.fullmatch(name) and rest, line
            if word == "TYPE":
                assert name not in types, f"two types of {name}"
                assert rest in ("counter", "gauge", "histogram", "summary", "untyped"), line
                types[name] = rest
            continue
        assert not line.startswith("#") and line, f"unexpected line {line!r}"
        found = SAMPLE.fullmatch(line)
        assert found, f"bad sample {line!r}"
        family = family_of(found[1], types)
        assert family in types, f"{found[1]} has no type before it"
        if family != current:
            assert family not in closed, f"the samples of {family} do not stand together"
            closed.add(current)
            current = family
        key = (found[1], parse_labels(found[2] or ""))
        assert key not in samples, f"a sample twice: {key}"
        samples[key] = float(found[3])
    check_histograms(types, samples)
    return samples


def check_histograms(types: dict, samples: dict) -> None:
    for family in [name for name, kind in types.items() if kind == "histogram"]:
        buckets = [
            (float(dict(labels)["le"]), value)
            for (name, labels), value in samples.items()
            if name == family + "_bucket"
        ]
        assert buckets and buckets == sorted(buckets), family
        assert buckets[-1][0] == float("inf"), family
        counts = [count for _, count in buckets]
        assert counts == sorted(counts), f"the buckets of {family} do not add up"
        assert counts[-1] == samples[(family + "_count", ())], family
