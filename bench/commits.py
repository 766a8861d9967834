"""Commits as the data repository has them: the same sixty on every machine, on the real tree.

Kinds of change come as often as in its history of 149 (which files, how many lines, how many files at once): mostly a
line or a few in one small file, lists of networks that move by a few per cent, rewritten short lists, one release of
the rule set, one update of the large list of domains, files that are new, commits that touch no data, and reverts.
All are honest: nothing here is refused or held, which is why a tool that validates publishes the same as one that
does not.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.support import edits, year
from tests.support.edits import Edit
from tests.support.repos import Repo

LOG4J = "web/log4j2_cve_2021_44228.txt"
COUNT = 60
SEED = 9


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: what it is about, and what it does to a tree."""

    told: str
    edit: Callable[[Path], None]


def _of(told: str, edit: Edit) -> Commit:
    return Commit(told, lambda tree: edit(Repo(tree)))


def _cve(n: int) -> Commit:
    uri = f"/api/v9/probe{n}/run"
    return _of(
        "a CVE in the news",
        edits.several(
            edits.append(year.CVE_URIS, f'{{"cve":"CVE-2026-{3000 + n}","uri":"{uri}"}}'),
            edits.append(year.CVES, f"#cve-2026-{3000 + n}", uri),
        ),
    )


def _agent(n: int) -> Commit:
    name = f"EvilScanner9{n:03}"
    both = edits.append(year.AGENTS, name), edits.append(year.AGENT_PATTERNS, f"(?:\\b){name}(?:\\b)")
    return _of("a bad user agent", edits.several(*both))


def _gcore(n: int) -> Commit:
    four = edits.moved(year.GCORE4, 0.02, *(f"92.223.{n}.{host}/32" for host in range(1, 21)))
    six = edits.moved(year.GCORE6, 0.02, *(f"2a03:90c0:{n:x}::{host:x}/128" for host in range(1, 18)))
    return _of("a provider's networks move by 2 %", edits.several(four, six))


def _cookiebot(n: int) -> Commit:
    rows = (f"20.54.{n}.{host}" for host in range(1, 13))
    return _of("a list is replaced", edits.moved(year.COOKIEBOT, 1.0, f"# Updated: {n}", *rows))


def _rewritten(n: int) -> Commit:
    rows = (f"think.{n}{row}invokefunction9" for row in range(10))
    return _of("a short list is rewritten", edits.moved(year.THINKPHP, 0.5, *rows))


def _bot(n: int) -> Commit:
    body = f'{{"name":"newbot{n}","user_agent":"newbot{n}","rdns":["(^|\\\\.)crawl\\\\.newbot{n}\\\\.com$"]}}\n'
    return _of("a new file", edits.write(f"{year.LEGIT}/newbot{n}.json", body.encode()))


def _appended(told: str, key: str, *rows: str) -> Callable[[int], Commit]:
    return lambda n: _of(told, edits.append(key, *(row.format(n) for row in rows)))


REVERT = "a revert of the commit before"
KINDS: tuple[tuple[int, Callable[[int], Commit]], ...] = (
    (8, _cve),
    (5, _agent),
    (4, _gcore),
    (3, _appended("a crawler's name", year.SUFFIXES, ".crawl{}.coccoc.com.")),
    (4, _appended("sensitive files", year.SENSITIVE, ".backup{}.tgz", ".dump{}.tgz")),
    (4, _appended("backdoors", year.BACKDOORS, "wso-{}.php", "b374k-{}.php")),
    (3, _appended("an admin interface", year.ADMIN, "/manager9{}/")),
    (3, _appended("addresses of a provider", year.QUIC, "102.221.37.{}")),
    (3, _appended("a path traversal", year.TRAVERSAL, "..%25{}f..%252f")),
    (2, _appended("a lookup", LOG4J, "${{jndi:probe{}")),
    (3, _appended("an edge of a CDN", year.AWS4, "3.165.{}.0/24")),
    (2, _rewritten),
    (1, _cookiebot),
    (1, lambda _: _of("a list comes in another order", edits.reordered(year.GOOGLE4))),
    (1, _appended("the large list of domains", year.DOMAINS, *(f"mail{{}}-{row}.example" for row in range(400)))),
    (1, lambda _: _of("a release of the rule set", edits.release("appsec/crs", "4.15.0"))),
    (3, _bot),
    (6, lambda n: _of("no data: the README", edits.write("README.md", f"# Lists\n\nEdition {n}.\n".encode()))),
    (3, lambda _: Commit(REVERT, lambda _: None)),
)


def history() -> tuple[Commit, ...]:
    """Return all commits in order; a revert never comes first, nor twice in a row."""
    made = [kind(40 + number) for often, kind in KINDS for number in range(often)]
    draw = random.Random(SEED)
    draw.shuffle(made)
    reverts = [commit for commit in made if commit.told == REVERT]
    others = [commit for commit in made if commit.told != REVERT]
    for commit, place in zip(reverts, (12, 31, 50), strict=True):
        others.insert(place, commit)
    return tuple(others)


class Master:
    """The branch's tree, commit after commit."""

    def __init__(self, tree: Path) -> None:
        self.tree = tree
        self._before: dict[Path, bytes] = {}

    def commit(self, commit: Commit) -> int:
        """Make a commit. Returns how many files it changed."""
        held = self._files()
        if commit.told == REVERT:
            for path in held.keys() - self._before.keys():
                path.unlink()
            for path, body in self._before.items():
                if held.get(path) != body:
                    path.write_bytes(body)
        else:
            commit.edit(self.tree)
        self._before = held
        now = self._files()
        return sum(held.get(path) != now.get(path) for path in held.keys() | now.keys())

    def _files(self) -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in self.tree.rglob("*") if path.is_file()}
