"""What the application answers when a file, or hubdata itself, is not as it should be."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hubdata.model.event import Event
from hubdata.serving.app import PIECE, PublicCopy
from hubdata.serving.published import OpenFile, Published
from tests.support.published_tree import publish

BODY = b"8.8.8.0/24\n"


class Log:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Take note."""
        self.events.append(event)


class Client:
    """Speaks ASGI to one application; `between` is called after each message it is sent."""

    def __init__(self, root: Path, between: Callable[[int], None] = lambda _: None) -> None:
        self.log = Log()
        self.messages: list[dict[str, Any]] = []
        self._published = Published(root, self.log)
        self._between = between

    def get(self, path: str) -> tuple[int, bytes]:
        """Return status and body; the body is what came before an answer broke off."""

        async def receive() -> dict[str, Any]:
            if len(self.messages) > 1000:
                return {"type": "http.disconnect"}
            await asyncio.sleep(3600)
            raise AssertionError

        async def send(message: Any) -> None:
            self.messages.append(message)
            self._between(len(self.messages))
            await asyncio.sleep(0)

        scope = {"type": "http", "method": "GET", "raw_path": path.encode(), "headers": [], "client": ("::1", 9)}
        app = PublicCopy(self._published, self.log, self.log)
        asyncio.run(asyncio.wait_for(app(scope, receive, send), 30))
        return self.messages[0]["status"], b"".join(message.get("body", b"") for message in self.messages)

    @property
    def whole(self) -> bool:
        """Tell whether the answer came to its end."""
        return not self.messages[-1].get("more_body", False)


def test_a_file_that_grows_under_the_download_ends_it(tmp_path: Path) -> None:
    """Half of one file and half of another is never passed off as a whole: the answer breaks off, and it is told."""
    publish(tmp_path, {"big.bin": bytes(PIECE * 8)})

    def write(count: int) -> None:
        if count == 3:
            with (tmp_path / "big.bin").open("r+b") as file:
                file.write(b"other bytes")

    client = Client(tmp_path, write)
    status, body = client.get("/big.bin")
    assert (status, client.whole) == (200, False)
    assert set(body) == {0}
    assert len(body) < PIECE * 8
    told = next(event for event in client.log.events if event.name == "serve.unreadable")
    assert (told.fields["key"], "replace it by a rename" in str(told.fields["reason"])) == ("big.bin", True)


def test_a_file_that_is_being_written_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever copies over a file in place makes readers wait a moment; they get no ETag of a mixture."""
    publish(tmp_path, {"a.txt": BODY})
    real = Published.open

    def opened_too_early(self: Published, key: str) -> OpenFile | None:
        file = real(self, key)
        (tmp_path / "a.txt").write_bytes(b"8.8.4.0/24\n8.8.8.0/24\n")
        return file

    monkeypatch.setattr(Published, "open", opened_too_early)
    client = Client(tmp_path)
    assert client.get("/a.txt") == (503, b"this file is being written\n")
    assert (b"retry-after", b"1") in client.messages[0]["headers"]
    monkeypatch.setattr(Published, "open", real)
    assert Client(tmp_path).get("/a.txt") == (200, b"8.8.4.0/24\n8.8.8.0/24\n")


@pytest.mark.parametrize("error", [OSError(5, "Input/output error"), OSError(24, "Too many open files")])
def test_a_disk_that_fails_is_told_to_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """The client may come back; the operator learns which file and why."""
    publish(tmp_path, {"a.txt": BODY})

    def fail(self: Published, key: str) -> OpenFile | None:
        raise error

    monkeypatch.setattr(Published, "open", fail)
    client = Client(tmp_path)
    assert client.get("/a.txt") == (503, b"service unavailable\n")
    assert client.log.events[0] == Event("serve.unreadable", {"key": "a.txt", "reason": str(error.strerror)})


def test_a_bug_is_logged_with_its_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The server that runs the application answers 500; the operator is not left without a word."""
    publish(tmp_path, {"a.txt": BODY})

    def fail(self: Published, key: str) -> OpenFile | None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(Published, "open", fail)
    with caplog.at_level(logging.ERROR, "hubdata.serving.app"), pytest.raises(ZeroDivisionError):
        Client(tmp_path).get("/a.txt")
    assert "serve.failed path=/a.txt" in caplog.text
    assert "ZeroDivisionError: a bug" in caplog.text


def test_the_access_log_counts_what_was_sent(tmp_path: Path) -> None:
    """Status and bytes of the answer, with who asked for what."""
    publish(tmp_path, {"big.bin": bytes(PIECE * 3 + 5)})
    client = Client(tmp_path)
    client.get("/big.bin")
    (event,) = client.log.events
    fields = dict(event.fields)
    assert fields.pop("ms") is not None
    assert event.name == "serve.request"
    assert fields == {
        "client": "::1",
        "method": "GET",
        "path": "/big.bin",
        "status": 200,
        "bytes": PIECE * 3 + 5,
    }
