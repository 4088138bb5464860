"""From figures to a page: medians with their spread, and the project's targets met or missed."""

import re
from statistics import median

PEERS = ("nginx", "haproxy")
SUBJECT = "hyperion"
BASELINE = "direct"


class Results:
    """Figures by measure, target and round. A round that failed holds None."""

    def __init__(self):
        self.figures = {}
        self.failures = []

    def add(self, measure, target, figures):
        self.figures.setdefault(measure, {}).setdefault(target, []).append(figures)

    def fail(self, measure, target, reason):
        self.add(measure, target, None)
        self.failures.append(f"{target}, {measure}: {reason}")

    def values(self, measure, target, name):
        """One value a round, None where there is none."""
        rounds = self.figures.get(measure, {}).get(target, [])
        return [figures.get(name) if figures else None for figures in rounds]

    def added(self, measure, target, name):
        """A latency less the baseline's of the same round."""
        pairs = zip(self.values(measure, target, name), self.values(measure, BASELINE, name))
        return [None if None in pair else pair[0] - pair[1] for pair in pairs]

    def median(self, measure, target, name):
        values = [value for value in self.values(measure, target, name) if value is not None]
        return median(values) if values else None


def spread(values, digits):
    """'median (min-max)' of what there is."""
    values = [value for value in values if value is not None]
    if not values:
        return "-"
    middle = f"{median(values):,.{digits}f}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):,.{digits}f}-{max(values):,.{digits}f})"


# Label, measure, figure, decimals, factor; a label that says "added" is less the baseline's.
ROWS = (
    ("**Saturated, 0.5 KB prompts**", None, None, 0, 1),
    ("requests/s, c=10", "saturation c=10", "rps", 0, 1),
    ("requests/s, c=64", "saturation c=64", "rps", 0, 1),
    ("CPU us per request, c=10", "saturation c=10", "cpu_us", 2, 1),
    ("CPU us per request, c=64", "saturation c=64", "cpu_us", 2, 1),
    ("proxy's CPU busy, c=10, %", "saturation c=10", "proxy_busy", 0, 100),
    ("proxy's CPU busy, c=64, %", "saturation c=64", "proxy_busy", 0, 100),
    ("load tool's CPU busy, c=64, %", "saturation c=64", "load_busy", 0, 100),
    ("**Larger prompts, c=10**", None, None, 0, 1),
    ("CPU us per request, 8 KB", "prompt 8 KB", "cpu_us", 2, 1),
    ("CPU us per request, 128 KB", "prompt 128 KB", "cpu_us", 1, 1),
    ("**One connection**", None, None, 0, 1),
    ("p50 us", "single", "p50", 1, 1),
    ("added p50 us", "single", "p50", 1, 1),
    ("p99 us", "single", "p99", 1, 1),
    ("**Open loop, 50 % of own capacity**", None, None, 0, 1),
    ("rate, requests/s", "open 50 %", "rate", 0, 1),
    ("p50 us", "open 50 %", "p50", 0, 1),
    ("p99 us", "open 50 %", "p99", 0, 1),
    ("p99.9 us", "open 50 %", "p999", 0, 1),
    ("**Open loop, 80 % of own capacity**", None, None, 0, 1),
    ("rate, requests/s", "open 80 %", "rate", 0, 1),
    ("p50 us", "open 80 %", "p50", 0, 1),
    ("p99 us", "open 80 %", "p99", 0, 1),
    ("p99.9 us", "open 80 %", "p999", 0, 1),
    ("**Open loop, the same rate for all (80 % of the least capacity)**", None, None, 0, 1),
    ("rate, requests/s", "open equal", "rate", 0, 1),
    ("p50 us", "open equal", "p50", 0, 1),
    ("p99 us", "open equal", "p99", 0, 1),
    ("p99.9 us", "open equal", "p999", 0, 1),
    ("**wrk** (shares its CPU with the upstream)", None, None, 0, 1),
    ("requests/s, c=10", "wrk c=10", "rps", 0, 1),
    ("requests/s, c=100", "wrk c=100", "rps", 0, 1),
    ("proxy's CPU busy, c=100, %", "wrk c=100", "proxy_busy", 0, 100),
    ("**Streams** (event's delay from upstream's send to client's receipt)", None, None, 0, 1),
    ("first event added p50 us", "stream", "first_p50", 1, 1),
    ("first event p99 us", "stream", "first_p99", 1, 1),
    ("later events added p50 us", "stream", "later_p50", 1, 1),
    ("later events p99 us", "stream", "later_p99", 1, 1),
    ("change of gap p99 us", "stream", "gap_p99", 1, 1),
    ("CPU us per event, 64 streams", "stream cost", "event_cpu_us", 2, 1),
    ("events/s, 64 streams", "stream cost", "events_per_second", 0, 1),
    ("**System calls** (strace, c=10)", None, None, 0, 1),
    ("per request", "system calls", "per_request", 2, 1),
    ("**Memory** (resident, all processes)", None, None, 0, 1),
    ("idle, MiB", "memory new", "idle_kib", 1, 1 / 1024),
    ("KiB per idle connection, never used", "memory new", "per_connection_kib", 2, 1),
    ("KiB per idle connection, after a request", "memory used", "per_connection_kib", 2, 1),
)


