"""Find and reach a host over one address family, and never over the other.

A host that has both is reached over IPv6 by who has it and over IPv4 by who has not; whoever looks from a machine with
both sees one of them only, and not the one that is broken. So only addresses of the one family are asked for, and the
connection goes to exactly these. What a person pinned counts in place of the DNS, as with curl's `--resolve`.
"""

import errno
import socket
import threading
from collections.abc import Callable, Iterable
from enum import Enum
from ipaddress import ip_address
from queue import Empty, SimpleQueue

from hubdata.model.verification import Family, Pin
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.reach import Reach, reach_of

_AF = {Family.IPV4: socket.AF_INET, Family.IPV6: socket.AF_INET6}
_LOOPBACK = {Family.IPV4: "127.0.0.1", Family.IPV6: "::1"}
_NO = {
    code for name in ("EAI_NONAME", "EAI_NODATA", "EAI_ADDRFAMILY") if (code := getattr(socket, name, None)) is not None
}
_MAX_TRIED = 4
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL})
_NOBODYS = frozenset({Reach.LINK_LOCAL, Reach.OTHER})
"""Where no public copy lies; a cloud's metadata service does."""

Resolve = Callable[[str, int, socket.AddressFamily], list[str]]
"""Asks the system for the addresses of a host in one family. Raises OSError as the system does."""


class Missing(Enum):
    """Why there is no connection over a family."""

    ADDRESS = "the host has no address of the family"
    ANSWER = "the DNS did not say"
    ROUTE = "this machine has no network of the family"
    CONNECTION = "nobody accepts a connection there"
    RIGHT = "the address is none that a public copy can have"


class Unreached(OSError):
    """A host cannot be connected to over a family. `why` says on whose side that lies."""

    def __init__(self, why: Missing, message: str) -> None:
        super().__init__(message)
        self.why = why


def addresses_of_system(host: str, port: int, family: socket.AddressFamily) -> list[str]:
    """Return what the system's resolver knows of `host` in one family, in its order."""
    found = socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Dialer:
    """Connects over one family. `connected_to` is the address that answered last."""

    def __init__(
        self,
        family: Family,
        *,
        pins: Iterable[Pin] = (),
        resolve: Resolve = addresses_of_system,
        deadline: Callable[[], Deadline],
    ) -> None:
        self._family = family
        self._pins = tuple(pins)
        self._resolve = resolve
        self._deadline = deadline
        self.connected_to = ""

    def dial(self, host: str, port: int, timeout: float | None) -> socket.socket:
        """Return a connection to the first address of `host` that answers.

        Raises Unreached when none does.
        """
        failed = []
        for address in self.addresses(host, port)[:_MAX_TRIED]:
            limit_s = self._deadline().clip(timeout or 10.0)
            try:
                sock = socket.create_connection((address, port), limit_s)
            except OSError as err:
                if err.errno in _NO_ROUTE:
                    what = f"this machine has no {self._family.label} network ({err.strerror})"
                    raise Unreached(Missing.ROUTE, what) from err
                why = f"no answer in {limit_s:.1f} s" if isinstance(err, TimeoutError) else err.strerror or str(err)
                failed.append(f"{address} ({why})")
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connected_to = address
            return sock
        raise Unreached(Missing.CONNECTION, f"no connection to port {port} of {', '.join(failed)}")

    def addresses(self, host: str, port: int) -> list[str]:
        """Return the addresses of `host` in the family: pinned, written out, or from the DNS.

        Raises Unreached when there is none.
        """
        host = host.strip("[]").lower()
        pinned = [pin for pin in self._pins if (pin.host, pin.port) == (host, port)]
        if pinned:
            return self._of_family([pin.address for pin in pinned], f"{host}:{port} is pinned to other addresses")
        try:
            return self._of_family([str(ip_address(host))], f"{host} is itself an address of the other family")
        except ValueError:
            pass
        if host == "localhost" or host.endswith(".localhost"):  # RFC 6761, 6.3: whatever the DNS may say
            return [_LOOPBACK[self._family]]
        return self._permitted(host, self._asked(host, port))

    def _of_family(self, addresses: list[str], otherwise: str) -> list[str]:
        version = 4 if self._family is Family.IPV4 else 6
        found = [address for address in addresses if ip_address(address).version == version]
        if not found:
            raise Unreached(Missing.ADDRESS, otherwise)
        return found

    def _permitted(self, host: str, found: list[str]) -> list[str]:
        """Return `found`. An address that is link-local or the like must be written out, or pinned, to be meant."""
        for address in found:
            if reach_of(address) in _NOBODYS:
                raise Unreached(Missing.RIGHT, f"{host} has the {reach_of(address).value} address {address}")
        return found

    def _asked(self, host: str, port: int) -> list[str]:
        """Ask the DNS, in a thread that is left behind when time is up: the resolver cannot be interrupted."""
        answers: SimpleQueue[list[str] | OSError | UnicodeError] = SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self._resolve(host, port, _AF[self._family]))
            except (OSError, UnicodeError) as err:
                answers.put(err)

        threading.Thread(target=ask, daemon=True, name="resolve").start()
        try:
            answer = answers.get(timeout=self._deadline().clip(15.0))
        except Empty:
            raise Unreached(Missing.ANSWER, f"the DNS did not answer for {host} in time") from None
        if isinstance(answer, socket.gaierror) and answer.errno in _NO:
            answer = []
        if isinstance(answer, Exception):
            raise Unreached(Missing.ANSWER, f"the DNS could not be asked for {host}")
        if not answer:
            raise Unreached(Missing.ADDRESS, f"the DNS has no {self._family.record} record of {host}")
        return answer
