"""Debian's minisign: keys made, files signed and checked by another program than ours."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

needs_minisign = pytest.mark.skipif(
    shutil.which("minisign") is None,
    reason="NOT TESTED WITH ANOTHER PROGRAM: minisign is absent; install Debian's package minisign and run again",
)


@dataclass(frozen=True, slots=True)
class Minisign:
    """A key pair of minisign's, in two files."""

    public: Path
    secret: Path

    @classmethod
    def generate(cls, directory: Path, name: str = "hubdata", *, password: str = "") -> "Minisign":
        """Return a new pair, with a password where there is one."""
        pair = cls(directory / f"{name}.pub", directory / f"{name}.key")
        argv = ["minisign", "-G", "-f", "-p", str(pair.public), "-s", str(pair.secret), *([] if password else ["-W"])]
        subprocess.run(argv, input=f"{password}\n{password}\n", capture_output=True, text=True, check=True)
        return pair

    @property
    def line(self) -> str:
        """Return the public key as it stands in settings."""
        return self.public.read_text().splitlines()[1]

    def verify(self, file: Path) -> subprocess.CompletedProcess[str]:
        """Return what minisign says of a file and the signature beside it."""
        argv = ["minisign", "-V", "-p", str(self.public), "-m", str(file)]
        return subprocess.run(argv, capture_output=True, text=True, check=False)

    def sign(self, file: Path, *flags: str) -> Path:
        """Return the signature that minisign puts beside a file."""
        argv = ["minisign", "-S", "-s", str(self.secret), "-m", str(file), *flags]
        subprocess.run(argv, input="\n", capture_output=True, text=True, check=True)
        return file.with_name(f"{file.name}.minisig")
