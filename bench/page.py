"""The page that people read: what was aimed at, what was measured, what bounds it, and how to measure it again."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from bench import targets
from bench.charts import Bar, Group, chart
from bench.many import NOTHING, SIZES, SOME
from bench.parts import NAMES
from bench.reasons import REASONS
from bench.results import FAR, LOOPBACK, Part, Table
from bench.tables import markdown, scenarios, wall
from bench.tree import FIRST, FRESH, ONE, SAME
from bench.world import COLD, HUBDATA, OURS

PAGE, CHARTS = "RESULTS.md", "charts"

METHOD = """\
Every figure is of a whole process, from its start to its end, as the operating system accounts for it. Tools take turns
after a warm-up, and each round begins with another one, so that drift hits all alike; a figure is the median, `min-max`
the spread, peak memory the highest. Each tool has a bucket of its own. The peers are installed as their users do, in
environments of their own, and run without further options; `rclone tuned` is what its manual offers for this work.

- The store is `bench/store.py`, the same for all: a fast S3 in memory, in a process of its own, on the same two cores.
  It verifies digests and conditions, no signatures. The mock server that the tests use sorts every key for every page.
- *Far* is `bench/slow.py` before it, again a process of its own: 40 ms are added to each request, and 80 ms to each
  connection. Requests and bytes (with their heads) are counted there. It is no narrow line: bodies pass at full speed.
- The real tree is that of the data repository today, 172 files without its workflows.
- *Fresh clone*: the tree is laid anew, so that every file's time is now. With 10,000 and more files the checkout is the
  same one. hubdata keeps its spool between runs, as a CI cache or a container's volume does; *cold cache* has none.
- hubdata reads, digests and validates every file, keeps a lease, a ledger, a manifest, a status page, and tells the
  CDN; the peers compare sizes and times (`rclone tuned`: MD5), and validate nothing.
- hubdata's first sync begins with an empty bucket and an empty spool. What it finds out once about a store that is not
  AWS's (six small requests, ever) is left there, because at AWS it is never asked."""

AGAIN = """\
    python -m bench --write                  # everything, in half an hour; this page and its charts
    python -m bench --only sync              # one part; what the others found is kept outside the repository
    python -m bench --only sync --quick      # a trial with two runs, kept apart
    python -m bench --write --only profile   # one part again, and the page from all
    python -m bench --write --kept           # the page alone, from what is kept

It needs the real data tree beside the repository, npm (for two real databases), Debian's package lists (for rclone),
and `iprange`. A peer that cannot be had is named above; the others are measured without it. Use a machine that does
nothing else."""


def write(found: Mapping[str, Part], out: Path) -> None:
    """Write the page and its charts into a directory."""
    (out / CHARTS).mkdir(parents=True, exist_ok=True)
    drawn = charts(found)
    for name, svg in drawn.items():
        (out / CHARTS / f"{name}.svg").write_text(svg)
    (out / PAGE).write_text(page(found, tuple(drawn)))


def page(found: Mapping[str, Part], drawn: Iterable[str]) -> str:
    """Return the page as Markdown."""
    drawn = tuple(drawn)
    sections = [
        "# hubdata beside the tools in use today",
        _intro(found),
        *_missing(found),
        "## What was aimed at",
        "Ratios in one run: below 1 is less than the other tool. *Far* adds 40 ms a request and 80 ms a connection.",
        markdown(("what", "wanted", "measured", ""), targets.rows(found)),
        *_section("The real tree", found, ("sync",), _pictures(drawn, "sync")),
        *_section("A large file", found, ("database",), _pictures(drawn, "database")),
        *_section("Many files", found, ("many",), _pictures(drawn, "many")),
        *_section("What the fleet downloads", found, ("replay",), _pictures(drawn, "fleet")),
        *_section("Validation and GeoIP", found, ("lists", "judging", "mmdb", "geoip-diff", "refresh"), ()),
        "## What bounds what",
        *bounds(found),
        "Why some aims are not met:",
        REASONS.rstrip(),
        *_tables(found, ("start", "profile"), "###"),
        *_section("The instruments", found, ("instruments",), ()),
        "## How it is measured",
        METHOD,
        "## Again",
        AGAIN,
        markdown(("part", "measured at", "commit", "counted runs", "took s", "machine"), _when(found)),
    ]
    return "\n\n".join(sections) + "\n"


def _intro(found: Mapping[str, Part]) -> str:
    versions = tuple(dict.fromkeys(version for part in found.values() for version in part.versions))
    first = next(iter(found.values()), Part("none"))
    return (
        f"Written by `python -m bench --write`. {first.at[:10]}; {first.machine}; hubdata at {first.revision}; "
        f"{'; '.join(versions)}. Figures are medians of {first.runs} whole processes that take turns. Compare ratios."
    )


