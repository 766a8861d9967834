"""Measure `hubdata validate` on long lists of networks, beside `iprange` (C) and Python's own `ipaddress`.

Whole processes in turn, medians (`python -m bench --only lists`). All three read the same canonical rows, and must
agree on how many addresses a part of them covers; hubdata also applies every rule of its kind and digests the file.
`iprange` is Debian's, and knows IPv4 only. Compare ratios, not seconds.
"""

import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.__main__ import main
from bench.results import Part, Table
from bench.tables import CELLS, cells
from bench.timing import Command, interleaved, median

ROWS = {4: 1_000_000, 6: 300_000}

PREFIXES = {
    4: {32: 800, 30: 20, 29: 30, 28: 30, 27: 20, 26: 15, 25: 10, 24: 65, 23: 5, 22: 4, 20: 1},
    6: {128: 400, 64: 350, 56: 100, 48: 140, 44: 8, 40: 2},
}
"""How many of a thousand rows have each prefix length: mostly hosts, then /24s, /64s and /48s. Together they stay
below what the kind allows one list to cover."""

BLOCKS = {4: (3, 5, 8, 23, 31, 45, 62, 77, 93, 104, 138, 151, 176, 185, 194, 212), 6: (0x2400, 0x2600, 0x2A00, 0x2C0F)}
"""Ordinary addresses begin with these: 8 bits of IPv4, 16 of IPv6."""

REPEATED = 0.005
INSIDE = 0.05
"""Shares of rows that stand there already, and that are hosts within an earlier network."""

TITLE = "Long lists of networks, validated"
HEAD = ("list", "tool", *CELLS, "wall / hubdata")
NOTE = """\
`hubdata validate` applies every rule of its kind `cidr` and digests the file; `iprange` (C, Debian's) and Python's
own `ipaddress` parse and merge, and apply none. All count the same addresses, or the part fails. `iprange` knows IPv4
only."""

STDLIB = """\
import sys
from ipaddress import collapse_addresses, ip_network
with open(sys.argv[1]) as lines:
    networks = [ip_network(line.rstrip("\\n")) for line in lines]
print(sum(network.num_addresses for network in collapse_addresses(networks)))
"""


def rows(version: int, count: int, seed: int = 1) -> Iterator[str]:
    """Yield `count` canonical networks, the same for the same seed; some repeated, some within others."""
    draw = random.Random(seed)
    bits = 32 if version == 4 else 128
    address = IPv4Address if version == 4 else IPv6Address
    lengths, weights = list(PREFIXES[version]), list(PREFIXES[version].values())
    earlier: list[tuple[int, int]] = []
    for prefix in draw.choices(lengths, weights, k=count):
        kind = draw.random()
        if earlier and kind < REPEATED:
            value, length = draw.choice(earlier)
        elif earlier and kind < REPEATED + INSIDE:
            value, length = draw.choice(earlier)
            value, length = value | draw.getrandbits(bits - length) if length < bits else value, bits
        else:
            head = draw.choice(BLOCKS[version])
            width = bits - (8 if version == 4 else 16)
            value, length = (head << width | draw.getrandbits(width)) >> bits - prefix << bits - prefix, prefix
        earlier.append((value, length))
        yield f"{address(value)}/{length}"


def commands(version: int, file: Path) -> tuple[Command, ...]:
    """Return the tools that can read this version, ready to be timed."""
    env = dict(os.environ)
    tools = {"hubdata": [_hubdata(), "validate", "--kind", "cidr", str(file)]}
    if version == 4 and (iprange := shutil.which("iprange")):
        tools["iprange"] = [iprange, str(file)]
    tools["ipaddress"] = [sys.executable, "-c", STDLIB, str(file)]
    return tuple(Command(name, argv, env, file.parent, lambda: None) for name, argv in tools.items())


def write(version: int, count: int, file: Path) -> None:
    """Write `count` rows into `file`."""
    with file.open("w") as out:
        out.writelines(f"{row}\n" for row in rows(version, count))


def prepare(version: int, count: int, file: Path) -> None:
    """Write the file in a process of its own: what this one grows to would be counted as its children's peak."""
    writer = multiprocessing.get_context("spawn").Process(target=write, args=(version, count, file))
    writer.start()
    writer.join()
    if writer.exitcode:
        raise RuntimeError(f"{file} could not be written")


def check_agreement(file: Path) -> None:
    """Raise RuntimeError when the tools do not count the same IPv4 addresses in the file."""
    report = json.loads(_output(_hubdata(), "validate", "--kind", "cidr", "--format", "json", str(file)))
    counts = {"hubdata": int(report["files"][0]["stats"]["ipv4_addresses"])}
    counts["ipaddress"] = int(_output(sys.executable, "-c", STDLIB, str(file)))
    if iprange := shutil.which("iprange"):
        counts["iprange"] = int(_output(iprange, "--count-unique", str(file)).split(",")[1])
    if len(set(counts.values())) > 1:
        raise RuntimeError(f"the tools do not agree: {counts}")


def _hubdata() -> str:
    return str(Path(sys.executable).with_name("hubdata"))


def _output(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout


def measure(runs: int, quick: bool) -> Part:
    """Return a row for each list and tool."""
    rows: list[tuple[str, ...]] = []
    figures: dict[str, float] = {}
    missing = () if shutil.which("iprange") else ("iprange is not installed (Debian: apt-get install iprange)",)
    counts = {version: count // 20 for version, count in ROWS.items()} if quick else ROWS
    with TemporaryDirectory() as work:
        sample = Path(work) / "sample.txt"
        prepare(4, ROWS[4] // 20, sample)
        check_agreement(sample)
        for version, count in counts.items():
            file = Path(work) / f"ipv{version}.txt"
            prepare(version, count, file)
            name = f"{count:,} IPv{version} rows, {file.stat().st_size / 1e6:.1f} MB"
            found = interleaved(commands(version, file), runs)
            ours = median(found["hubdata"])
            for tool, each in found.items():
                theirs = median(each)
                if tool != "hubdata":
                    figures[f"v{version}/{tool}"] = ours.wall_s / theirs.wall_s
                rows.append((name, tool, *cells(each), f"{theirs.wall_s / ours.wall_s:.2f}"))
    return Part("lists", tables=(Table(TITLE, HEAD, tuple(rows), NOTE),), figures=figures, missing=missing)


if __name__ == "__main__":
    sys.exit(main(["--only", "lists"]))
