"""Asks a database what everybody knows: whose answer to a canary is wrong is not what it says it is.

Records that lie inside the file but belong to other networks pass any check of structure, and a swapped database is
sound. A few addresses that have stayed put for years tell them apart (the job file names them).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hubdata.mmdb.policy import Breach, shown
from hubdata.mmdb.readers import Readers
from hubdata.model.job import Canary

_ADVICE = "if the address has moved, change the canary in the job file; else the database is not what it says"
_MISSING = object()


def for_edition(canaries: Iterable[Canary], *names: str | None) -> tuple[Canary, ...]:
    """Return the canaries that ask all editions, or one of `names`."""
    return tuple(canary for canary in canaries if canary.edition is None or canary.edition in names)


def wrong_answers(canaries: Iterable[Canary], readers: Readers) -> Iterator[Breach]:
    """Yield what each canary was not answered as the job expects, typed look-ups by geoip2 included."""
    for canary in canaries:
        try:
            record = readers.record(canary.ip)
        except Exception as err:  # noqa: BLE001 - a record of other types makes geoip2 raise whatever comes
            yield Breach("canary", f"the look-up of {canary.ip} fails: {said(err)}", _ADVICE)
            continue
        if record is None:
            yield Breach("canary", f"there is no record for {canary.ip}", _ADVICE)
            continue
        yield from _compared(canary, record)


def said(err: Exception) -> str:
    """Return what a reader's exception says, in one printable line."""
    return f"{type(err).__name__}: {shown(str(err))}" if str(err) else type(err).__name__


def _compared(canary: Canary, record: Any) -> Iterator[Breach]:
    for path, expected in canary.expect.items():
        found = _follow(record, path)
        if found != expected or isinstance(found, bool) is not isinstance(expected, bool):
            answer = "nothing" if found is _MISSING else shown(repr(found))
            message = f"{canary.ip}: expected `{path}` to be {shown(repr(expected))}, found {answer}"
            yield Breach("canary", message, _ADVICE)


def _follow(record: object, path: str) -> object:
    """Return what a dotted path leads to in a record, list positions being numbers; `_MISSING` when it ends early."""
    for step in path.split("."):
        if isinstance(record, Mapping):
            record = record.get(step, _MISSING)
        elif isinstance(record, Sequence) and not isinstance(record, str | bytes) and step.isdecimal():
            record = record[int(step)] if int(step) < len(record) else _MISSING
        else:
            return _MISSING
    return record