def _missing(found: Mapping[str, Part]) -> list[str]:
    lines = [f"- `{name}` was not measured" for name in NAMES if name not in found]
    lines += [f"- `{part.name}` failed: {_short(part.failed)}" for part in found.values() if part.failed]
    every = dict.fromkeys(_short(why) for part in found.values() for why in part.missing)
    lines += [f"- {why}" for why in every]
    return ["## NOT MEASURED", "\n".join(lines)] if lines else []


def _short(text: str) -> str:
    return " ".join(text.split())[:300]


def _section(title: str, found: Mapping[str, Part], names: tuple[str, ...], pictures: tuple[str, ...]) -> list[str]:
    return [f"## {title}", *pictures, *_tables(found, names, "###")]


def _tables(found: Mapping[str, Part], names: tuple[str, ...], level: str) -> list[str]:
    lines = []
    for part in (found[name] for name in names if name in found):
        for table in (*scenarios(part), *part.tables):
            lines += shown(table, level)
    return lines


def shown(table: Table, level: str) -> list[str]:
    """Return a table with its heading and note."""
    return [f"{level} {table.title}", markdown(table.head, table.rows), *[table.note] * bool(table.note)]


def _pictures(drawn: tuple[str, ...], beginning: str) -> tuple[str, ...]:
    return tuple(f"![{name.replace('-', ' ')}]({CHARTS}/{name}.svg)" for name in drawn if name.startswith(beginning))


def _when(found: Mapping[str, Part]) -> list[tuple[str, ...]]:
    return [
        (part.name, part.at, part.revision, str(part.runs), f"{part.seconds:.0f}", part.machine)
        for part in found.values()
    ]


def charts(found: Mapping[str, Part]) -> dict[str, str]:
    """Return every chart that can be drawn, by name."""
    drawn = {}
    tree = (FIRST, SAME, FRESH, ONE)
    for net, name in ((FAR, "sync-far"), (LOOPBACK, "sync-loopback")):
        drawn[name] = _walls(found, "sync", f"The real tree, 172 files: {net}", tree, net)
    if "database" in found:
        names = tuple(dict.fromkeys(one.scenario for one in found["database"].measured))
        drawn["database-far"] = _walls(found, "database", f"One file of 66 MB: {FAR}", names, FAR)
    names = tuple(name.format(count) for count in SIZES for name in (NOTHING, SOME))
    drawn["many"] = _walls(found, "many", "Many small files, loopback", names, LOOPBACK)
    if "replay" in found and found["replay"].tables:
        drawn["fleet"] = _fleet(found["replay"])
    return {name: svg for name, svg in drawn.items() if svg}


def _walls(found: Mapping[str, Part], part: str, title: str, names: tuple[str, ...], net: str) -> str:
    groups = []
    for name in names:
        here = [one for one in found[part].measured if (one.scenario, one.net) == (name, net)] if part in found else []
        bars = tuple(Bar(one.tool, wall(one), f"{wall(one):.2f} s", one.tool in OURS) for one in here)
        groups += [Group(name, bars)] * bool(bars)
    return chart(title, "Wall clock, median. Each group has a scale of its own.", groups) if groups else ""


def _fleet(part: Part) -> str:
    rows = part.tables[1].rows
    bars = tuple(Bar(row[0], float(row[1].replace(",", "")), f"{row[1]} bytes", row[0] == HUBDATA) for row in rows)
    note = "Mean over the replay: engines ask HEAD for every file and fetch what is newer."
    return chart("What one engine downloads again per commit", note, [Group("", bars)])


def bounds(found: Mapping[str, Part]) -> list[str]:
    """Return what can be said from the figures about what a run is made of."""
    sync, start = found.get("sync"), found.get("start")
    if not sync or not start or not start.tables:
        return ["The parts `sync` and `start` were not both measured."]
    begun = {row[0]: row[1] for row in start.tables[0].rows}
    rows = []
    for scenario in (SAME, FRESH, ONE, FIRST):
        for tool in OURS:
            near, far = sync.of(scenario, LOOPBACK, tool), sync.of(scenario, FAR, tool)
            if near and far and far.wire:
                cpu = sorted(run.cpu_s for run in near.runs)[len(near.runs) // 2]
                figures = f"{wall(near):.3f}", f"{cpu:.3f}", f"{wall(far):.3f}", f"{wall(far) - wall(near):.3f}"
                rows.append((f"{scenario}: {tool}", *figures, str(far.wire.connections), str(far.wire.count)))
    head = ("run", "loopback wall s", "of it CPU s", "far wall s", "distance costs s", "connections", "requests")
    said = (
        f"An empty interpreter takes {begun.get('python -c pass', '?')} s of wall clock, `hubdata --version` "
        f"{begun.get('hubdata --version', '?')} s. On loopback a run is bound by its own CPU. From afar, the first "
        "answer comes after 0.12 s at the earliest (a connection, a request), each further one in turn adds 0.04 s, "
        "and requests side by side on new connections add 0.12 s together: what `distance costs` is how many waits "
        f"stand one after the other. `{COLD}` beside `{HUBDATA}` is what the kept verdicts save."
    )
    return [markdown(head, rows), said]
