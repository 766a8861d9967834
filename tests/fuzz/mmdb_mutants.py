"""Hurt small databases in the ways that matter to their readers, and hold the proof to the reference verifier.

`python -m tests.fuzz.mmdb_mutants [COUNT] [SEED]` runs for as long as one likes; the same code runs in the tests with
fixed seeds. A mutant that Go refuses and we prove is the worst that can happen; so is one that a reader dies of.
"""

import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from hubdata.demo.mmdb_writer import mmdb
from hubdata.mmdb.layout import Layout, read_layout
from hubdata.mmdb.proof import prove
from tests.support.go_verifier import verdicts
from tests.support.real import MMDB

_BUILT = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
_CONTROLS = (0x00, 0x01, 0x20, 0x28, 0x30, 0x38, 0x40, 0x5D, 0x5E, 0x5F, 0x68, 0x80, 0xA5, 0xC4, 0xE0, 0xE1, 0xFF)
_EXTENDED = (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 249, 250, 255)
READ = Path(__file__).with_name("read_with_c.py")


@dataclass(frozen=True, slots=True)
class Tally:
    """Which of a batch we proved, how many Go verified, and what Go says of those that we proved and it does not."""

    proven: tuple[int, ...]
    verified: int
    missed: tuple[str, ...]


def bases() -> list[bytes]:
    """Return small databases that are good: the real ones where they are, and some of our own making."""
    record: dict[str, Any] = {
        "country": {"iso_code": "US", "geoname_id": 6252001, "names": {"en": "United States", "de": "USA"}},
        "subdivisions": [{"iso_code": "CA"}, {"iso_code": "SF", "names": {"ru": "Калифорния"}}, {}],
        "location": {"latitude": 37.7, "longitude": -122.4, "weights": [1, 2, 3, [4, 5], {"a": [6, 7]}]},
        "traits": {"is_anycast": True, "note": "x" * 300},
    }
    other = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example"}
    ours = [
        mmdb(
            "GeoLite2-City", {ip_network("9.9.9.0/24"): record, ip_network("2620:fe::/48"): other}, build_epoch=_BUILT
        ),
        mmdb("GeoLite2-ASN", {ip_network(f"10.{i}.0.0/16"): {**other, "n": i} for i in range(40)}, build_epoch=_BUILT),
    ]
    return [path.read_bytes() for path in sorted((MMDB / "good").glob("*.mmdb"))] + ours


def mutants(seed: int, count: int) -> list[bytes]:
    """Return `count` hurt databases, the same for the same seed."""
    chance = random.Random(seed)
    whole = [(body, read_layout(body)) for body in bases()]
    found = []
    for _ in range(count):
        body, layout = chance.choice(whole)
        hurt = bytearray(body)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            chance.choice(_HARMS)(chance, hurt, layout)
        found.append(bytes(hurt))
    return found


def tally(bodies: Sequence[bytes]) -> Tally:
    """Return how our verdicts on `bodies` compare with the reference verifier's."""
    proven = tuple(number for number, body in enumerate(bodies) if not prove(body).problems)
    said = verdicts(bodies)
    return Tally(proven, said.count(""), tuple(f"number {number}: {said[number]}" for number in proven if said[number]))


def read_with_c(bodies: Sequence[bytes], directory: Path) -> list[str]:
    """Return what the C reader makes of databases that were proven, one line each; fewer lines if it dies."""
    paths = []
    for number, body in enumerate(bodies):
        paths.append(directory / f"{number}.mmdb")
        paths[-1].write_bytes(body)
    argv = [sys.executable, str(READ)]
    asked = "\n".join(map(str, paths))
    done = subprocess.run(argv, input=asked, capture_output=True, text=True, timeout=300, check=False)
    lines = done.stdout.splitlines()
    return lines if done.returncode == 0 else [*lines, f"DIED: status {done.returncode}: {done.stderr[-500:]}"]


Harm = Callable[[random.Random, bytearray, Layout], None]


def _flip(chance: random.Random, body: bytearray, _: Layout) -> None:
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)


