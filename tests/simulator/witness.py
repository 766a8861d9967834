"""Watches every single effect on the world, from the side of a reader, and says which invariant it broke.

It knows nothing of how hubdata works: it compares what was written with what was proven, with what the manifest
in force says, with the receipts and the lease that lie in the store, and with who asked for it.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field

from hubdata.model import lease as leases
from hubdata.model.job import Job
from hubdata.model.key import RESERVED
from hubdata.model.lease import Lease
from hubdata.model.manifest import Entry, Manifest
from hubdata.model.plan import Action
from hubdata.publishing import ledger as ledgers
from hubdata.publishing.ledger import Line
from hubdata.publishing.pages import KEYS as PAGES
from tests.simulator.pages import wrong_with
from tests.simulator.process import HistorySource, Run, claims
from tests.simulator.store import MemoryTarget, Version
from tests.simulator.wire import Call
from tests.simulator.world import World, covers

MANIFEST = "manifest.json"


@dataclass
class Seen:
    """What is known of one target.

    `strange` keys were last touched by others, or by a request that came too late; `meddled` tells how many calls had
    been made when somebody else wrote last. `listed` are versions that were in a manifest once; `harmless` are keys
    of which the last version was deleted without that, or put too late, though as the very bytes that it was before.
    `late` names by key the version that was put too late.
    """

    manifest: Manifest = field(default_factory=Manifest)
    authors: dict[str, Run | None] = field(default_factory=dict)
    strange: set[str] = field(default_factory=set)
    meddled: dict[str, int] = field(default_factory=dict)
    listed: set[str | None] = field(default_factory=set)
    harmless: set[str] = field(default_factory=set)
    late: dict[str, str] = field(default_factory=dict)


class Witness:
    """Collects what was `broken`, each as a sentence that begins with the invariant's number."""

    def __init__(self) -> None:
        self.world: World
        self.runs: dict[str, Run] = {}
        self.broken: list[str] = []
        self.effects: Counter[str] = Counter()
        self.seen: dict[str, Seen] = {}

    # What happens behind hubdata's back.

    def stranger(self, target: str, key: str) -> None:
        """Note that somebody else has written or deleted `key`."""
        seen = self.seen.setdefault(target, Seen())
        seen.strange.add(key)
        current, before = _last_two(self.world.targets[target], key)
        if current.etag != before.etag:  # else no condition can tell
            seen.meddled[key] = len(self.world.wire.calls)
        if current.body is not None:
            seen.authors[current.id] = None

    def harmed(self, target: str) -> None:
        """Note that somebody else has written or deleted the manifest: nobody knows any more what is whose."""
        seen = self.seen.setdefault(target, Seen())
        seen.manifest = Manifest() if self.world.garbled(target) else self.world.manifest(target)
        seen.strange |= self.world.targets[target].public().keys() | seen.manifest.files.keys()
        seen.meddled[MANIFEST] = len(self.world.wire.calls)

    # What hubdata does.

    def sets_out(self, run: Run, call: Call) -> bool:
        """Tell whether `run` holds the lease now that it sends `call`."""
        if run.orders.dry_run and call.method not in ("LIST", "GET", "HEAD"):
            self._broke(run, call, "9: a dry run must only read")
        return self._holds(run, call.actor) if call.actor in self.world.targets else True

    def took_effect(self, run: Run, call: Call, held: bool) -> None:
        """Judge one effect; `held` tells whether the run held the lease when it sent the call."""
        if run.orders.dry_run:
            self._broke(run, call, "9: a dry run has changed something")
        if call.method == "INVALIDATE":
            self.effects["invalidation"] += 1
            self._told(run, call)
        elif call.key == leases.KEY:
            self._leased(run, call)
        elif not call.key.startswith(".hubdata/"):
            self._shown(run, call, held)

    def _shown(self, run: Run, call: Call, held: bool) -> None:
        """Judge what readers see."""
        seen = self.seen.setdefault(call.actor, Seen())
        if not held:
            self._broke(run, call, "5: sent without holding the lease")
        late = not self._holds(run, call.actor)
        self.effects[f"late {call.method}" if late else f"{call.method}"] += 1
        if call.key in PAGES:  # beside all the rest, and the CDN is not told of it
            self._paged(run, call, seen, late=late)
            return
        if not late and f"hubdata-{run.name}-{call.actor}" in self.world.cdns[call.actor].accepted:
            self._broke(run, call, "3: the CDN was told before")
        if call.key == MANIFEST:
            self._swapped(run, call, seen)
        elif call.key not in RESERVED:  # a seal is judged when its run has ended
            if run.looked[call.actor] <= seen.meddled.get(call.key, -1):
                self._broke(run, call, "5: somebody else has written since this run looked")
            if call.method == "PUT":
                self._put(run, call, seen)
            else:
                self._deleted(run, call, seen)
        if late:
            seen.strange |= set(seen.manifest.files) if call.key == MANIFEST else {call.key}

    def stand(self) -> None:
        """Judge what readers find now: every listed file is in place, with bytes at least as new as is said."""
        for name, store in self.world.targets.items():
            seen = self.seen.setdefault(name, Seen())
            for key, entry in seen.manifest.files.items():
                if key not in seen.strange and (wrong := _not_in_place(store, key, entry)):
                    self.broken.append(f"3: {name}: {key} {wrong}")

    def untold(self, target: str) -> set[str]:
        """Return the keys that the CDN does not know the newest of.

        What a run put and never listed does not count once it is cleared away: whoever finishes a broken-off run again,
        because the first time its last answer was lost, tells the CDN under a reference that it has heard before. Nor
        does what a store took too late count, when the lease was another's and its receipt closed, until it is listed.
        """
        if not self.world.cdns[target].paths(("x",)):
            return set()
        seen, versions = self.seen[target], self.world.targets[target].versions
        unlisted = {k for k, number in seen.late.items() if versions[k][-1].id == number and number not in seen.listed}
        return self.world.untold(target) - seen.harmless - unlisted

    def author(self, target: str, key: str) -> Run | None:
        """Return the run that wrote what is there now; None if it was somebody else."""
        return self.seen[target].authors.get(self.world.targets[target].versions[key][-1].id)

    def _put(self, run: Run, call: Call, seen: Seen) -> None:
        new, old = _last_two(self.world.targets[call.actor], call.key)
        seen.authors[new.id] = run
        body = new.body or b""
        if (call.key, hashlib.sha256(body).hexdigest()) not in run.proven:
            self._broke(run, call, "1: these bytes were not proven by this run")
        if old.body == body and not run.orders.force:
            self._broke(run, call, "2: written although it was that already")
        seen.strange.discard(call.key)
        seen.harmless.discard(call.key)
        if not self._holds(run, call.actor):
            seen.late[call.key] = new.id
            if old.body == body:
                seen.harmless.add(call.key)
        if self._holds(run, call.actor):
            self._noted(run, call, old, hashlib.md5(body).hexdigest())

    def _noted(self, run: Run, call: Call, old: Version, md5: str) -> None:
        noted = [line for line in self._open(call.actor) if line.run_id == run.name]
        silent = not self.world.cdns[call.actor].paths((call.key,))
        if not silent and not any(covers(line.paths, call.key) for line in noted):
            self._broke(run, call, "4: put before a receipt says that the CDN is to be told")
        if old.body is None and not any((call.key, md5) in line.puts for line in noted):
            self._broke(run, call, "4: a new key put before a receipt says so")

    def _deleted(self, run: Run, call: Call, seen: Seen) -> None:
        if self.world.targets[call.actor].versions[call.key][-2].id not in seen.listed:
            seen.harmless.add(call.key)
            if perhaps := [job.name for job in run.silent if claims(job, call.key)]:
                self._broke(run, call, f"5: deleted although {perhaps} may want it")
        if call.key in seen.manifest.files and call.key not in seen.strange and self._holds(run, call.actor):
            self._broke(run, call, "3: deleted while the manifest names it")
        noted = any(call.key == key for line in self._open(call.actor) for key, _ in (*line.deletes, *line.puts))
        if not noted and self._holds(run, call.actor):
            self._broke(run, call, "4: deleted before a receipt says so")

    def _swapped(self, run: Run, call: Call, seen: Seen) -> None:
        store = self.world.targets[call.actor]
        before, after = seen.manifest, Manifest.from_bytes(store.body(MANIFEST) or b"")
        seen.manifest = after
        seen.listed |= {entry.version_id for entry in after.files.values()}
        if after.generation != before.generation + 1:
            self._broke(run, call, f"5: generation {after.generation} follows {before.generation}")
        doubtful = set(seen.strange)
        if run.looked[call.actor] <= seen.meddled.get(MANIFEST, -1):
            doubtful |= before.files.keys() | after.files.keys()
        for key, entry in after.files.items():
            wrong = _not_in_place(store, key, entry)
            if wrong and key not in seen.strange and self._holds(run, call.actor):
                self._broke(run, call, f"3: {key} {wrong}")
            if not wrong and store.versions[key][-1].id == entry.version_id:
                seen.strange.discard(key)
        for key in sorted((before.files.keys() | after.files.keys()) - doubtful):
            self._entry(run, call, seen, key, before.files.get(key), after.files.get(key))
        for job in run.jobs.values():
            self._removed(run, call, job, before, after)

    def _entry(self, run: Run, call: Call, seen: Seen, key: str, old: Entry | None, new: Entry | None) -> None:
        if old == new:
            return
        entry = new or old
        assert entry is not None
        job = entry.job
        if job not in run.jobs:
            self._broke(run, call, f"5: {key} belongs to another job")
            return
        if key in run.refused:
            self._broke(run, call, f"6: {key} was refused")
        author = seen.authors.get(new.version_id or "") if new is not None else run
        if old is None or author is None or (new is not None and new.sha256 == old.sha256):
            return
        told = [each for each in (run, author) if each.orders.allow_rollback or each.orders.approve]
        changed = new is None and self.world.targets[call.actor].versions[key][-1].etag != old.etag
        if not told and not changed and self._goes_back(author, job, old, new if author is run else None):
            self._broke(run, call, f"7: {key} goes back from {old.source} to {new.source if new else 'nothing'}")
        approved = run.orders.approve or author.orders.approve
        if new is not None and not approved and _jumps(old.stats.entries or 0, new.stats.entries or 0):
            self._broke(run, call, f"7: {key} jumps from {old.stats.entries} to {new.stats.entries} entries")

    def _goes_back(self, author: Run, job: str, old: Entry, new: Entry | None) -> bool:
        """Tell whether `author` has taken a file back. What it put and another run lists counts as what it had read."""
        source = self.world.sources[job]
        assert isinstance(source, HistorySource)
        was = source.state(old.source.get("revision", ""))
        now = author.heads.get(job) if new is None else source.state(new.source.get("revision", ""))
        return was is not None and now is not None and not source.follows(now, was)

    def _removed(self, run: Run, call: Call, job: Job, before: Manifest, after: Manifest) -> None:
        mine = {key for key, entry in before.files.items() if entry.job == job.name}
        store = self.world.targets[call.actor]
        changed = {key for key in mine if store.versions[key][-1].etag != before.files[key].etag}
        gone = mine - after.files.keys()
        good = gone - changed  # what is not what was published may always be forgotten
        if good and not job.prune:
            self._broke(run, call, f"7: {sorted(gone)} removed by a job that does not prune")
        if perhaps := [key for key in gone if any(claims(other, key) for other in run.silent)]:
            self._broke(run, call, f"5: {perhaps} removed although another job may want it")
        if len(good) > max(1, len(mine) / 2) and not run.orders.approve:
            self._broke(run, call, f"7: {len(gone)} of {len(mine)} files of {job.name} removed at once")
        if good and (failed := [key for target, key in run.failed if target == call.actor and claims(job, key)]):
            self._broke(run, call, f"6: {sorted(good)} removed although {failed} could not be put: perhaps renamed")

    def _paged(self, run: Run, call: Call, seen: Seen, *, late: bool) -> None:
        if late or run.looked[call.actor] <= seen.meddled.get(MANIFEST, -1):
            return
        if wrong := wrong_with(self.world.targets[call.actor].versions[call.key], seen.manifest):
            self._broke(run, call, f"10: {wrong}")

    def _told(self, run: Run, call: Call) -> None:
        target = call.actor.removeprefix("cdn-")
        paths = self.world.cdns[target].accepted[call.key].paths
        noted = any((line.reference, line.paths) == (call.key, paths) for line in self._open(target))
        if not noted and self._holds(run, target):  # else another run has inherited it meanwhile
            self._broke(run, call, "4: the CDN was told under a reference that no open receipt has")

    def _leased(self, run: Run, call: Call) -> None:
        new, old = _last_two(self.world.targets[call.actor], call.key)
        now, last = Lease.from_bytes(new.body or b""), Lease.from_bytes(old.body or b"")
        if now is None or now.run_id != run.name:
            self._broke(run, call, "5: a lease for somebody else")
        elif last is not None and last.run_id != now.run_id:
            if now.fence <= last.fence:
                self._broke(run, call, "5: the fence does not grow")
            holder = self.runs.get(last.run_id)
            alive = holder is None or not holder.dead or holder.machine != run.machine
            if alive and not last.is_over(self.world.clock.now()):
                self._broke(run, call, f"5: took the lease that {last.run_id} still holds")
        elif last is not None and last.given_back and not now.given_back:
            self._broke(run, call, "5: renewed what was given back")

    def _holds(self, run: Run, target: str) -> bool:
        lease = Lease.from_bytes(self.world.targets[target].body(leases.KEY) or b"")
        over = lease is None or lease.given_back or self.world.clock.now() > lease.expires_at
        return lease is not None and not over and lease.run_id == run.name

    def _open(self, target: str) -> tuple[Line, ...]:
        return open_lines(self.world.targets[target])

    def _broke(self, run: Run, call: Call, why: str) -> None:
        self.broken.append(f"{why} ({run.name}: {call})")


