"""The ledger of an account's downloads, on disk, so that no restart makes a vendor's daily quota start anew.

A download is written down before it is asked for: a process that is killed has counted it all the same. The account
stands there as a digest alone, a slow one, for account numbers are short; the key is not in it at all. All runs on
this spool share the ledger, and several at once take turns.

Where the spool is not kept between runs (a fresh container each time), nothing is remembered. What is published is
then the only memory: a release whose digest is public is not downloaded again, so only runs that fail cost anything.
"""

import hashlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hubdata.errors import SourceError
from hubdata.transfer.memory import locked, private_directory, read_record, write_record
from hubdata.transfer.quota import Past, Tries, Wait, recent, wait_for, with_begun, with_refusal, with_success
from hubdata.transfer.retry import RequestFailed

_FILE = "downloads.json"
_MAX_ACCOUNTS = 200
_MAX_TIMES = 10_000
_MAX_TRIES = 200
_ROUNDS = 100_000  # 30 ms, paid only when something is about to be downloaded

_ADVICE = "the published copy stays; the first run after that time downloads, and runs until then cost nothing"
_ADVICE_FORCIBLE = f"{_ADVICE}. `--force` downloads now"
_ADVICE_FINAL = f"{_ADVICE}. `--force` changes nothing here; if the account allows more, set `daily_downloads`"


def account_mark(account: str, host: str) -> str:
    """Return what stands for an account at a host in the ledger."""
    return hashlib.pbkdf2_hmac("sha256", account.encode(), f"hubdata downloads {host}".encode(), _ROUNDS, 16).hex()


class Downloads:
    """The downloads of one account at one host. With no `directory` they are remembered by this object alone."""

    def __init__(self, directory: Path | None, account: str, host: str, *, per_day: int) -> None:
        self._directory = directory
        self._account = (account, host)
        self._mark = ""
        self._per_day = per_day
        self._own = Past()

    def begin(self, what: str, now: datetime, *, forced: bool) -> None:
        """Write down that a download of `what` begins `now`. A forced one is counted and held to the quota as well.

        Raises SourceError, not worth a retry, when it must wait, saying until when.
        """

        def decide(past: Past) -> tuple[Past, Wait | None]:
            wait = wait_for(past, what, now, per_day=self._per_day, forced=forced)
            return (past if wait else with_begun(past, what, now)), wait

        wait = self._update(now, decide)
        if wait is not None:
            raise SourceError(
                f"no download before {_next_minute(wait.until):%Y-%m-%d %H:%M} UTC: {wait.why}",
                advice=_ADVICE_FORCIBLE if wait.forcible else _ADVICE_FINAL,
            )

    def ended_well(self, what: str, now: datetime) -> None:
        """Write down that the download of `what` gave what it should."""
        self._update(now, lambda past: (with_success(past, what), None))

    def failed(self, error: SourceError, now: datetime) -> None:
        """Write down what a failed download tells about the next one: a 429 is remembered."""
        if isinstance(error, RequestFailed) and error.status == 429:
            self._update(now, lambda past: (with_refusal(past, now, error.retry_after), None))

    def past(self, now: datetime) -> Past:
        """Return what is remembered and still counts. Looks only: makes nothing, and waits for nobody."""
        if self._directory is None:
            return recent(self._own, now)
        held = _parsed(read_record(self._directory / _FILE))
        return recent(held.get(account_mark(*self._account), Past()), now) if held else Past()

    def _update(self, now: datetime, decide: Callable[[Past], tuple[Past, Wait | None]]) -> Wait | None:
        if self._directory is None:
            self._own, wait = decide(recent(self._own, now))
            return wait
        directory = private_directory(self._directory)
        self._mark = self._mark or account_mark(*self._account)
        with locked(directory):
            ledger = _parsed(read_record(directory / _FILE))
            before = ledger.get(self._mark, Past())
            after, wait = decide(recent(before, now))
            if after != before:
                write_record(directory / _FILE, _record({**ledger, self._mark: after}, now))
        return wait


def _next_minute(at: datetime) -> datetime:
    """Return the full minute at which `at` has passed."""
    return (at + timedelta(seconds=59, microseconds=999_999)).replace(second=0, microsecond=0)


def _record(ledger: Mapping[str, Past], now: datetime) -> dict[str, Any]:
    alive = {mark: past for mark, past in ((m, recent(p, now)) for m, p in ledger.items()) if not past.is_empty}
    latest = sorted(alive, key=lambda mark: max(alive[mark].downloads, default=now))[-_MAX_ACCOUNTS:]
    return {"schema": 1, "accounts": {mark: _past_record(alive[mark]) for mark in latest}}


def _past_record(past: Past) -> dict[str, Any]:
    tries = sorted(past.tries.items(), key=lambda pair: pair[1].last)[-_MAX_TRIES:]
    return {
        "downloads": [int(at.timestamp()) for at in past.downloads[-_MAX_TIMES:]],
        "refused_until": int(past.refused_until.timestamp()) if past.refused_until else None,
        "tries": {what: [each.count, int(each.last.timestamp())] for what, each in tries},
    }


def _parsed(record: Any) -> dict[str, Past]:
    """Return the ledger in `record`; whatever in it cannot be understood is left out."""
    accounts = record.get("accounts") if isinstance(record, dict) else None
    if not isinstance(accounts, dict):
        return {}
    return {mark: _past(past) for mark, past in accounts.items() if isinstance(past, dict)}


def _past(record: dict[str, Any]) -> Past:
    downloads, tries = record.get("downloads"), record.get("tries")
    times = [_time(at) for at in downloads] if isinstance(downloads, list) else []
    return Past(
        tuple(at for at in times if at is not None),
        _time(record.get("refused_until")),
        {what: each for what, pair in tries.items() if (each := _tries(pair))} if isinstance(tries, dict) else {},
    )


def _tries(pair: Any) -> Tries | None:
    match pair:
        case [int(count), seconds] if count > 0:
            last = _time(seconds)
            return None if last is None else Tries(count, last)
    return None


def _time(seconds: Any) -> datetime | None:
    if isinstance(seconds, bool) or not isinstance(seconds, int):
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OSError, OverflowError):
        return None
