"""Machines that have IPv6 and nothing else: network namespaces joined by a cable, without an IPv4 address anywhere.

`inside` moves the calling thread: what it connects to, listens on and starts is there until it comes back.
"""

import ctypes
import os
import shutil
import subprocess
import uuid
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SERVERS = "fd5e:d474::1"
"""Where the servers are, by unique local addresses (RFC 4193)."""
ENGINE = "fd5e:d474::2"

_CLONE_NEWNET = 0x40000000


def _possible() -> bool:
    if os.getuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"hubdata-try-{uuid.uuid4().hex[:8]}"
    made = subprocess.run(["ip", "netns", "add", name], check=False, capture_output=True).returncode == 0
    subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
    return made and Path("/proc/net/if_inet6").exists()


needs_namespaces = pytest.mark.skipif(
    not _possible(),
    reason="NOT TESTED ON IPv6 ALONE: this takes root, iproute2 and the right to make network namespaces",
)


@dataclass(frozen=True, slots=True)
class Island:
    """One machine. `name` is its namespace."""

    name: str

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Have this thread, and what it starts meanwhile, be on this machine."""
        with ExitStack() as stack:
            back, there = (
                os.open(path, os.O_RDONLY) for path in ("/proc/thread-self/ns/net", f"/run/netns/{self.name}")
            )
            stack.callback(os.close, back)
            stack.callback(os.close, there)
            _enter(there)
            stack.callback(_enter, back)
            yield

    def addresses(self, family: str) -> str:
        """Return the addresses of a family (`-4` or `-6`), as `ip` lists them."""
        return _ip("-n", self.name, "-o", family, "address")


@contextmanager
def islands() -> Iterator[tuple[Island, Island]]:
    """Give the machine of the servers and that of the engine, joined, with IPv6 only."""
    tag = uuid.uuid4().hex[:8]
    servers, engine = f"hubdata-s-{tag}", f"hubdata-e-{tag}"
    with ExitStack() as stack:
        for name in (servers, engine):
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
        _ip("-n", servers, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", engine)
        for name, address in ((servers, SERVERS), (engine, ENGINE)):
            _ip("-n", name, "link", "set", "lo", "up")
            _ip("-n", name, "-4", "address", "flush", "dev", "lo")
            _ip("-n", name, "address", "add", f"{address}/64", "dev", "eth0", "nodad")
            _ip("-n", name, "link", "set", "eth0", "up")
        yield Island(servers), Island(engine)


def knowing(names: Mapping[str, str], place: Path) -> list[str]:
    """Return a command that runs the rest of its line where just these host names are known, each with its address."""
    hosts = place / "hosts"
    hosts.write_text("".join(f"{address} {name}\n" for name, address in names.items()))
    nobody = place / "resolv.conf"
    nobody.write_text("nameserver ::1\noptions timeout:1 attempts:1\n")
    script = 'mount --bind "$0" /etc/hosts && mount --bind "$1" "$(realpath /etc/resolv.conf)" && shift && exec "$@"'
    return ["unshare", "-m", "sh", "-c", script, str(hosts), str(nobody)]


def _enter(namespace: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)  # os.setns came with Python 3.12
    if libc.setns(namespace, _CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def _ip(*arguments: str) -> str:
    done = subprocess.run(["ip", *arguments], check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"ip {' '.join(arguments)}: {done.stderr}"
    return done.stdout
