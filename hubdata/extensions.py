"""Adapters that other packages bring, by entry points: `hubdata.kinds`, `.sources`, `.targets` and `.cdns`.

They are looked for when settings name a word that hubdata itself does not know, and by commands that list them: a
plain run asks for nothing. A package cannot take the place of a built-in adapter, nor of another package's: whose code
judges and publishes must be plain from the settings. What it brings is held against its port before it is used, so
that what is missing is told with the package's name, and not by a traceback in the middle of a run.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from operator import attrgetter
from typing import Any

from pydantic import BaseModel

from hubdata import ports, tables
from hubdata.errors import ConfigError, HubdataError

GROUPS: Mapping[str, type] = {
    "kind": ports.Kind,
    "source": ports.Source,
    "target": ports.Target,
    "cdn": ports.Cdn,
}
"""Each seam, and what its adapters must be; its entry points are `hubdata.` and the seam's name with an s."""

_MADE_WITH: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "kind": (("options",), ()),
    "source": (("options", "context"), ()),
    "target": (("name", "options"), ()),
    "cdn": (("name", "options"), ("key_prefix", "reporter", "patience")),
}
"""What an adapter's class is called with: by place, and by name."""

_WORD = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_MAX_WORD = 64
_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*", re.ASCII)
_MAX_SAID = 300


@dataclass(frozen=True, slots=True)
class Extension:
    """One adapter of a package. `trouble` is why it cannot be used, empty when nothing is known to be wrong with it."""

    seam: str
    word: str
    package: str
    path: str
    trouble: str = ""


def extensions(seam: str, built_in: Iterable[str]) -> tuple[Extension, ...]:
    """Return all that packages bring for `seam`, by word. Nothing of them is imported."""
    taken = frozenset(built_in)
    found = [_judged(each, taken) for each in _found(seam, tuple(sys.path))]
    by_word: dict[str, set[str]] = {}
    for each in found:
        by_word.setdefault(each.word, set()).add(each.package)
    return tuple(_shared(each, by_word[each.word]) for each in sorted(found, key=lambda e: (e.word, e.package)))


def adapter(one: Extension) -> type[Any]:
    """Return the class that `one` names, held against its port.

    Raises ConfigError, which names the package, when it cannot be imported or is not what its seam wants.
    """
    if one.trouble:
        raise _error(one, one.trouble)
    module, _, name = one.path.partition(":")
    try:
        found = attrgetter(name)(import_module(module))
    except (KeyboardInterrupt, HubdataError):
        raise
    except BaseException as err:
        raise _error(one, f"{one.path} cannot be imported ({type(err).__name__}: {_line(str(err))})") from err
    faults = tuple(_faults(one.seam, found))
    if faults:
        raise _error(one, f"{one.path} is no {one.seam}: {'; '.join(faults)}")
    assert isinstance(found, type)  # noqa: S101 - else that was a fault
    _in_use[module.partition(".")[0]] = one.package
    return found


_in_use: dict[str, str] = {}
"""The packages whose adapters were loaded, by the name of their top module."""


def at_fault(err: BaseException) -> str | None:
    """Return the package whose code raised `err`, or called what did; None where it was none of those in use."""
    frame, found = err.__traceback__, None
    while frame is not None:
        top = str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
        found = _in_use.get(top, found)
        frame = frame.tb_next
    return found


@cache
def _found(seam: str, _where: tuple[str, ...]) -> tuple[Extension, ...]:
    """Return the entry points of a seam, each once however often its package's metadata is found."""
    from importlib.metadata import distributions

    found: dict[tuple[str, str, str], Extension] = {}
    seen: set[str] = set()
    for distribution in distributions():
        name = _name(distribution)
        if name.lower() in seen:  # a path behind has it again: the first one is what is imported
            continue
        seen.add(name.lower())
        package = f"{_line(name)} {_line(_version(distribution))}".rstrip()
        for point in _points(distribution, f"hubdata.{seam}s"):
            one = Extension(seam, point.name, package, point.value)
            found.setdefault((one.word, one.package, one.path), one)
    return tuple(found.values())


def _points(distribution: Any, group: str) -> Iterator[Any]:
    """Return a package's entry points of `group`; none where its metadata cannot be read."""
    try:
        yield from distribution.entry_points.select(group=group)
    except Exception:  # noqa: BLE001 - somebody else's broken metadata: it brings nothing
        return


