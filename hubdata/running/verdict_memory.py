"""Remember verdicts: a file that was judged before, by the same code and the same demands, is not judged again.

What stands in for `Kind.check` is its own answer of an earlier run. It is found by a digest of everything that the
answer can depend on: the SHA-256 and length of the bytes that were just read, the key, the kind's word, class and
options, the limits and canaries, and the code that judges. That nothing else can have played a part is not believed
but seen to: a kind whose verdicts are remembered is shown nothing else, neither the time nor where a file came from.
Only kinds that ask for it are (`Lasting`). Sizes, waivers, groups, limits and gates are applied afterwards, as ever.
"""

import hashlib
import json
from binascii import b2a_base64
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime
from pathlib import Path
from sys import modules
from typing import Any

from hubdata.model.event import Event
from hubdata.model.finding import Finding, Severity
from hubdata.model.job import FileRule
from hubdata.model.references import References
from hubdata.model.snapshot import Artifact, Digests, Stats
from hubdata.ports import Body, Demands, Kind, Reporter, Verdict
from hubdata.transfer.code_digest import code_now, package_code
from hubdata.transfer.verdict_file import MAX_AGES, Known, VerdictFile, Verdicts

MAX_TEXT = 1 << 16
"""A verdict that takes more characters is not kept: hundreds of findings are rare, and judged again."""

Telling = Callable[[str], bytes | None]
"""Returns the verdict of a name as JSON text, if somebody has told it just now."""

_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
NOWHERE = Path("/nonexistent")
"""The directory of a memory that is of use to one process alone; and what a kind is shown of paths."""

_NO_STATS = astuple(Stats())


class VerdictMemory:
    """What was judged before, and what was judged now. Threads may share it.

    `blind` recalls nothing, but keeps what is judged: for a run that is to look at everything anew.
    Without a `directory` nothing is kept: only what others tell meanwhile is known.
    """

    def __init__(self, directory: Path | None, version: str, *, blind: bool = False) -> None:
        self.remembered = 0
        self.judged = 0
        self.helped = 0
        self._version = version
        self._keeps = directory is not None
        self._file = VerdictFile(directory or NOWHERE, version)
        self._held = self._file.load()
        self._found = [Verdicts()] if blind else [self._held]
        self._plain: dict[int, Verdict] = {}
        self._used: Known = {}
        self._new: dict[str, Any] = {}
        self._told: Telling | None = None

    def listen(self, told: Telling) -> bool:
        """Tell whether nothing is known from before; then ask by `told` what is known by others meanwhile."""
        cold = not self._found[0].ages
        self._told = told if cold else None
        return cold

    def remembering(self, kind: Kind, rule: FileRule) -> Kind:
        """Return `kind` as one that need not look twice, if its verdicts last and all that it is can be named."""
        if vars(type(kind)).get("lasting") is not True:  # said of this very class: who inherits may judge otherwise
            return kind
        module = type(kind).__module__
        code = "" if module.partition(".")[0] == "hubdata" else package_code(modules[module])
        if code is None:
            return kind
        who = (self._version, code, module, type(kind).__qualname__, rule.kind, _canonical(rule.options))
        return Remembering(kind, self, who)

    def recall(self, name: str, key: str) -> Verdict | None:
        """Return the verdict that is called `name`, as one on `key`; None when there is none."""
        for age in self._found[0].ages:
            index = age.get(name)
            if type(index) is int and 0 <= index < len(self._held.texts):
                verdict = self._plain.get(index) or decoded(self._held.texts[index], key)
                if verdict is not None:
                    self._used[name] = index
                    self.remembered += 1
                    if not verdict.findings:  # most are so, and many are alike
                        self._plain[index] = verdict
                return verdict
        return None

    def hear(self, name: str, key: str) -> Verdict | None:
        """Return the verdict that is called `name`, as another process has found it just now; None if none has."""
        text = None if self._told is None else self._told(name)
        if text is None or len(text) > MAX_TEXT:
            return None
        try:
            known = json.loads(text)
        except (ValueError, RecursionError):
            return None
        verdict = decoded(known, key)
        if verdict is not None:
            self.judged += 1
            self.helped += 1
            if self._keeps:
                self._new[name] = known
        return verdict

    def taken(self) -> Mapping[str, Any]:
        """Return by name what was judged since this was last asked, as JSON values; it is kept no longer."""
        new, self._new = self._new, {}
        return new

    def keep(self, name: str, key: str, verdict: Verdict) -> None:
        """Take note of a verdict on `key`, unless it would not come back just the same."""
        self.judged += 1
        if not self._keeps:
            return
        text = encoded(verdict, key)
        packed = json.dumps(text)
        if len(packed) <= MAX_TEXT and decoded(json.loads(packed), key) == verdict:
            self._new[name] = text

    def save(self) -> str:
        """Write it all for the next run, if anything is new; return why that cannot be, or nothing.

        Nothing is written when the code that is installed is no longer the code that judged.
        """
        if not self._new or code_now() != self._version:
            return ""
        texts, fresh = [*self._held.texts, *self._new.values()], dict(self._used)
        fresh.update((name, len(self._held.texts) + number) for number, name in enumerate(self._new))
        older = [{k: i for k, i in age.items() if k not in fresh} for age in self._held.ages]
        return self._file.save(Verdicts(texts, [fresh, *older][:MAX_AGES]))

    @property
    def notices(self) -> tuple[str, ...]:
        """Return what a person should hear of it."""
        return (self._file.trouble,) if self._file.trouble else ()

    def close(self, reporter: Reporter) -> None:
        """Write what is new, and tell how many verdicts were known."""
        told = {"remembered": self.remembered, "judged": self.judged}
        told |= {"helped": self.helped} if self.helped else {}
        reporter.emit(Event("verdicts.used", told))
        if unsaved := self.save():
            reporter.emit(Event("verdicts.lost", {"because": unsaved}))


