"""Judge mutants of sound databases, and read whole with the C reader whatever passes: `python -m ... COUNT SEED`.

Corrupt files crash the C reader, so this runs in a process of its own, and a crash is its exit code. It prints how
many mutants there were, and how many passed.
"""

import random
import sys

from hubdata.kinds.mmdb import MmdbKind
from hubdata.mmdb.readers import readers_of
from hubdata.model.job import Canary
from tests.support import small_mmdb
from tests.support.judged import errors, judged
from tests.support.real import MMDB

CANARIES = tuple(Canary(ip, {}) for ip in ("9.9.9.9", "81.2.69.142", "1.1.1.1", "2001:218::1", "::1:ffff:ffff"))


def seeds() -> list[bytes]:
    """Return sound databases: our own small ones, and the real ones where they are."""
    own = [small_mmdb.database(), small_mmdb.unused_data(), small_mmdb.ipv4_alone(), small_mmdb.narrow_integers()]
    return own + [path.read_bytes() for path in sorted((MMDB / "good").glob("*.mmdb"))]


def mutant(body: bytes, chance: random.Random) -> bytes:
    """Return `body` hurt in one to four places: bytes changed, lost, added or moved."""
    hurt = bytearray(body)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(hurt))
        match chance.randrange(6):
            case 0:
                hurt[at] = chance.randrange(256)
            case 1:
                hurt[at] ^= 1 << chance.randrange(8)
            case 2:
                hurt[at] = chance.choice(b"\x00\x01\x20\x27\x28\x30\x38\x41\x5f\xe0\xe1\xff")
            case 3:
                del hurt[at : at + chance.randint(1, 8)]
            case 4:
                hurt[at:at] = chance.randbytes(chance.randint(1, 8))
            case _:
                length = chance.randint(1, 16)
                to = chance.randrange(len(hurt))
                hurt[to : to + length] = hurt[at : at + length]
        if not hurt:
            return b""
    return bytes(hurt)


def main(count: int, seed: int) -> None:
    """Judge `count` mutants, as many of each seed."""
    chance, sound, passed = random.Random(seed), seeds(), 0
    for number in range(count):
        body = mutant(sound[number % len(sound)], chance)
        verdict = judged(MmdbKind, body, key="any.mmdb", ip_version=4, threads=1)
        if errors(verdict):
            continue
        passed += 1
        judged(MmdbKind, body, key="any.mmdb", ip_version=4, threads=1, canaries=CANARIES)
        with readers_of(body) as readers:
            for _ in readers.plain:
                pass
    print(count, passed)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
