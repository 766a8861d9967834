"""Each job's last success lies at its targets; of two workers, the later success stays."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from hubdata.model.event import Event
from hubdata.model.success import Success, key_of
from hubdata.publishing.successes import keep, last
from hubdata.targets.directory import DirectoryTarget

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Heard:
    """A reporter that keeps what it hears."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Keep `event`."""
        self.events.append(event)


def success(began: datetime, run_id: str = "r") -> Success:
    """Return a success of a run that took a minute."""
    return Success("daily", run_id, began, began + timedelta(minutes=1))


def at(path: Path) -> DirectoryTarget:
    """Return the target in `path`."""
    return DirectoryTarget("mirror", DirectoryTarget.Options(path=path))


def test_the_later_success_stays(tmp_path: Path) -> None:
    """A worker that was slow does not write over what another has done since; a later one writes over both."""
    heard = Heard()
    assert last(at(tmp_path), "daily") is None
    for began, stays in ((NOON, NOON), (NOON - timedelta(seconds=30), NOON), (NOON + timedelta(hours=1),) * 2):
        assert keep(at(tmp_path), success(began), heard)
        assert last(at(tmp_path), "daily") == success(stays)
    assert heard.events == []


def test_what_is_no_record_is_written_over(tmp_path: Path) -> None:
    """Somebody else's bytes tell of no success, and neither does one that lies in the far future."""
    for body in (b"{", b"[]", success(NOON + timedelta(days=3650)).to_bytes()):
        target = at(tmp_path)
        blob = target.read(key_of("daily"), max_bytes=1000)
        etag = None if blob is None else blob.stored.etag
        target.write(key_of("daily"), body, content_type="x", cache_control="x", if_etag=etag)
        assert keep(target, success(NOON), Heard())
        assert last(target, "daily") == success(NOON)


def test_trouble_is_told_and_fails_nothing(tmp_path: Path) -> None:
    """A record that cannot be written costs a run more at the next start, and no run that went well."""
    (tmp_path / ".hubdata").write_text("a file, where a directory must be")
    heard = Heard()
    assert not keep(at(tmp_path), success(NOON), heard)
    assert [event.name for event in heard.events] == ["success.unkept"]