class Remembering:
    """A kind, and the memory that is asked first. `own` tells that it is hubdata's, and no plug-in's."""

    def __init__(self, kind: Kind, memory: VerdictMemory, who: tuple[str, ...]) -> None:
        self.own = not who[1]
        self._kind = kind
        self._memory = memory
        self._who = who
        self._grounds: dict[tuple[int, int], tuple[bytes, Demands]] = {}

    @property
    def content_type(self) -> str:
        """Return the kind's own."""
        return self._kind.content_type

    @property
    def max_bytes(self) -> int:
        """Return the kind's own."""
        return self._kind.max_bytes

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return what the kind finds, having been shown the key, the bytes and what they are held to; nothing else."""
        shown = replace(artifact, path=NOWHERE, content_type="", cache_control="", source={})
        return self._kind.check(shown, body, replace(demands, checked_at=_NO_TIME))

    def verdict(self, artifact: Artifact, body: Body, digests: Digests, demands: Demands) -> Verdict:
        """Return the verdict on `body`, which has these `digests`: as it was found before, or as it is found now."""
        name = self._name(artifact, digests, demands)
        known = self._memory.recall(name, artifact.key) or self._memory.hear(name, artifact.key)
        if known is None:
            known = self.check(artifact, body, demands)
            self._memory.keep(name, artifact.key, known)
        return known

    def _name(self, artifact: Artifact, digests: Digests, demands: Demands) -> str:
        """Return a digest of all that the verdict depends on."""
        what = f"{digests.sha256} {artifact.size} {artifact.key}".encode("utf-8", "surrogatepass")
        return b2a_base64(hashlib.sha256(self._ground(demands) + what).digest(), newline=False).decode()

    def _ground(self, demands: Demands) -> bytes:
        """Return a digest of what is the same for all files of a rule."""
        place = (id(demands.limits), id(demands.canaries))
        cached = self._grounds.get(place)
        if cached is None:
            held_to = _canonical({"limits": asdict(demands.limits), "canaries": [asdict(c) for c in demands.canaries]})
            digest = hashlib.sha256(json.dumps([*self._who, held_to]).encode()).digest()
            cached = self._grounds[place] = (digest, demands)  # held, so that nothing else gets these ids
        return cached[0]


def encoded(verdict: Verdict, key: str) -> Any:
    """Return a verdict on `key` as JSON holds it; findings about the file itself do not name it."""
    stats, refs = verdict.stats, verdict.references
    findings = [
        [
            None if f.key == key else f.key,
            f.line,
            f.rule,
            str(f.severity),
            f.message,
            f.advice,
            f.column,
            f.waived,
            f.offset,
        ]
        for f in verdict.findings
    ]
    return [findings, list(astuple(stats)), None if refs is None else [refs.ids, refs.phrase_files]]


def decoded(text: Any, key: str) -> Verdict | None:
    """Return the verdict that `text` tells of `key`; None when it is not one."""
    try:
        findings, counted, refs = text
        if len(counted) != len(_NO_STATS) or not all(each is None or type(each) is int for each in counted):
            return None
        return Verdict(
            tuple(_finding(each, key) for each in findings),
            Stats(*counted),
            None if refs is None else References(_pairs(refs[0], int, int), _pairs(refs[1], str, int)),
        )
    except (TypeError, ValueError, LookupError):
        return None


def _finding(text: Any, key: str) -> Finding:
    of, line, rule, severity, message, advice, column, waived, offset = text
    numbers, words = (line, column, offset), (key if of is None else of, rule, message, advice, waived)
    if not all(n is None or type(n) is int for n in numbers) or not all(type(word) is str for word in words):
        raise TypeError("not a finding")
    return Finding(words[0], line, rule, Severity(severity), message, advice, column, waived, offset)


def _pairs(rows: Any, first: type, second: type) -> tuple[tuple[Any, Any], ...]:
    pairs = tuple((a, b) for a, b in rows)
    if not all(type(a) is first and type(b) is second for a, b in pairs):
        raise TypeError("not a reference")
    return pairs


def _canonical(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, default=repr)
