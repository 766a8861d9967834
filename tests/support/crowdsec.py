"""Debian's security engine, unpacked and never installed (`debian.py`), with the library that the machine may lack."""

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support import debian

PACKAGE = "crowdsec"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """The engine's program, and the environment that it finds its libraries by."""

    program: Path
    environment: dict[str, str]


def needed() -> Unpacked:
    """Return the engine; skips the test, loudly, where there is none."""
    try:
        return unpacked()
    except debian.NotHad as err:
        pytest.skip(f"NOT TESTED WITH A REAL ENGINE: {err}")


def unpacked() -> Unpacked:
    """Return the engine, fetched at the first call on this machine. Raises NotHad."""
    whole = debian.unpacked(PACKAGE, PACKAGE, besides=debian.libraries)
    environment = {"PATH": os.environ["PATH"], "LD_LIBRARY_PATH": str(debian.library_of(whole))}
    return Unpacked(whole / "usr/bin/crowdsec", environment)