def figure_rows(results, targets):
    """The table's rows that have anything in them, section by section."""
    section = None
    for label, measure, name, digits, factor in ROWS:
        if measure is None:
            section = label
            continue
        cells = []
        for target in targets:
            read = results.added if "added" in label else results.values
            values = read(measure, target, name)
            cells.append(spread([v if v is None else v * factor for v in values], digits))
        # Direct has no proxy whose CPU could be counted.
        if "CPU us" in label or "proxy's" in label or "added" in label:
            cells = ["-" if t == BASELINE else cell for t, cell in zip(targets, cells)]
        if all(cell == "-" for cell in cells):
            continue
        if section:
            yield [section] + [""] * len(targets)
            section = None
        yield [label] + cells


def ratios(results, measure, name, peers, best, added=False):
    """Subject / best of the peers, round by round."""
    read = results.added if added else results.values
    subject = read(measure, SUBJECT, name)
    others = [read(measure, peer, name) for peer in peers]
    found = []
    for index, value in enumerate(subject):
        known = [o[index] for o in others if index < len(o) and o[index] is not None]
        if value is not None and known and best(known) > 0:
            found.append(value / best(known))
    return found


# The targets of the project: what, values of a run, limit, whether smaller is better.
def goals(results):
    def cpu(measure):
        return ratios(results, measure, "cpu_us", PEERS, min)

    def rps(measure):
        return ratios(results, measure, "rps", ("nginx",), max)

    def kib(measure, name, factor=1.0):
        values = results.values(measure, SUBJECT, name)
        return [value * factor for value in values if value is not None]

    return (
        ("CPU per request / better peer, c=10", cpu("saturation c=10"), 0.85, True),
        ("CPU per request / better peer, c=64", cpu("saturation c=64"), 0.85, True),
        (
            "added p50 at c=1 / better peer",
            ratios(results, "single", "p50", PEERS, min, added=True),
            1.05,
            True,
        ),
        ("wrk requests/s / nginx, c=10", rps("wrk c=10"), 1.15, False),
        ("wrk requests/s / nginx, c=100", rps("wrk c=100"), 1.15, False),
        ("resident memory idle, MiB", kib("memory new", "idle_kib", 1 / 1024), 30, True),
        ("KiB per idle connection, never used", kib("memory new", "per_connection_kib"), 4, True),
        (
            "KiB per idle connection, after a request",
            kib("memory used", "per_connection_kib"),
            4,
            True,
        ),
    )


def goal_rows(results):
    for label, values, limit, smaller in goals(results):
        wanted = f"{'<=' if smaller else '>='} {limit}"
        if not values:
            yield [label, wanted, "-", "not measured"]
            continue
        middle = median(values)
        met = middle <= limit if smaller else middle >= limit
        by = abs(middle / limit - 1) * 100
        yield [label, wanted, spread(values, 2), "met" if met else f"**missed** by {by:.0f} %"]


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(results, targets, facts):
    """The whole report as markdown."""
    lines = [f"- {name}: {value}" for name, value in facts.items()]
    parts = ["\n".join(lines)]
    if SUBJECT in targets:
        head = ["target (ratios within each round)", "wanted", "measured", ""]
        parts.append(table(head, goal_rows(results)))
    parts.append(table(["", *targets], figure_rows(results, targets)))
    calls = []
    for target in targets:
        for figures in results.figures.get("system calls", {}).get(target, []):
            if figures:
                calls.append(f"- {target}: {figures['calls']}")
    if calls:
        parts.append("System calls per request:\n\n" + "\n".join(calls))
    if results.failures:
        parts.append("**Failed runs:**\n\n" + "\n".join(f"- {line}" for line in results.failures))
    return "\n\n".join(parts) + "\n"


def record(path, name, text):
    """Puts the report between its markers in a file of results, or appends it with them."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    section = f"{begin}\n{text.rstrip()}\n{end}"
    whole = path.read_text() if path.exists() else "# Results\n"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if pattern.search(whole):
        whole = pattern.sub(lambda _: section, whole)
    else:
        whole = whole.rstrip() + f"\n\n{section}\n"
    path.write_text(whole)
