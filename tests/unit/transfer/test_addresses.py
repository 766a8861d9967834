"""A host is found and reached over one family alone; what is not known is never taken for a no."""

import socket
import threading
from datetime import timedelta

import pytest

from hubdata.model.verification import Family, Pin
from hubdata.transfer.addresses import Dialer, Missing, Resolve, Unreached
from hubdata.transfer.deadline import Deadline

HOST = "hub-data.test"


def dialer(family: Family, *pins: str, resolve: Resolve | None = None, within_s: float = 5) -> Dialer:
    """Return a dialer whose DNS is `resolve`; asked without one, the test fails."""

    def nobody(*asked: object) -> list[str]:
        raise AssertionError(f"the DNS was asked: {asked}")

    deadline = Deadline.after(timedelta(seconds=within_s))
    return Dialer(family, pins=map(Pin.parse, pins), resolve=resolve or nobody, deadline=lambda: deadline)


def why(dial: Dialer, host: str = HOST, port: int = 443) -> Missing:
    """Return why there is no address."""
    with pytest.raises(Unreached) as failed:
        dial.addresses(host, port)
    return failed.value.why


def fails_with(code: int) -> Resolve:
    """Return a DNS that fails so."""

    def resolve(*_: object) -> list[str]:
        raise socket.gaierror(code, "as the system says it")

    return resolve


@pytest.mark.parametrize(("family", "asked"), [(Family.IPV4, socket.AF_INET), (Family.IPV6, socket.AF_INET6)])
def test_only_the_one_family_is_asked_for(family: Family, asked: socket.AddressFamily) -> None:
    """What the DNS has of the other one is nobody's business here."""
    seen = []

    def resolve(host: str, port: int, af: socket.AddressFamily) -> list[str]:
        seen.append((host, port, af))
        return ["203.0.113.7" if af == socket.AF_INET else "2600::7"]

    found = dialer(family, resolve=resolve).addresses("HUB-data.test", 443)
    assert found == (["203.0.113.7"] if family is Family.IPV4 else ["2600::7"])
    assert seen == [(HOST, 443, asked)]


@pytest.mark.parametrize(
    ("resolve", "missing"),
    [
        (fails_with(socket.EAI_NONAME), Missing.ADDRESS),
        (fails_with(socket.EAI_ADDRFAMILY), Missing.ADDRESS),
        (lambda *_: [], Missing.ADDRESS),
        (fails_with(socket.EAI_AGAIN), Missing.ANSWER),
        (fails_with(socket.EAI_FAIL), Missing.ANSWER),
    ],
)
def test_no_record_is_told_from_no_answer(resolve: Resolve, missing: Missing) -> None:
    """A resolver in trouble says nothing about the host."""
    assert why(dialer(Family.IPV6, resolve=resolve)) is missing


def test_a_resolver_that_hangs_is_left_behind() -> None:
    """It cannot be interrupted, but need not be waited for."""
    release = threading.Event()

    def resolve(*_: object) -> list[str]:
        release.wait(20)
        return ["2600::7"]

    assert why(dialer(Family.IPV6, resolve=resolve, within_s=0.2)) is Missing.ANSWER
    release.set()


@pytest.mark.parametrize("address", ["169.254.169.254", "224.0.0.1", "0.0.0.0", "240.0.0.1"])
def test_an_address_that_no_public_copy_has_must_be_meant(address: str) -> None:
    """The DNS may not lead to a cloud's metadata; a person who pins it, or writes it out, may."""
    assert why(dialer(Family.IPV4, resolve=lambda *_: ["93.184.216.34", address])) is Missing.RIGHT
    assert dialer(Family.IPV4, f"{HOST}:443:{address}").addresses(HOST, 443) == [address]
    assert dialer(Family.IPV4).addresses(address, 443) == [address]


def test_a_private_address_of_the_configured_host_is_fine() -> None:
    """A closed network's mirror has no other; nothing else is ever connected to."""
    assert dialer(Family.IPV4, resolve=lambda *_: ["10.0.0.7"]).addresses("mirror.corp", 80) == ["10.0.0.7"]
    assert dialer(Family.IPV6, resolve=lambda *_: ["fd00::7"]).addresses("mirror.corp", 80) == ["fd00::7"]


def test_a_pinned_host_has_its_pins_and_nothing_else() -> None:
    """As with curl's --resolve: the DNS is not asked, and another port is another matter."""
    pins = (f"{HOST}:443:203.0.113.7", f"{HOST}:443:[2001:db8::7]", f"{HOST}:8443:203.0.113.8")
    assert dialer(Family.IPV4, *pins).addresses(HOST, 443) == ["203.0.113.7"]
    assert dialer(Family.IPV6, *pins).addresses(HOST, 443) == ["2001:db8::7"]
    assert why(dialer(Family.IPV6, *pins), port=8443) is Missing.ADDRESS


@pytest.mark.parametrize(
    ("host", "four", "six"),
    [
        ("localhost", ["127.0.0.1"], ["::1"]),
        ("cdn.localhost", ["127.0.0.1"], ["::1"]),
        ("203.0.113.7", ["203.0.113.7"], None),
        ("[2001:db8::7]", None, ["2001:db8::7"]),
        ("2001:db8::7", None, ["2001:db8::7"]),
    ],
)
def test_names_that_need_no_dns(host: str, four: list[str] | None, six: list[str] | None) -> None:
    """Loopback by name is both addresses everywhere (RFC 6761); a written address is of one family."""
    for family, wanted in ((Family.IPV4, four), (Family.IPV6, six)):
        if wanted is None:
            assert why(dialer(family), host) is Missing.ADDRESS
        else:
            assert dialer(family).addresses(host, 80) == wanted


def test_the_next_address_is_tried_and_the_one_that_answered_is_told() -> None:
    """One dead address of several is no outage."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        dial = dialer(Family.IPV4, f"{HOST}:{port}:127.0.0.2", f"{HOST}:{port}:127.0.0.1")
        dial.dial(HOST, port, 2).close()
        assert dial.connected_to == "127.0.0.1"


def test_all_addresses_that_refuse_are_named() -> None:
    """Whoever has to mend it wants to know which."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(Unreached, match=rf"port {port} of 127\.0\.0\.2 \(.*refused\), 127\.0\.0\.3 \(") as failed:
        dialer(Family.IPV4, f"{HOST}:{port}:127.0.0.2", f"{HOST}:{port}:127.0.0.3").dial(HOST, port, 2)
    assert failed.value.why is Missing.CONNECTION


@pytest.mark.parametrize(
    ("text", "pin"),
    [
        ("Hub.example:443:203.0.113.7", Pin("hub.example", 443, "203.0.113.7")),
        ("hub.example:443:[2001:DB8::7]", Pin("hub.example", 443, "2001:db8::7")),
        ("hub.example:443:2001:db8::7", Pin("hub.example", 443, "2001:db8::7")),
        ("[::1]:80:127.0.0.1", Pin("::1", 80, "127.0.0.1")),
    ],
)
def test_a_pin_is_written_as_for_curl(text: str, pin: Pin) -> None:
    """And reads back as it was."""
    assert Pin.parse(text) == pin
    if not text.startswith("["):
        assert Pin.parse(str(pin)) == pin


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hub.example",
        "hub.example:443",
        "hub.example:0:1.2.3.4",
        "h:65536:1.2.3.4",
        "h:x:1.2.3.4",
        "h:1:y",
        ":1:1.2.3.4",
    ],
)
def test_what_is_no_pin_is_refused(text: str) -> None:
    """With what was expected."""
    with pytest.raises(ValueError, match="expected"):
        Pin.parse(text)
