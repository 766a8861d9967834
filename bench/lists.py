"""Measure `hubdata validate` on long lists of networks, beside `iprange` (C) and Python's own `ipaddress`.

`python -m bench.lists [--runs N]` prints a Markdown table: whole processes in turn, medians. All three read the same
canonical rows, and must agree on how many addresses a part of them covers; hubdata also applies every rule of its
kind `cidr` and digests the file. `iprange` is Debian's, and knows IPv4 only. Compare ratios, not seconds.
"""

import argparse
import json
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from platform import python_version
from tempfile import TemporaryDirectory

from bench.timing import Command, Run, interleaved, median

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


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists")
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs
    if not shutil.which("iprange"):
        print("iprange is not installed (Debian: apt-get install iprange); measuring without it", file=sys.stderr)
    print(f"{datetime.now(UTC):%Y-%m-%d}, Python {python_version()}, {os.cpu_count()} cores. Medians of {runs}.\n")
    print("| list | tool | wall s | CPU s | peak MB | wall / hubdata |")
    print("|---|---|---|---|---|---|")
    with TemporaryDirectory() as work:
        sample = Path(work) / "sample.txt"
        prepare(4, ROWS[4] // 20, sample)
        check_agreement(sample)
        for version, count in ROWS.items():
            file = Path(work) / f"ipv{version}.txt"
            prepare(version, count, file)
            name = f"{count:,} IPv{version} rows, {file.stat().st_size / 1e6:.1f} MB"
            figures = {tool: median(each) for tool, each in interleaved(commands(version, file), runs).items()}
            for tool, run in figures.items():
                print(_row(name, tool, run, run.wall_s / figures["hubdata"].wall_s), flush=True)


def _row(name: str, tool: str, run: Run, ratio: float) -> str:
    return f"| {name} | {tool} | {run.wall_s:.2f} | {run.cpu_s:.2f} | {run.peak_mb:.0f} | {ratio:.2f} |"


if __name__ == "__main__":
    main()
