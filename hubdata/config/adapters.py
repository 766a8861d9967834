"""Hold an adapter's table against the adapter: its word, its options, and the paths among them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

from hubdata.errors import ConfigError
from hubdata.plugins import Fault, OptionsError, Place, Seam, known, near, options_model, parse_options, suggest, words


def adapter_faults(
    seam: Seam,
    word: str,
    options: Mapping[str, Any],
    place: Place,
    options_place: Place | None = None,
    *,
    beside: Iterable[str] = ("type",),
) -> Iterator[Fault]:
    """Return what is wrong with an adapter's word, whose key is at `place`, or with its options.

    The options lie beside the word, and beside other keys, unless `options_place` says where.
    """
    if not known(seam, word):
        yield Fault(place, f"unknown {seam} `{word}`", suggest(word, words(seam)))
        return
    try:
        parse_options(seam, word, options, beside if options_place is None else ())
    except OptionsError as err:
        around = place[:-1] if options_place is None else options_place
        for fault in err.faults:
            yield Fault((*around, *fault.path), fault.message, fault.advice)
    except ConfigError as err:  # the package that brings it is at fault
        yield Fault(place, str(err), err.advice)


def mistyped_type(table: Mapping[str, Any], place: Place) -> Iterator[Fault]:
    """Return the key of a table without `type` that was meant to be it, if one was: no adapter can tell."""
    for key in table:
        if "type" not in table and near(key, ["type"]):
            yield Fault((*place, key), "unknown key", near(key, ["type"]))


def with_absolute_paths(
    seam: Seam, word: str, options: Mapping[str, Any], base_of: Callable[[str], Path]
) -> dict[str, Any]:
    """Return `options` with each path (as the adapter's model says) made absolute from the base of its key."""
    fields = options_model(seam, word).model_fields
    paths = {f.alias or name for name, f in fields.items() if Path in (f.annotation, *get_args(f.annotation))}
    return {
        key: str(absolute(value, base_of(key))) if key in paths and isinstance(value, str) else value
        for key, value in options.items()
    }


def absolute(text: str, base: Path) -> Path:
    """Return the path that `text` names when written in a file below `base`; `~` is the user's home."""
    path = Path(text)
    if text.startswith("~"):
        with suppress(RuntimeError):  # no such user, or no home: then it is a name that begins with a tilde
            path = path.expanduser()
    return base.absolute() / path
