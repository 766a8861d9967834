"""A plan: the fewest changes that make one target hold one job's snapshot, fit to be reviewed and approved by id."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import field
from enum import StrEnum

from hubdata.model.inventory import Stored
from hubdata.values import frozen


class Action(StrEnum):
    """What a change does to its key."""

    PUT = "put"
    DELETE = "delete"


class Reason(StrEnum):
    """Why a change is needed."""

    NEW = "new"
    CHANGED = "changed"
    DRIFTED = "drifted"
    """The object is not what the manifest says: somebody overwrote it."""
    LOST = "lost"
    """The manifest names it, but the store no longer has it."""
    FORCED = "forced"
    WITHDRAWN = "withdrawn"
    """A rollback took these bytes back: no approval from before that lets them out again."""
    REMOVED = "removed"


@frozen
class Change:
    """One key to put or delete. `planned_etag` is what the store held when this was planned; None: nothing.

    `size` and `sha256` are of the new bytes; of the old ones for a delete.
    """

    action: Action
    key: str
    reason: Reason
    size: int
    sha256: str
    planned_etag: str | None


@frozen
class Plan:
    """What one job would change at one target.

    `adopted` objects are right already and only enter the manifest. `forgotten` keys only leave it: what lies there, if
    anything, is not what was published, and the source no longer has what was.
    """

    job: str
    target: str
    changes: tuple[Change, ...] = ()
    adopted: Mapping[str, Stored] = field(default_factory=dict)
    unchanged: int = 0
    forgotten: frozenset[str] = frozenset()

    @property
    def id(self) -> str:
        """Return the SHA-256 (hex) of the plan's canonical form: the same plan has the same id on any machine."""
        form = {
            "job": self.job,
            "target": self.target,
            "changes": [[c.action, c.key, c.reason, c.size, c.sha256, c.planned_etag] for c in self.changes],
            "adopted": sorted([key, s.size, s.etag] for key, s in self.adopted.items()),
            **({"forgotten": sorted(self.forgotten)} if self.forgotten else {}),
        }
        return hashlib.sha256(json.dumps(form, sort_keys=True).encode()).hexdigest()

    @property
    def empty(self) -> bool:
        """Tell that the target already is what the job wants, manifest included."""
        return not self.changes and not self.adopted and not self.forgotten

    @property
    def puts(self) -> tuple[Change, ...]:
        """Return the changes that upload."""
        return tuple(c for c in self.changes if c.action is Action.PUT)

    @property
    def deletes(self) -> tuple[Change, ...]:
        """Return the changes that delete."""
        return tuple(c for c in self.changes if c.action is Action.DELETE)

    @property
    def bytes(self) -> int:
        """Return how many bytes the puts upload."""
        return sum(c.size for c in self.puts)
