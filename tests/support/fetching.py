"""Run one vendor's source in a test: with time that costs nothing, in a workspace that must stay clean."""

import io
import logging
import shutil
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hubdata.errors import Exit, HubdataError, SourceError
from hubdata.model.snapshot import Fetched, Provenance
from hubdata.ports import SourceContext


class TurningClock:
    """A clock that turns by itself when slept on."""

    def __init__(self, start: datetime = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)) -> None:
        self.start = start
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.start + timedelta(seconds=sum(self.slept))

    def sleep(self, duration: timedelta) -> None:
        self.slept.append(duration.total_seconds())

    def monotonic(self) -> float:
        return time.monotonic() + sum(self.slept)


class Fetching:
    """One source class, ready to run with `defaults` for its options; `secrets` must never be told."""

    def __init__(
        self,
        source: type[Any],
        workspace: Path,
        *,
        defaults: Mapping[str, object],
        environment: Mapping[str, str] | None = None,
        secrets: tuple[str, ...] = (),
    ) -> None:
        self.source = source
        self.workspace = workspace
        self.defaults = dict(defaults)
        self.environment = dict(environment or {})
        self.secrets = secrets
        self.memory: Path | None = None
        self.clock = TurningClock()

    def options(self, **given: object) -> Any:
        """Return options: the defaults with more."""
        return self.source.Options.model_validate({**self.defaults, **given})

    def fetch(
        self, published: Mapping[str, Provenance] | None = None, *, force: bool = False, **options: object
    ) -> Fetched:
        """Return what the source fetches."""
        context = SourceContext(self.workspace, self.environment, self.clock, force, self.memory)
        source = self.source(self.options(**options), context, monotonic=self.clock.monotonic, random=lambda: 0.5)
        fetched: Fetched = source.fetch(lambda: published or {})
        for file in fetched.files:
            self.assert_silent(str(dict(file.source)))
        return fetched

    def refused(
        self, published: Mapping[str, Provenance] | None = None, *, force: bool = False, **options: object
    ) -> SourceError:
        """Return the error of a fetch that must fail, give advice, leave nothing behind and tell no secret."""
        with pytest.raises(SourceError) as caught:
            self.fetch(published, force=force, **options)
        assert self.left_over() == []
        self.assert_no_secret(caught.value)
        assert caught.value.exit_code is Exit.SOURCE
        assert caught.value.advice
        return caught.value

    def remember(self) -> None:
        """Give the source a memory, as a spool that is kept between runs does."""
        self.memory = self.workspace.parent / "memory"

    def next_run(self) -> None:
        """Remove the workspace, as the end of a run does."""
        shutil.rmtree(self.workspace, ignore_errors=True)

    def left_over(self) -> list[str]:
        """Return what lies in the workspace."""
        return [path.name for path in self.workspace.iterdir()] if self.workspace.exists() else []

    def assert_no_secret(self, error: HubdataError) -> None:
        """No secret may be read anywhere in an error, its chain included."""
        self.assert_silent("".join(traceback.format_exception(error)) + error.advice + repr(error.__dict__))

    def assert_silent(self, text: str) -> None:
        """No secret may be in `text`."""
        for secret in self.secrets:
            assert secret not in text


def as_published(fetched: Fetched) -> dict[str, Provenance]:
    """Return what would be public after `fetched` was published."""
    return {file.key: file.source for file in fetched.files}


@contextmanager
def debug_log() -> Iterator[io.StringIO]:
    """Collect everything that every logger says, at DEBUG."""
    stream = io.StringIO()
    handler, root = logging.StreamHandler(stream), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.setLevel(before)
        root.removeHandler(handler)