def _name(distribution: Any) -> str:
    try:
        return str(distribution.metadata["Name"] or "(a package without a name)")
    except Exception:  # noqa: BLE001 - as above
        return "(a package without metadata)"


def _version(distribution: Any) -> str:
    try:
        return str(distribution.version or "")
    except Exception:  # noqa: BLE001 - as above
        return ""


def _judged(one: Extension, built_in: frozenset[str]) -> Extension:
    """Return `one` with what is wrong with its name, if anything; a name that is none is shown as text."""
    trouble = ""
    if len(one.word) > _MAX_WORD or not _WORD.fullmatch(one.word):
        trouble = "its name is none: expected lower-case letters, digits and hyphens, 64 at most"
    elif one.word in built_in:
        trouble = f"hubdata has a {one.seam} of this name, and no package takes its place"
    elif not _PATH.fullmatch(one.path):
        trouble = f"{_line(one.path)!r} does not name a class: expected module:Class"
    return Extension(one.seam, one.word, one.package, one.path, trouble) if trouble else one


def _shared(one: Extension, packages: set[str]) -> Extension:
    if one.trouble or len(packages) == 1:
        return one
    trouble = f"several packages bring it: {', '.join(sorted(packages))}"
    return Extension(one.seam, one.word, one.package, one.path, trouble)


def _error(one: Extension, what: str) -> ConfigError:
    name = _line(one.word) if one.word.isprintable() else ascii(_line(one.word))
    return ConfigError(
        f"{one.seam} `{name}` of the package {one.package}: {what}",
        advice=f"remove the package ({one.package}), or have its maker mend it: docs/plugins.md",
    )


def _faults(seam: str, found: object) -> Iterator[str]:
    """Return what keeps `found` from being an adapter of `seam`, as far as can be told without making one."""
    if not isinstance(found, type):
        yield f"expected a class, found {type(found).__name__}"
        return
    options = getattr(found, "Options", None)
    if not (isinstance(options, type) and issubclass(options, (BaseModel, tables.BaseModel))):
        yield "it has no `Options`, a pydantic model"
    elif options.model_config.get("extra") != "forbid":
        yield '`Options` must refuse unknown keys: model_config = ConfigDict(extra="forbid")'
    by_place, by_name = _MADE_WITH[seam]
    if not _takes(found, len(by_place), by_name):
        wanted = ", ".join((*by_place, *(f"{name}=..." for name in by_name)))
        yield f"it cannot be made with ({wanted})"
    for name, wanted_member in _members(GROUPS[seam]):
        if isinstance(wanted_member, property):
            if not _has(found, name):
                yield f"it has no `{name}`"
        elif not callable(getattr(found, name, None)):
            yield f"it has no method `{name}`"
        elif not _fits(getattr(found, name), wanted_member, bound=isinstance(wanted_member, classmethod)):
            yield f"`{name}` cannot be called as the port has it"


def _has(found: type, name: str) -> bool:
    """Tell whether instances have an attribute: the class has it, promises it, or its `__init__` speaks of it."""
    if hasattr(found, name):
        return True
    for each in found.__mro__:
        code = getattr(vars(each).get("__init__"), "__code__", None)
        if name in vars(each).get("__annotations__", {}) or (code is not None and name in code.co_names):
            return True
    return False


def _members(port: type) -> Iterator[tuple[str, Any]]:
    """Return what a port asks for: its methods and properties."""
    for name, member in vars(port).items():
        if not name.startswith("_") and (callable(member) or isinstance(member, (property, classmethod))):
            yield name, member


def _fits(method: Callable[..., Any], wanted: Any, *, bound: bool) -> bool:
    """Tell whether `method` takes what callers of `wanted` give it."""
    plain = wanted.__func__ if isinstance(wanted, classmethod) else wanted
    given = list(inspect.signature(plain).parameters.values())[bound:]
    by_place = sum(each.kind is not inspect.Parameter.KEYWORD_ONLY for each in given)
    return _takes(method, by_place, tuple(e.name for e in given if e.kind is inspect.Parameter.KEYWORD_ONLY))


def _takes(call: Callable[..., Any], by_place: int, by_name: Iterable[str]) -> bool:
    try:
        inspect.signature(call).bind(*range(by_place), **dict.fromkeys(by_name))
    except TypeError:
        return False
    except ValueError:  # it is not written in Python, and does not tell
        return True
    return True


def _line(text: str) -> str:
    flat = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return flat if len(flat) <= _MAX_SAID else flat[:_MAX_SAID] + "..."
