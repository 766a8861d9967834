"""What is opened in a published directory, and under which headers; and what never is."""

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from hubdata.model.event import Event
from hubdata.serving.published import Published, Unpublished
from tests.support.public_server import open_files
from tests.support.published_tree import publish, swap

BODY = b"8.8.8.0/24\n"


class Log:
    """Keeps the events."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Take note."""
        self.events.append(event)


@pytest.fixture
def log() -> Log:
    """Give a reporter that keeps what it is told."""
    return Log()


@pytest.fixture
def published(tmp_path: Path, log: Log) -> Iterator[Published]:
    """Give a directory with one list, and see that no file is left open in the end."""
    root = tmp_path / "public"
    publish(root, {"lists/a.txt": BODY})
    before = open_files()
    yield Published(root, log)
    assert open_files() <= before


def headers(published: Published, key: str) -> tuple[str, str] | None:
    """Return type and cache rules of a key; None when there is no such file."""
    file = published.open(key)
    if file is None:
        return None
    file.close()
    return file.content_type, file.cache_control


def test_a_file_has_the_headers_of_the_manifest(tmp_path: Path, published: Published) -> None:
    """What a target of another sort would store beside the object comes from the manifest here; a new one counts."""
    assert headers(published, "lists/a.txt") == ("text/plain; charset=utf-8", "public, max-age=300")
    changed = {"content_type": "application/x-ndjson", "cache_control": "no-cache"}
    publish(tmp_path / "public", {"lists/a.txt": BODY}, 2, **{"lists/a.txt": changed})
    assert headers(published, "lists/a.txt") == ("application/x-ndjson", "no-cache")


@pytest.mark.parametrize(
    ("key", "content_type"),
    [
        ("manifest.json", "application/json"),
        ("index.html", "text/html; charset=utf-8"),
        ("SHA256SUMS", "text/plain; charset=utf-8"),
        ("x.mmdb", "application/octet-stream"),
        ("x.SVG", "application/octet-stream"),
    ],
)
def test_a_file_that_the_manifest_does_not_name_has_the_usual_ones(
    tmp_path: Path, published: Published, key: str, content_type: str
) -> None:
    """What a browser could run is told to be so only for pages."""
    if key != "manifest.json":
        swap(tmp_path / "public" / key, b"x")
    assert headers(published, key) == (content_type, "public, max-age=60")


@pytest.mark.parametrize("value", ["text/plain\r\nX-Evil: 1", "", " ", "tëxt", "a" * 2000])
def test_a_manifest_puts_nothing_into_a_header_that_cannot_stand_there(
    tmp_path: Path, published: Published, value: str
) -> None:
    """Then the usual value stands there, and the file is served all the same."""
    publish(tmp_path / "public", {"b.txt": BODY}, 2, **{"b.txt": {"content_type": value, "cache_control": value}})
    assert headers(published, "b.txt") == ("text/plain; charset=utf-8", "public, max-age=60")


def test_nothing_is_public_without_a_manifest(tmp_path: Path, published: Published) -> None:
    """A directory named by mistake stays private, and one that loses its manifest stops being public."""
    told = [published.anything]
    (tmp_path / "public" / "manifest.json").unlink()
    told.append(published.anything)
    assert told == [True, False]
    for key in ("lists/a.txt", "manifest.json", "nothing.txt"):
        with pytest.raises(Unpublished):
            published.open(key)


@pytest.mark.parametrize("body", [b"", b"[]", b'{"schema": 2}', b"{" * 100_000, b"\xff\xfe"])
def test_a_manifest_that_cannot_be_read_changes_no_headers(
    tmp_path: Path, published: Published, log: Log, body: bytes
) -> None:
    """The last good one goes on to count, and the operator is told once."""
    assert headers(published, "lists/a.txt") == ("text/plain; charset=utf-8", "public, max-age=300")
    swap(tmp_path / "public" / "manifest.json", body)
    for _ in range(3):
        assert headers(published, "lists/a.txt") == ("text/plain; charset=utf-8", "public, max-age=300")
    assert [event.name for event in log.events] == ["serve.manifest_ignored"]


def test_links_and_whatever_is_no_regular_file_are_not_there(tmp_path: Path, published: Published) -> None:
    """Not even links that stay inside, and none of them makes the server wait."""
    root = tmp_path / "public"
    (tmp_path / "secret.txt").write_text("secret")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "in.txt").symlink_to("lists/a.txt")
    (root / "outside").symlink_to(tmp_path)
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as plug:
        plug.bind(str(root / "plug"))
        for key in ("out.txt", "in.txt", "outside/secret.txt", "loop", "pipe", "plug", "lists", "lists/a.txt/b", "no"):
            assert published.open(key) is None, key
    assert published.open("x" * 300) is None


def test_a_manifest_that_is_a_link_is_none(tmp_path: Path, published: Published) -> None:
    """It could lead anywhere."""
    root = tmp_path / "public"
    (root / "manifest.json").rename(root / "real.json")
    (root / "manifest.json").symlink_to("real.json")
    with pytest.raises(Unpublished):
        published.open("lists/a.txt")


def test_an_open_file_keeps_its_bytes_when_another_takes_its_name(tmp_path: Path, published: Published) -> None:
    """A reader of the old one reads the old one to its end."""
    file = published.open("lists/a.txt")
    assert file is not None
    swap(tmp_path / "public/lists/a.txt", b"9.9.9.0/24\n")
    assert file.read(0, len(BODY)) == BODY
    (tmp_path / "public/lists/a.txt").unlink()
    assert file.read(4, 3) == BODY[4:7]
    file.close()


def test_an_open_file_that_is_written_into_is_read_no_further(tmp_path: Path, published: Published) -> None:
    """Its length and validators have been told: what comes now would be something else."""
    file = published.open("lists/a.txt")
    assert file is not None
    (tmp_path / "public/lists/a.txt").write_bytes(b"8.8.8.0/25\n1.1.1.0/24\n")
    with pytest.raises(OSError, match="somebody wrote into the file"):
        file.read(0, len(BODY))
    file.close()


def test_many_threads_may_open_while_manifests_come_and_go(tmp_path: Path, published: Published) -> None:
    """Each sees a file whole and headers of one manifest or the other."""
    wrong: list[object] = []

    def look() -> None:
        for _ in range(200):
            seen = headers(published, "lists/a.txt")
            if seen not in (("text/plain; charset=utf-8", "public, max-age=300"), ("text/x", "no-cache")):
                wrong.append(seen)

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for generation in range(20):
        other = {"content_type": "text/x", "cache_control": "no-cache"} if generation % 2 else {}
        publish(tmp_path / "public", {"lists/a.txt": BODY}, generation, **{"lists/a.txt": other})
    for thread in threads:
        thread.join()
    assert wrong == []
