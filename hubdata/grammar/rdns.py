r"""Tells whether a pattern for reverse-DNS names lets in names that anybody can register.

Danger is proven, not guessed: from the pattern a name is built that it matches, but whose registrable domain is not
the one the pattern is about; the engine's own dialect confirms the match; and the name is put into the message.
`^crawl-[0-9]+.googlebot\.com\.$` matches `crawl-0xgooglebot.com.`, which is for sale. A dot left unescaped between
labels below the registrable domain opens nothing and is a warning, as is a pattern that can never match. A pattern of
which no name can be built is refused: nobody knows whom it lets in.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from hubdata.grammar.gather import shown
from hubdata.grammar.go_regexp import matches
from hubdata.grammar.rdns_names import RENTED, is_host_name, registrable
from hubdata.grammar.regexp_shape import MAX_SPELLINGS, Atom, Part, Spelling, bare_dots, spellings
from hubdata.model.finding import Severity

_ALPHABET = "a0xb1cdefghijklmnopqrstuvwyz23456789-_.A"
_FOREIGN = "attacker.com"
_TOPS = ("com", "xyz")
_FILLS = ("x", "0", "xx", "attacker", "xyz", "com", "x.attacker", "x.attacker.com", "x.attacker.com.")
_PREFIXES = ("x", "x-")
_MAX_TRIES = 2_000
_MAX_NAME = 254

_Which = Callable[[Atom], bool]


class RdnsProblem(NamedTuple):
    """One thing wrong with a pattern; `rule` is without the kind's name."""

    rule: str
    severity: Severity
    message: str
    advice: str


NEVER_MATCHES = ("no-final-dot", "final-dot")
"""The rules of patterns that match no name an engine would ask about."""


