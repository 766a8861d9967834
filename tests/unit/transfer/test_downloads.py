"""The ledger on disk: shared by runs and processes, private, bounded, and no worse for what damages it."""

import json
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubdata.errors import SourceError
from hubdata.transfer import downloads, memory
from hubdata.transfer.downloads import Downloads, account_mark
from hubdata.transfer.quota import recent, wait_for
from hubdata.transfer.retry import RequestFailed

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ACCOUNT, HOST = "1234567", "updates.example"


@pytest.fixture(autouse=True)
def quick_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The digest of an account is slow on purpose, which tests need not wait for."""
    monkeypatch.setattr(downloads, "_ROUNDS", 10)


def ledger(directory: Path | None, account: str = ACCOUNT, host: str = HOST, per_day: int = 30) -> Downloads:
    """Return the ledger as a new run opens it."""
    return Downloads(directory, account, host, per_day=per_day)


def begin_until_refused(open_ledger: Callable[[], Downloads], *, forced: bool = False, now: datetime = NOW) -> int:
    """Return how many downloads, all of them good, were begun before one had to wait."""
    for count in range(1000):
        one = open_ledger()
        try:
            one.begin("City a", now, forced=forced)
        except SourceError:
            return count
        one.ended_well("City a", now)
    raise AssertionError("nothing stops it")


def test_runs_share_what_is_left_of_the_day(tmp_path: Path) -> None:
    """Each run opens the ledger anew; a day later there is room again."""
    assert begin_until_refused(lambda: ledger(tmp_path / "m")) == 25
    assert begin_until_refused(lambda: ledger(tmp_path / "m"), forced=True) == 5
    with pytest.raises(SourceError, match="no download before 2026-11-21 12:00 UTC: 30 downloads") as caught:
        ledger(tmp_path / "m").begin("City a", NOW + timedelta(hours=3), forced=True)
    assert not caught.value.retryable
    assert "`--force` changes nothing here" in caught.value.advice
    assert begin_until_refused(lambda: ledger(tmp_path / "m"), now=NOW + timedelta(days=1)) == 25


def test_without_a_directory_one_run_remembers_for_itself() -> None:
    """The next one knows nothing of it."""
    one = ledger(None)
    assert begin_until_refused(lambda: one) == 25


def test_accounts_and_hosts_are_counted_apart(tmp_path: Path) -> None:
    """Another account's downloads are its own."""
    assert begin_until_refused(lambda: ledger(tmp_path)) == 25
    assert begin_until_refused(lambda: ledger(tmp_path, account="7654321")) == 25
    assert begin_until_refused(lambda: ledger(tmp_path, host="mirror.example")) == 25


def test_the_account_cannot_be_read_in_the_ledger(tmp_path: Path) -> None:
    """Neither it nor a plain digest of it; and nobody else can read the file or the directory."""
    import hashlib

    ledger(tmp_path / "m").begin("City a", NOW, forced=False)
    body = (tmp_path / "m/downloads.json").read_text()
    assert account_mark(ACCOUNT, HOST) in body
    assert ACCOUNT not in body
    for name in ("md5", "sha1", "sha256"):
        assert hashlib.new(name, ACCOUNT.encode()).hexdigest()[:16] not in body
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o700
    assert sorted(path.name for path in (tmp_path / "m").iterdir()) == ["downloads.json", "lock"]


def test_a_429_is_remembered_by_the_next_run(tmp_path: Path) -> None:
    """With its Retry-After; other failures are only counted."""
    one = ledger(tmp_path)
    one.begin("City a", NOW, forced=False)
    one.failed(RequestFailed("down", status=503, retry_after=timedelta(hours=9)), NOW)
    ledger(tmp_path).begin("City a", NOW, forced=False)
    one.failed(RequestFailed("too many", status=429, retry_after=timedelta(minutes=90)), NOW)
    with pytest.raises(SourceError, match="no download before 2026-11-20 13:30 UTC: the server answered 429"):
        ledger(tmp_path).begin("ASN b", NOW, forced=True)


def test_the_time_that_is_told_is_never_too_early(tmp_path: Path) -> None:
    """Whoever comes at that minute is let in."""
    one = ledger(tmp_path)
    one.failed(RequestFailed("too many", status=429, retry_after=timedelta(seconds=61)), NOW)
    with pytest.raises(SourceError, match="no download before 2026-11-20 12:02 UTC"):
        one.begin("City a", NOW, forced=False)
    one.begin("City a", NOW + timedelta(minutes=2), forced=False)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)
_PAST = st.fixed_dictionaries({}, optional=dict.fromkeys(("downloads", "refused_until", "tries"), _JSON))


@given(record=_JSON | st.fixed_dictionaries({"accounts": _JSON | _PAST.map(lambda past: {"mark": past})}))
@settings(max_examples=300, deadline=None)
def test_no_ledger_whatever_makes_it_raise(record: object) -> None:
    """Any JSON at all is read as what of it makes sense."""
    for past in downloads._parsed(record).values():
        wait_for(recent(past, NOW), "City a", NOW, per_day=30, forced=False)


