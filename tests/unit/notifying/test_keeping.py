"""What people were told is kept in the target, and here while the target cannot be had; no writer loses another's."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hubdata.errors import TargetError
from hubdata.model.event import Event
from hubdata.model.notify import Trouble
from hubdata.notifying.changes import Noted
from hubdata.notifying.keeping import DIRECTORY, Memory
from hubdata.notifying.record import KEY, Record
from hubdata.targets.directory import DirectoryTarget

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Heard:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep `event`."""
        self.events.append(event)


class Moody(DirectoryTarget):
    """A target that cannot be read, or not be written, for as long as it pleases."""

    unreadable = unwritable = False

    def read(self, key: str, *, max_bytes: int, version_id: str | None = None):  # type: ignore[no-untyped-def]
        """Refuse, or do it."""
        if self.unreadable:
            raise TargetError("not now")
        return super().read(key, max_bytes=max_bytes, version_id=version_id)

    def write(self, key: str, body: bytes, *, content_type: str, cache_control: str, if_etag: str | None):  # type: ignore[no-untyped-def]
        """Refuse, or do it."""
        if self.unwritable:
            raise TargetError("no room")
        return super().write(key, body, content_type=content_type, cache_control=cache_control, if_etag=if_etag)


@pytest.fixture
def target(tmp_path: Path) -> Moody:
    """Give a target that is all right for now."""
    return Moody("aws", Moody.Options(path=tmp_path / "store"))


def noted(job: str, trouble: Trouble = Trouble.FAILED, mark: str = "6") -> Noted:
    """Return that a job's trouble was told."""
    return {job: (NOON, {"webhook": {trouble: mark}})}


def told(memory: Memory) -> Mapping[str, Mapping[str, str]]:
    """Return by job what the webhook has told."""
    entries = memory.record.entries.items()
    return {job: {t.value: mark for t, mark in entry.told.get("webhook", {}).items()} for job, entry in entries}


def test_two_machines_at_once_lose_nothing(target: Moody, tmp_path: Path) -> None:
    """Both have read the same record; the second to write reads it again, and both jobs are in it."""
    one, two = (Memory(target, tmp_path / name, Heard()) for name in ("one", "two"))
    one.keep(noted("a"), NOON)
    two.keep(noted("b"), NOON)
    assert told(Memory(target, tmp_path / "three", Heard())) == {"a": {"failed": "6"}, "b": {"failed": "6"}}


def test_nothing_new_is_not_written(target: Moody, tmp_path: Path) -> None:
    """Neither a first record without trouble, nor the same one again, whenever that is."""
    Memory(target, tmp_path, Heard()).keep({"a": (None, {})}, NOON)
    assert target.read(KEY, max_bytes=1 << 20) is None
    Memory(target, tmp_path, Heard()).keep(noted("a"), NOON)
    before = target.stat(KEY)
    Memory(target, tmp_path, Heard()).keep(noted("a"), NOON.replace(hour=13))
    assert target.stat(KEY) == before
    assert not (tmp_path / DIRECTORY).exists()


def test_what_a_target_cannot_keep_is_kept_here_and_merged_when_it_can(target: Moody, tmp_path: Path) -> None:
    """What it has kept before of files is not forgotten over that, and what was here is gone afterwards."""
    Memory(target, tmp_path, Heard()).keep(noted("a", Trouble.REFUSED, "1"), NOON)
    target.unreadable = True
    heard = Heard()
    down = Memory(target, tmp_path, heard)
    assert not down.reached
    down.keep(noted("a"), NOON.replace(hour=13))
    assert {event.name for event in heard.events} == {"notify.unkept"}
    assert told(Memory(target, tmp_path, Heard())) == {"a": {"failed": "6"}}
    target.unreadable = False
    back = Memory(target, tmp_path, Heard())
    assert told(back) == {"a": {"refused": "1", "failed": "6"}}
    back.keep({"a": (NOON, {"webhook": {Trouble.REFUSED: "1"}})}, NOON.replace(hour=14))
    assert list((tmp_path / DIRECTORY).iterdir()) == []
    assert told(Memory(target, tmp_path / "elsewhere", Heard())) == {"a": {"refused": "1"}}


def test_the_end_of_a_trouble_is_remembered_where_it_cannot_be_written(target: Moody, tmp_path: Path) -> None:
    """A bucket that may be read and not written still has the old record; this machine knows better."""
    Memory(target, tmp_path, Heard()).keep(noted("a"), NOON)
    target.unwritable = True
    Memory(target, tmp_path, Heard()).keep({"a": (None, {})}, NOON.replace(hour=13))
    assert told(Memory(target, tmp_path, Heard())) == {"a": {}}
    target.unwritable = False
    Memory(target, tmp_path, Heard()).keep({"a": (None, {})}, NOON.replace(hour=14))
    blob = target.read(KEY, max_bytes=1 << 20)
    assert blob is not None
    assert Record.from_bytes(blob.body) == Record()


def test_where_nothing_can_be_kept_nothing_fails(target: Moody, tmp_path: Path) -> None:
    """Neither target nor spool: it is told, and the next run tells people once more."""
    target.unreadable = True
    (tmp_path / "spool").write_text("a file where a directory must be")
    heard = Heard()
    Memory(target, tmp_path / "spool", heard).keep(noted("a"), NOON)
    assert [event.name for event in heard.events] == ["notify.unkept", "notify.unkept"]