def _scribble(chance: random.Random, body: bytearray, _: Layout) -> None:
    at = chance.randrange(len(body))
    body[at : at + chance.randrange(1, 5)] = chance.randbytes(chance.randrange(1, 5))


def _field(chance: random.Random, body: bytearray, layout: Layout) -> None:
    at = chance.randrange(layout.data_start, max(layout.data_end, layout.data_start + 1))
    body[at % len(body)] = chance.choice(_CONTROLS)
    if chance.random() < 0.3 and at + 1 < len(body):
        body[at + 1] = chance.choice(_EXTENDED)


def _data_bit(chance: random.Random, body: bytearray, layout: Layout) -> None:
    at = chance.randrange(layout.data_start, max(layout.data_end, layout.data_start + 1))
    body[at % len(body)] ^= 1 << chance.randrange(8)


def _metadata(chance: random.Random, body: bytearray, layout: Layout) -> None:
    at = chance.randrange(layout.data_end, len(layout.body))
    body[at % len(body)] = chance.choice((*_CONTROLS, chance.randrange(256)))


def _record(chance: random.Random, body: bytearray, layout: Layout) -> None:
    """Make a record of the tree point elsewhere: a node, nothing, a value, or next to any of these."""
    nodes, width = layout.metadata.node_count, layout.metadata.record_size // 4
    size = layout.data_end - layout.data_start
    choices = (0, chance.randrange(nodes), nodes, nodes + chance.randrange(20), nodes + 16 + chance.randrange(size + 4))
    value = chance.choice(choices) % (1 << layout.metadata.record_size)
    at = chance.randrange(nodes) * width
    node = body[at : at + width]
    if len(node) < width:  # an earlier harm has cut it off
        return
    if layout.metadata.record_size == 28:
        node[0:3] = (value & 0xFFFFFF).to_bytes(3, "big")
        node[3] = (value >> 24) << 4 | node[3] & 15
    else:
        half = width // 2
        first = chance.choice((0, half))
        node[first : first + half] = value.to_bytes(half, "big")
    body[at : at + width] = node


def _copy(chance: random.Random, body: bytearray, layout: Layout) -> None:
    """Lay a piece of the data section over another of it."""
    length = chance.randrange(1, 40)
    source, target = (
        chance.randrange(layout.data_start, max(layout.data_end - length, layout.data_start + 1)) for _ in "12"
    )
    body[target : target + length] = body[source : source + length]


def _cut(chance: random.Random, body: bytearray, _: Layout) -> None:
    at, length = chance.randrange(len(body)), chance.choice((1, 2, 7, 16, 200, len(body)))
    del body[at : at + length]
    if not body:
        body += b"\0"


def _grow(chance: random.Random, body: bytearray, _: Layout) -> None:
    at = chance.randrange(len(body))
    body[at:at] = chance.choice((bytes(chance.randrange(1, 20)), chance.randbytes(3), b"\xab\xcd\xefMaxMind.com"))


def _point(chance: random.Random, body: bytearray, layout: Layout) -> None:
    """Put a pointer somewhere into the data section, to somewhere in it."""
    size = layout.data_end - layout.data_start
    at, to = layout.data_start + chance.randrange(max(size - 5, 1)), chance.randrange(size + 2)
    pointer = bytes((0x20 | to >> 8 & 7, to & 255)) if to < 2048 else bytes((0x38,)) + to.to_bytes(4, "big")
    body[at : at + len(pointer)] = pointer


_HARMS: tuple[Harm, ...] = (
    *(_flip, _scribble, _metadata, _copy, _cut, _grow),
    *(_field, _data_bit, _record, _point) * 2,
)


def main() -> None:
    """Run batches of 1,000 until COUNT, and say where we differ."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    first = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    for seed in range(first, first + count // 1000):
        bodies = mutants(seed, 1000)
        result = tally(bodies)
        with tempfile.TemporaryDirectory() as directory:
            read = read_with_c([bodies[number] for number in result.proven], Path(directory))
        said = [*result.missed, *(line for line in read if not line.startswith("read "))]
        print(f"seed {seed}: {len(result.proven)} proven, {result.verified} verified by Go; {said}", flush=True)


if __name__ == "__main__":
    main()