def test_a_download_that_was_killed_counts_as_one_that_failed(tmp_path: Path) -> None:
    """It is written down before it begins: two that never end, and the third waits."""
    for _ in range(2):
        ledger(tmp_path).begin("City a", NOW, forced=False)
    with pytest.raises(SourceError, match="2 downloads of this release in a row did not end well") as caught:
        ledger(tmp_path).begin("City a", NOW, forced=False)
    assert "`--force` downloads now" in caught.value.advice
    ledger(tmp_path).begin("City a", NOW, forced=True)


def _many(directory: str, results: "multiprocessing.Queue[int]") -> None:
    results.put(begin_until_refused(lambda: ledger(Path(directory))))


def test_processes_at_once_never_count_less_than_they_make(tmp_path: Path) -> None:
    """Four processes, each until it is refused: together as many as one alone."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    workers = [context.Process(target=_many, args=(str(tmp_path / "m"), results)) for _ in range(4)]
    for worker in workers:
        worker.start()
    counts = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join(60)
    assert sum(counts) == 25


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe\x00",
        b"[]",
        b"null",
        b'{"accounts": 3}',
        b'{"accounts": {"MARK": [1]}}',
        b'{"accounts": {"MARK": {"downloads": 5, "tries": [], "refused_until": "soon"}}}',
        b'{"accounts": {"MARK": {"downloads": [true, null, 1e999, "x", 99999999999999], "tries": {"City a": [0]}}}}',
        b"[" * 200_000,
        b" " * ((1 << 20) + 1),
    ],
    ids=lambda body: body[:24].decode(errors="replace"),
)
def test_a_damaged_ledger_is_as_none_and_is_mended(tmp_path: Path, body: bytes) -> None:
    """It stops no run, and from the next download on it counts again."""
    (tmp_path / "downloads.json").write_bytes(body.replace(b"MARK", account_mark(ACCOUNT, HOST).encode()))
    tmp_path.chmod(0o700)
    assert begin_until_refused(lambda: ledger(tmp_path)) == 25


def test_half_a_record_costs_only_its_bad_half(tmp_path: Path) -> None:
    """Times that can be read still count."""
    tmp_path.chmod(0o700)
    good = [int(NOW.timestamp()) - n for n in range(20)]
    accounts = {account_mark(ACCOUNT, HOST): {"downloads": [*good, "x"], "tries": {"a": "b"}}}
    (tmp_path / "downloads.json").write_text(json.dumps({"accounts": accounts}))
    assert begin_until_refused(lambda: ledger(tmp_path)) == 5


def test_the_ledger_does_not_grow(tmp_path: Path) -> None:
    """Of a week of downloads only the last day's are in it."""
    for hour in range(24 * 6):
        at = NOW + timedelta(hours=hour)
        one = ledger(tmp_path / "m", per_day=100)
        one.begin(f"City {hour}", at, forced=False)
    assert (tmp_path / "m/downloads.json").stat().st_size < 2500


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    """Neither for the directory nor for the file, and a pipe does not hang."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (tmp_path / "m").symlink_to(elsewhere)
    with pytest.raises(SourceError, match="not a directory of hubdata's own user"):
        ledger(tmp_path / "m").begin("City a", NOW, forced=False)
    (tmp_path / "n").mkdir(mode=0o700)
    os.mkfifo(tmp_path / "n/downloads.json")
    ledger(tmp_path / "n").begin("City a", NOW, forced=False)
    assert (tmp_path / "n/downloads.json").is_file()


def test_a_directory_that_others_can_look_into_is_closed_to_them(tmp_path: Path) -> None:
    """Whatever the umask was, or whoever restored it from a backup."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m").chmod(0o777)
    ledger(tmp_path / "m").begin("City a", NOW, forced=False)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_belongs_to_another_user_is_not_believed(tmp_path: Path) -> None:
    """A directory of theirs stops the download with advice; a file of theirs is as none."""
    (tmp_path / "m").mkdir()
    os.chown(tmp_path / "m", 65534, 65534)
    with pytest.raises(SourceError, match="not a directory of hubdata's own user") as caught:
        ledger(tmp_path / "m").begin("City a", NOW, forced=False)
    assert "remove it" in caught.value.advice
    assert begin_until_refused(lambda: ledger(tmp_path / "n")) == 25
    os.chown(tmp_path / "n/downloads.json", 65534, 65534)
    ledger(tmp_path / "n").begin("City a", NOW, forced=False)


def test_a_memory_that_cannot_be_written_stops_the_download(tmp_path: Path) -> None:
    """What could not be counted is not made."""
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be used to remember downloads") as caught:
        ledger(tmp_path / "file" / "m").begin("City a", NOW, forced=False)
    assert "HUBDATA_SPOOL" in caught.value.advice


def test_a_run_that_hangs_with_the_lock_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says so; while the lock is only busy, it waits."""
    directory = memory.private_directory(tmp_path / "m")
    release = threading.Event()
    taken = threading.Event()

    def hold() -> None:
        with memory.locked(directory):
            taken.set()
            release.wait(60)

    holder = threading.Thread(target=hold)
    holder.start()
    assert taken.wait(60)
    monkeypatch.setattr(memory, "_PATIENCE_S", 0.1)
    with pytest.raises(SourceError, match="another run has held its lock") as caught:
        ledger(directory).begin("City a", NOW, forced=False)
    assert caught.value.retryable
    monkeypatch.setattr(memory, "_PATIENCE_S", 60.0)
    threading.Timer(0.2, release.set).start()
    ledger(directory).begin("City a", NOW, forced=False)
    holder.join(60)
