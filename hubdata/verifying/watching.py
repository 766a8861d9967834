"""Look over every family, and again until a CDN has caught up or patience is over.

Only what is old is waited for: a wrong setting does not mend itself, and whoever has to mend it should know at once.
What was right once is not asked for again. Should somebody publish meanwhile, the newer generation is what counts.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeVar

from hubdata.model.event import Event
from hubdata.model.manifest import KEY
from hubdata.model.verification import Discrepancy, Family, FamilyView, Verification, VerifySpec
from hubdata.ports import Clock, Reporter
from hubdata.transfer.deadline import Deadline
from hubdata.transfer.one_family import NoAnswer
from hubdata.verifying import manifests, signatures
from hubdata.verifying.choosing import Wish, chosen
from hubdata.verifying.looking import Connect, Looker, url_of
from hubdata.verifying.manifests import Expected, Front
from hubdata.verifying.signatures import Trust

_FIRST_PAUSE_S, _FACTOR, _LONGEST_PAUSE_S = 1.0, 1.5, 15.0
_MAX_OVERTAKEN = 3
_WHOLE = 0.9  # a clock that comes back earlier was called away: this process is to end

T = TypeVar("T")

Told = Callable[[], Expected | None]
"""Says what was published, None when only the public copy itself can."""


def watch(
    spec: VerifySpec,
    wish: Wish,
    told: Told,
    *,
    connect: Connect,
    clock: Clock,
    reporter: Reporter,
    wait: timedelta = timedelta(0),
    at_least: int = 0,
    trust: Trust | None = None,
) -> Verification:
    """Return what readers of every family of `spec` get, having waited up to `wait` for what is old to pass.

    Without `told`, the newest public generation counts, but none before `at_least`. With `trust`, the manifest must be
    signed. Raises ConfigError for a key of `wish` that is not published; whatever else is wrong is in the result.
    """
    return _Watch(spec, wish, told, connect, clock, reporter, wait, at_least, trust).run()


@dataclass(slots=True)
class _Watch:
    spec: VerifySpec
    wish: Wish
    told: Told
    connect: Connect
    clock: Clock
    reporter: Reporter
    wait: timedelta
    at_least: int
    trust: Trust | None
    lookers: dict[Family, Looker] = field(init=False)
    elapsed_s: dict[Family, float] = field(init=False)
    found: dict[Family, dict[str, tuple[Discrepancy, ...]]] = field(init=False)
    keys: tuple[str, ...] = ()
    looks: int = 0
    overtaken: int = 0
    waited_s: float = 0.0
    ending: bool = False

    def __post_init__(self) -> None:
        families = self.spec.families
        self.lookers = {family: Looker(self.spec.url, family, self.connect) for family in families}
        self.elapsed_s = dict.fromkeys(families, 0.0)
        self.found = {family: {} for family in families}

    def run(self) -> Verification:
        began = self.clock.monotonic()
        patience = Deadline.after(self.wait, monotonic=self.clock.monotonic)
        expected: Expected | None = None
        while True:
            self.looks += 1
            deadline = Deadline.after(self.spec.timeout, monotonic=self.clock.monotonic)
            fronts = self._fronts(deadline)
            expected = self._expected(fronts, expected)
            unsigned = self._unsigned(fronts, deadline)
            served = {family: (*manifests.compare(f, expected), *unsigned[family]) for family, f in fronts.items()}
            if self._paused(_flat(served), patience):
                continue
            if expected is not None and not self.ending:
                self._look_at_files(expected, fronts, deadline)
                if self._is_overtaken(expected, deadline):
                    continue
            if self.ending or not self._paused(self._of_files(), patience):
                return self._result(expected, fronts, served, began)

    def _fronts(self, deadline: Deadline) -> Mapping[Family, Front]:
        return self._over_all(lambda looker: looker.manifest(deadline))

    def _unsigned(self, fronts: Mapping[Family, Front], deadline: Deadline) -> Mapping[Family, tuple[Discrepancy, ...]]:
        """Return by family why whoever knows the publisher's keys must not believe its manifest."""
        trust = self.trust
        if trust is None:
            return dict.fromkeys(fronts, ())

        def look(looker: Looker) -> tuple[Discrepancy, ...]:
            about, answer = looker.signature(deadline)
            return signatures.compare(fronts[looker.family], answer, about, trust)

        return self._over_all(look)

    def _over_all(self, look: Callable[[Looker], T]) -> Mapping[Family, T]:
        """Return what `look` gives for each family, all asked at once."""

        def timed(looker: Looker) -> T:
            began = time.monotonic()
            try:
                return look(looker)
            finally:
                self.elapsed_s[looker.family] += time.monotonic() - began

        pool = ThreadPoolExecutor(len(self.lookers), thread_name_prefix="verify")
        try:
            answers = list(pool.map(timed, self.lookers.values()))
        except BaseException:
            for looker in self.lookers.values():
                looker.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        pool.shutdown()
        return dict(zip(self.lookers, answers, strict=True))

    def _expected(self, fronts: Mapping[Family, Front], before: Expected | None) -> Expected | None:
        """Return what counts now, and begin anew where that is another generation than before."""
        # Asked after the public copy, so that nobody can publish in between and make the copy seem ahead.
        expected = self.told() or manifests.newest(fronts)
        if expected is None:
            return None
        if before is None or before.manifest != expected.manifest:
            self.found = {family: {} for family in self.lookers}
            self.keys = chosen(expected.manifest, self.wish)
        if expected.manifest.generation < self.at_least:
            return Expected(replace(expected.manifest, generation=self.at_least), "--generation", at_least=True)
        return expected

    def _look_at_files(self, expected: Expected, fronts: Mapping[Family, Front], deadline: Deadline) -> None:
        """Look at what was not looked at yet, or was old, where the host answers at all."""
        todo = {
            family: [key for key in self.keys if _is_late(self.found[family].get(key))]
            for family, front in fronts.items()
            if not isinstance(front.answers.packed, NoAnswer)
        }
        seen = self._over_all(lambda looker: looker.files(expected.manifest, todo.get(looker.family, ()), deadline))
        for family, results in seen.items():
            self.found[family].update(results)

    def _is_overtaken(self, expected: Expected, deadline: Deadline) -> bool:
        """Tell whether wrong bytes are those of a generation that was published while we looked."""
        wrong = any(finding.rule in ("verify.bytes", "verify.missing") for finding in self._of_files())
        if not wrong or self.overtaken >= _MAX_OVERTAKEN:
            return False
        newest = self.told() or manifests.newest(self._fronts(deadline))
        if newest is None or newest.manifest.generation <= expected.manifest.generation:
            return False
        self.overtaken += 1
        return True

    def _of_files(self) -> list[Discrepancy]:
        return [finding for results in self.found.values() for finding in _flat(results)]

    def _paused(self, findings: Iterable[Discrepancy], patience: Deadline) -> bool:
        """Wait a little if anything is late and patience is left; tell whether that was so."""
        late = [finding for finding in findings if finding.passing]
        if not late or patience.expired:
            return False
        pause_s = min(_FIRST_PAUSE_S * _FACTOR ** (self.looks - 1), _LONGEST_PAUSE_S, patience.remaining_s)
        first = late[0]
        fields: dict[str, str | int | float] = {
            "family": ",".join(dict.fromkeys(finding.family.value for finding in late)),
            "for": f"{first.key}: {first.expected}" if first.key == KEY else first.key,
            "rule": first.rule,
            "late": len(late),
            "waited_s": round(self.waited_s, 1),
            "limit_s": self.wait.total_seconds(),
        }
        self.reporter.emit(Event("copy.waiting", fields))
        began = self.clock.monotonic()
        self.clock.sleep(timedelta(seconds=pause_s))
        slept_s = self.clock.monotonic() - began
        self.waited_s += slept_s
        self.ending = slept_s < pause_s * _WHOLE
        return not self.ending

    def _result(
        self,
        expected: Expected | None,
        fronts: Mapping[Family, Front],
        served: Mapping[Family, tuple[Discrepancy, ...]],
        began: float,
    ) -> Verification:
        views = tuple(self._view(family, front, served[family]) for family, front in fronts.items())
        return Verification(
            url=self.spec.url,
            against=expected.source if expected else "nothing: no manifest was had",
            generation=expected.manifest.generation if expected else 0,
            views=views,
            files=len(self.keys),
            published=len(expected.manifest.files) if expected else 0,
            seed=self.wish.seed,
            looks=self.looks,
            waited_s=round(self.waited_s, 3),
            elapsed_s=round(self.clock.monotonic() - began, 3),
            manifest_url=url_of(self.spec.url, KEY),
            manifests={family: raw for family, front in fronts.items() if (raw := front.raw) is not None},
        )

    def _view(self, family: Family, front: Front, served: tuple[Discrepancy, ...]) -> FamilyView:
        looker = self.lookers[family]
        return FamilyView(
            family=family,
            address=looker.address,
            generation=front.manifest.generation if front.manifest else None,
            files=len(self.found[family]),
            requests=looker.requests,
            bytes=looker.bytes,
            elapsed_s=round(self.elapsed_s[family], 3),
            findings=(*served, *_flat(dict(sorted(self.found[family].items())))),
        )


def _flat(findings: Mapping[T, tuple[Discrepancy, ...]]) -> list[Discrepancy]:
    return [finding for each in findings.values() for finding in each]


def _is_late(findings: tuple[Discrepancy, ...] | None) -> bool:
    """Tell whether a file is still to be looked at: it never was, or what was wrong may have passed."""
    return findings is None or any(finding.passing for finding in findings)