def rdns_labour(pattern: str) -> int:
    """Return what `rdns_problems` costs for `pattern`, in refusals of a row (`Gather.spend`), as measured."""
    ways = min(1 << min(pattern.count("|"), 5), MAX_SPELLINGS)
    classes = pattern.count("[")  # each is asked which characters of names it holds
    return 4 + ways + min(len(pattern) // 8, 100) + pattern.count(".") // 4 + classes


@lru_cache(maxsize=2048)
def rdns_problems(pattern: str, final_dot: bool) -> tuple[RdnsProblem, ...]:
    """Return what is wrong with `pattern`, which compiles, as a pattern for the names of visitors.

    `final_dot` tells how the engine spells names here: `a.example.net.` (RegexpInFile) or `a.example.net` (bots).
    Rules: unanchored, unescaped-dot, open-domain, rented, no-final-dot or final-dot, unproven.
    """
    probe = _Probe(pattern, final_dot)
    if not probe.bases:
        return (*_rented(pattern, final_dot), _unproven(pattern))
    found = [*probe.unanchored(), *probe.open_domain()]
    refused = any(p.severity is Severity.ERROR for p in found)
    found += probe.unescaped_dots(already_refused=refused)
    if not any(p.severity is Severity.ERROR for p in found):
        found += _rented(pattern, final_dot)
    return (*found, *probe.never_matches())


class _Probe:
    """A pattern with the plain names it was written for (`bases`), each confirmed by the engine."""

    def __init__(self, pattern: str, final_dot: bool) -> None:
        self.pattern = pattern
        self.end = "." if final_dot else ""
        self.tries = 0
        plain = [(way, _spelled(way)) for way in spellings(pattern)]
        self.bases = [(way, name) for way, name in plain if len(name) <= _MAX_NAME and self.matches(name)]

    def matches(self, name: str) -> bool:
        self.tries += 1
        return self.tries <= _MAX_TRIES and matches(self.pattern, name)

    def is_foreign(self, name: str, base: str) -> bool:
        """Tell whether a matching `name` is one that an engine could see and another than `base`'s owner could hold."""
        if name.endswith(".") is not bool(self.end) or not is_host_name(name):
            return False
        same_top = _top(name) in (_top(base), *_TOPS)
        return same_top and registrable(name) != registrable(base) and self.matches(name)

    def _tail(self, base: str) -> str:
        """Return `base` with somebody else's domain behind it."""
        name = f"{base.rstrip('.')}.{_FOREIGN}{self.end}"
        return f"x{name}" if base.startswith(".") else name.lstrip(".")

    def unanchored(self) -> Iterator[RdnsProblem]:
        for way, base in self.bases:
            tail = self._tail(base)
            if self.matches(tail):
                yield self._unanchored("end", tail)
                return
            if _starts_anchored(way) or base.startswith(".") or not any(self.matches(p + base) for p in _PREFIXES):
                continue
            prefixed = (prefix + name for name in (base, *_varied(way, _is_open)) for prefix in _PREFIXES)
            yield self._unanchored("start", next((n for n in prefixed if self.is_foreign(n, base)), None))
            return

    def _unanchored(self, where: str, foreign: str | None) -> RdnsProblem:
        advice = f"anchor it: {shown(self._mended())}"
        said = f"{shown(self.pattern)} is not anchored at the {where}"
        if foreign is None:
            return RdnsProblem("unanchored", Severity.WARNING, f"{said}; no harm found in it", advice)
        seen = foreign if foreign.isprintable() else ascii(foreign)[1:-1]
        message = f"{said}, and matches `{seen}`: anyone can register {registrable(foreign)}"
        return RdnsProblem("unanchored", Severity.ERROR, message, advice)

    def unescaped_dots(self, *, already_refused: bool) -> Iterator[RdnsProblem]:
        dots = bare_dots(self.pattern)
        if not dots:
            return
        said = f"{len(dots)} unescaped dots" if len(dots) > 1 else "one unescaped dot"
        advice = f"write {shown(self._mended())}"
        foreign = self._foreign(_is_bare_dot)
        if foreign is None:
            message = f"{said} in {shown(self.pattern)}, found harmless: no name that others can hold matches"
            yield RdnsProblem("unescaped-dot", Severity.WARNING, message, advice)
            return
        severity = Severity.WARNING if already_refused else Severity.ERROR
        message = (
            f"{said} in {shown(self.pattern)}: it matches `{foreign}`, and anyone can register {registrable(foreign)}"
        )
        yield RdnsProblem("unescaped-dot", severity, message, advice)

    def open_domain(self) -> Iterator[RdnsProblem]:
        foreign = self._foreign(_is_wildcard)
        if foreign is not None:
            yield RdnsProblem(
                "open-domain",
                Severity.ERROR,
                f"{shown(self.pattern)} leaves the domain open and matches `{foreign}`:"
                f" anyone can register {registrable(foreign)}",
                r"spell the registrable domain out, with a dot before it: `^[a-z0-9-]+\.example\.net`",
            )

    def _foreign(self, which: _Which) -> str | None:
        for way, base in self.bases:
            for name in _varied(way, which):
                if self.is_foreign(name, base):
                    return name
        return None

    def never_matches(self) -> Iterator[RdnsProblem]:
        names = [name for way, base in self.bases for name in (base, *_varied(way, _is_open))]
        names += [self._tail(base) for _, base in self.bases]
        if any(name.endswith(".") is bool(self.end) and self.matches(name) for name in names):
            return
        if self.end:
            message = f"{shown(self.pattern)} can never match: names end with a dot here"
            yield RdnsProblem("no-final-dot", Severity.WARNING, message, r"end it with `\.$`")
        else:
            message = f"{shown(self.pattern)} can never match: names have no final dot here"
            yield RdnsProblem("final-dot", Severity.WARNING, message, "end it with `$` right after the last label")

    def _mended(self) -> str:
        """Return the pattern as it was most likely meant."""
        dots = set(bare_dots(self.pattern))
        text = "".join(f"\\{char}" if at in dots else char for at, char in enumerate(self.pattern))
        start = "" if text.startswith(("^", r"\A", "(^", "(?:^", r"\.")) else "^"
        body = text.removesuffix("$")
        if self.end and not body.endswith(r"\."):
            body += r"\."
        return f"{start}{body}$"


def _starts_anchored(way: Spelling) -> bool:
    return bool(way) and way[0].part is Part.NOTHING and way[0].text in ("^", r"\A")


def _is_open(atom: Atom) -> bool:
    return atom.open


def _is_bare_dot(atom: Atom) -> bool:
    return atom.bare_dot


def _is_wildcard(atom: Atom) -> bool:
    return atom.open and not atom.bare_dot


def _spelled(way: Spelling) -> str:
    """Return a plain name of one way through a pattern, each bare dot taken for a dot."""
    return "".join(_plain(atom) for atom in way)


def _varied(way: Spelling, which: _Which) -> Iterator[str]:
    """Yield names that differ from the plain one in a single atom that `which` picks."""
    plain = [_plain(atom) for atom in way]
    for place, atom in enumerate(way):
        if which(atom):
            before, after = "".join(plain[:place]), "".join(plain[place + 1 :])
            fills = ("x",) if atom.bare_dot else (*_FILLS, *_runs(atom))
            for fill in fills if atom.least else (*fills, ""):
                yield f"{before}{fill}{after}"


def _plain(atom: Atom) -> str:
    if atom.part is Part.NOTHING:
        return ""
    if atom.part is Part.LITERAL or atom.bare_dot:
        return atom.text
    return _runs(atom)[0]


def _runs(atom: Atom) -> tuple[str, ...]:
    """Return the shortest runs (of one at least) that an atom stands for, one for each of its characters."""
    count = 0 if atom.most == 0 else min(max(atom.least, 1), 64)
    return tuple(char * count for char in _members(atom.text))


@lru_cache(maxsize=256)
def _members(source: str) -> tuple[str, ...]:
    """Return up to three characters of names that a class holds, letters and digits first."""
    return tuple([char for char in _ALPHABET if matches(f"^(?:{source})$", char)][:3]) or ("a",)


def _top(name: str) -> str:
    return name.rstrip(".").rpartition(".")[2]


def _rented(pattern: str, final_dot: bool) -> list[RdnsProblem]:
    for name in RENTED:
        seen = f"{name}." if final_dot else name
        if matches(pattern, seen):
            message = f"{shown(pattern)} matches `{seen}`: whoever rents an address or a name there has one"
            return [RdnsProblem("rented", Severity.ERROR, message, "name the owner's own domain")]
    return []


def _unproven(pattern: str) -> RdnsProblem:
    message = f"{shown(pattern)}: no name that it matches could be built, so what it lets in is not proven"
    advice = r"write it plainly: `^[a-z0-9-]+\.example\.net`, without flags, word bounds and repeats of groups"
    return RdnsProblem("unproven", Severity.ERROR, message, advice)
