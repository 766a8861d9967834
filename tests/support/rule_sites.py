"""Finds every rule id that the code of hubdata can put into a finding, by reading the code.

Kinds and grammars name the problem alone (`gather.error(line, "host-bits", ...)`), and the prefix is the kind's word;
everything else writes the id out. Where the problem is computed, `COMPUTED` says what it can be: a computed problem
that is not listed there is an error, so that no rule slips past the catalogue.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "hubdata"

_PROBLEM = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_ID = re.compile(r"[a-z]+(?:-[a-z]+)*\.[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_TAKERS = frozenset({"error", "warning", "add", "_error", "_warning"})
_FAMILIES = frozenset({"limits", "job", "file", "waiver", "source", "audit", "hub", "rewrite", "verify"})
"""Prefixes of ids that are written out; one beyond these must at least stand in a call of `Finding`."""

_RDNS = ("unanchored", "unescaped-dot", "open-domain", "rented", "unproven")
COMPUTED: dict[tuple[str, str], tuple[str, ...]] = {
    ("grammar/json_row.py", "err.problem"): (
        *("syntax", "not-an-object", "duplicate-key", "constant", "nesting", "surrogate", "trailing"),
    ),
    ("kinds/bots.py", "network"): (),  # a set of networks takes it, no finding
    ("kinds/bots.py", "problem"): (),  # handed on: the caller's literal counts
    ("kinds/bots.py", "f'rdns-{problem.rule}'"): tuple(f"rdns-{rule}" for rule in (*_RDNS, "final-dot")),
    ("kinds/json.py", "err.problem"): ("syntax", "duplicate-key", "constant", "nesting", "number"),
    ("kinds/map.py", "f'empty-{member.key}'"): ("empty-pattern", "empty-tag", "empty-type"),
    ("kinds/mmdb.py", "_rule(problem.problem)"): ("unreadable", "metadata", "tree", "pointer", "heavy", "data"),
    ("kinds/mmdb.py", "breach.problem"): (
        *("type", "ip-version", "languages", "build-epoch", "future", "too-old", "coverage", "canary"),
    ),
    ("kinds/modsec.py", "problem"): (),  # handed on
    ("kinds/modsec.py", "problem[0]"): ("blocks-all", "opens-all", "argument", "action", "phase", "id"),
    ("kinds/modsec.py", "*problem"): ("opens-all", "argument"),
    ("kinds/rdns_regexp.py", "told.rule"): (*_RDNS, "no-final-dot", "final-dot"),
}
"""What a computed problem can be, by file and expression."""


class Uncatalogued(AssertionError):
    """A place where the code computes a rule in a way this reader does not know."""


def emitted() -> frozenset[str]:
    """Return every rule id that the code can emit. Raises Uncatalogued where it cannot tell."""
    ids: set[str] = set()
    row_kinds: list[str] = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name.startswith(("rules/", "worker/")):  # the worker judges no file: what it says are events
            continue
        tree = ast.parse(path.read_text())
        if name.startswith("kinds/") and (kind := _kind(tree)):
            ids.update(f"{kind}.{problem}" for problem in _problems(name, tree))
            if "read_objects" in path.read_text():
                row_kinds.append(kind)
        elif name in {"grammar/lines.py", "grammar/line_faults.py", "grammar/whole_text.py"}:
            ids.update(f"text.{problem}" for problem in _problems(name, tree))
        elif name == "grammar/named.py":
            ids.update(f"limits.{problem}" for problem in _problems(name, tree))
        ids.update(_written_out(tree, _FAMILIES | {"gate"} if name == "running/gating.py" else _FAMILIES))
    row = ast.parse((PACKAGE / "grammar/json_row.py").read_text())
    ids.update(f"{kind}.{problem}" for kind in row_kinds for problem in _problems("grammar/json_row.py", row))
    return frozenset(ids)


def raised(file: str, error: str) -> frozenset[str]:
    """Return the first literal of each `error(...)` in `file`: what COMPUTED must list for it."""
    tree = ast.parse((PACKAGE / file).read_text())
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and _called(node) == error)
    literals = (call.args[0] for call in calls if call.args)
    return frozenset(lit.value for lit in literals if isinstance(lit, ast.Constant) and isinstance(lit.value, str))


def _kind(tree: ast.Module) -> str | None:
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and node.target.id == "name"
            and isinstance(node.value, ast.Constant)
        ):
            return str(node.value.value)
    return None


def _called(call: ast.Call) -> str:
    func = call.func
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _problems(file: str, tree: ast.Module) -> Iterator[str]:
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or _called(call) not in _TAKERS or len(call.args) < 2:
            continue
        literals = [literal for arg in call.args[:2] for literal in _literals(arg)]
        if literals:
            yield literals[0]
            yield from literals[1:2] if isinstance(call.args[1], ast.IfExp) else ()
            continue
        computed = [ast.unparse(arg) for arg in call.args[:2]]
        known = next((COMPUTED[file, text] for text in computed if (file, text) in COMPUTED), None)
        if known is None:
            raise Uncatalogued(f"{file}:{call.lineno}: {' or '.join(computed)} is computed: list it in COMPUTED")
        yield from known


def _literals(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and _PROBLEM.fullmatch(node.value):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _literals(node.body)
        yield from _literals(node.orelse)


def _written_out(tree: ast.Module, families: frozenset[str]) -> Iterator[str]:
    """Yield ids that stand in the code whole: of a known family anywhere, of any in a call of Finding."""
    events = {
        id(call.args[0])
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and _called(call) in {"Event", "emit"} and call.args
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in events:
            text = node.value
            if _ID.fullmatch(text) and text.partition(".")[0] in families:
                yield text
        if isinstance(node, ast.Call) and _called(node) == "Finding":
            rule = next(
                (k.value for k in node.keywords if k.arg == "rule"), node.args[2] if len(node.args) > 2 else None
            )
            if isinstance(rule, ast.Constant):
                yield str(rule.value)