def open_lines(store: MemoryTarget) -> tuple[Line, ...]:
    """Return the receipts that are open in `store`."""
    lines = json.loads(store.body(ledgers.KEY) or b'{"open": []}')["open"]
    pairs = [
        [tuple((str(key), str(etag)) for key, etag in line[what]) for what in ("deletes", "puts")] for line in lines
    ]
    return tuple(
        Line(line["reference"], line["run_id"], "", tuple(line["paths"]), deletes, puts=puts)
        for line, (deletes, puts) in zip(lines, pairs, strict=True)
    )


def held_keys(run: Run, target: str) -> set[str]:
    """Return the keys whose change `run` holds at `target`."""
    plans = [t.held for job in run.result.jobs for t in job.targets if t.target == target]
    return {change.key for plan in plans if plan is not None for change in plan.changes}


def held_plans(run: Run) -> frozenset[str]:
    """Return the ids of all plans that `run` holds."""
    plans = [t.held for job in run.result.jobs for t in job.targets]
    return frozenset(plan.id for plan in plans if plan is not None)


def deletes(run: Run) -> set[str]:
    """Return the keys that `run` planned to delete."""
    plans = [t.plan for job in run.result.jobs for t in job.targets]
    return {change.key for plan in plans for change in plan.changes if change.action is Action.DELETE}


def _not_in_place(store: MemoryTarget, key: str, entry: Entry) -> str:
    versions = store.versions.get(key, [])
    if not versions or versions[-1].body is None:
        return "is listed and not there"
    named = [number for number, version in enumerate(versions) if version.id == entry.version_id]
    if not named:
        return f"is listed in a version {entry.version_id} that never was"
    body = versions[named[0]].body or b""
    if hashlib.sha256(body).hexdigest() != entry.sha256:
        return "is listed with a digest that this version has not"
    return ""


def _last_two(store: MemoryTarget, key: str) -> tuple[Version, Version]:
    versions = store.versions[key]
    return versions[-1], versions[-2] if len(versions) > 1 else Version(None)


def _jumps(was: int, now: int) -> bool:
    much = abs(now - was) > was / 2 if was else True
    return (abs(now - was) > 1 and much) or (was > 0 and now == 0)
