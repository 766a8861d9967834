"""What was fetched before and came to what is published: so that a list which did not change costs one small request.

A manifest tells with which answer a file was published. But the same list comes out of many answers (a JSON file of all
networks changes every other day, the part that a filter takes from it twice a year), and a file that has not changed is
not published anew. So the validators of the latest answer are kept in the spool, by recipe and by what came of it.
Nothing depends on it: without it an answer is fetched once more.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from hubdata.errors import SourceError
from hubdata.model.snapshot import Provenance, state_of
from hubdata.transfer.conditional import NOTHING_KNOWN, Validators
from hubdata.transfer.memory import locked, private_directory, read_record, write_record

_FILE = "answers.json"
_MAX_RECIPES = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file that is made of an answer. `recipe` stands for its address, and for what is done to what comes."""

    key: str
    recipe: str


@dataclass(frozen=True, slots=True)
class Came:
    """What an answer came to: the digest of the file that a recipe made of it."""

    sha256: str
    said: Validators


class Answers:
    """The answers that lie behind what is published by a source of type `word`.

    `directory` is None where nothing outlives a run.
    """

    def __init__(self, word: str, directory: Path | None, published: Mapping[str, Provenance]) -> None:
        self._word = word
        self._directory = directory
        self._published = published
        self._known = _record(directory)

    def behind(self, wanted: Wanted) -> Validators:
        """Return what to ask by for the answer that the published file was made of; NOTHING_KNOWN where it is not."""
        source = self._published.get(wanted.key, {})
        if source.get("type") != self._word:
            return NOTHING_KNOWN
        came = self._known.get(wanted.recipe)
        if isinstance(came, dict) and came.get("sha256") and came["sha256"] == source.get("sha256"):
            return Validators.noted({name: value for name, value in came.items() if isinstance(value, str)})
        return Validators.noted(source) if source.get("recipe") == wanted.recipe else NOTHING_KNOWN

    def newer_than(self, key: str, date: str) -> str:
        """Return the published state of a file that is from a later day than `date`; empty where there is none such.

        Days and not seconds: nodes of one cluster date their copies differently.
        """
        source = self._published.get(key, {})
        mine = (source.get("type"), source.get("edition")) == (self._word, key)
        return state_of(source) if mine and date and source.get("date", "") > date else ""

    def keep(self, came: Mapping[str, Came], now: datetime) -> None:
        """Remember, by recipe, what answers came to; the oldest are forgotten. Never fails a run."""
        if self._directory is None or not came:
            return
        entries = {
            recipe: {"sha256": each.sha256, "at": now.isoformat(), **each.said.note()}
            for recipe, each in came.items()
            if each.said.question()
        }
        with suppress(SourceError):
            directory = private_directory(self._directory)
            with locked(directory):
                known = {**_record(directory), **entries}
                youngest = sorted(known, key=lambda recipe: str(known[recipe].get("at", "")), reverse=True)
                write_record(directory / _FILE, {recipe: known[recipe] for recipe in youngest[:_MAX_RECIPES]})


def _record(directory: Path | None) -> dict[str, dict[str, Any]]:
    found = None if directory is None else read_record(directory / _FILE)
    if not isinstance(found, dict):
        return {}
    return {recipe: came for recipe, came in found.items() if isinstance(came, dict)}
