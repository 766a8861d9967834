"""A type word becomes its adapter, and an adapter's settings become its own checked `Options`.

Adapters are named by import path and imported when first asked for: a run pays only for what its jobs use. This table
is the only list of adapters; a new one is its file, its test and one line here. Words that are not in it are looked for
among what other packages bring (`extensions.py`), and only then.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

from hubdata import tables
from hubdata.errors import ConfigError
from hubdata.model.secret import names_secret, redact
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.extensions import Extension

SOURCES: Mapping[str, str] = {
    "git": "hubdata.sources.git:GitSource",
    "directory": "hubdata.sources.directory:DirectorySource",
    "maxmind": "hubdata.sources.maxmind.source:MaxmindSource",
    "dbip": "hubdata.sources.dbip:DbipSource",
    "ipinfo": "hubdata.sources.ipinfo:IpinfoSource",
    "url": "hubdata.sources.url:UrlSource",
    "file": "hubdata.sources.file:FileSource",
    "http": "hubdata.sources.http.source:HttpSource",
    "hub": "hubdata.sources.hub.source:HubSource",
}
KINDS: Mapping[str, str] = {
    "cidr": "hubdata.kinds.cidr:CidrKind",
    "ip-exact": "hubdata.kinds.ip_exact:IpExactKind",
    "rdns-suffix": "hubdata.kinds.rdns_suffix:RdnsSuffixKind",
    "rdns-regexp": "hubdata.kinds.rdns_regexp:RdnsRegexpKind",
    "regexp": "hubdata.kinds.regexp:RegexpKind",
    "needle": "hubdata.kinds.needle:NeedleKind",
    "jsonl-uri": "hubdata.kinds.jsonl_uri:JsonlUriKind",
    "map": "hubdata.kinds.map:MapKind",
    "bots": "hubdata.kinds.bots:BotsKind",
    "modsec": "hubdata.kinds.modsec:ModsecKind",
    "phrases": "hubdata.kinds.phrases:PhrasesKind",
    "json": "hubdata.kinds.json:JsonKind",
    "opaque": "hubdata.kinds.opaque:OpaqueKind",
    "mmdb": "hubdata.kinds.mmdb:MmdbKind",
}
TARGETS: Mapping[str, str] = {
    "s3": "hubdata.targets.s3.target:S3Target",
    "directory": "hubdata.targets.directory:DirectoryTarget",
}
CDNS: Mapping[str, str] = {
    "cloudfront": "hubdata.cdns.cloudfront:CloudfrontCdn",
    "cloudflare": "hubdata.cdns.cloudflare:CloudflareCdn",
    "none": "hubdata.cdns.none:NoCdn",
}

OPTIONS: Mapping[str, str] = {
    "hubdata.sources.maxmind.source:MaxmindSource": "hubdata.sources.maxmind.options:MaxmindOptions",
}
"""Where the `Options` of an adapter are by themselves: a job is checked by every run, also by those that leave it."""

Place = tuple[str | int, ...]
"""Where a value lies in a table: keys and list indices."""


class Seam(StrEnum):
    """What an adapter stands for."""

    SOURCE = "source"
    KIND = "kind"
    TARGET = "target"
    CDN = "cdn"


TABLES: Mapping[Seam, Mapping[str, str]] = {
    Seam.SOURCE: SOURCES,
    Seam.KIND: KINDS,
    Seam.TARGET: TARGETS,
    Seam.CDN: CDNS,
}


@frozen
class Fault:
    """One thing wrong with a table of settings: where in it, what, and how to mend it."""

    path: Place
    message: str
    advice: str = ""


class OptionsError(ConfigError):
    """An adapter's settings cannot be used; `faults` names each of them."""

    def __init__(self, title: str, faults: tuple[Fault, ...]) -> None:
        lines = (f"{title}: {'.'.join(map(str, f.path))}: {f.message}" for f in faults)
        super().__init__("\n".join(lines), advice=" ".join(dict.fromkeys(f.advice for f in faults if f.advice)))
        self.faults = faults


def load(seam: Seam, word: str) -> type[Any]:
    """Return the adapter class that `word` stands for.

    Raises ConfigError when there is no such word, or the package that brings it cannot be used.
    """
    table = TABLES[seam]
    if word not in table:
        from hubdata.extensions import adapter as of_package

        for one in brought(seam):
            if one.word == word:
                return of_package(one)
        raise ConfigError(f"unknown {seam} `{word}`", advice=suggest(word, words(seam)))
    return _imported(table[word])


def _imported(path: str) -> type[Any]:
    module, _, name = path.partition(":")
    found: type[Any] = getattr(import_module(module), name)
    return found


def brought(seam: Seam) -> "tuple[Extension, ...]":
    """Return what other packages bring for `seam`, usable or not; looks into the metadata of every package."""
    from hubdata.extensions import extensions

    return extensions(seam, TABLES[seam])


def known(seam: Seam, word: str) -> bool:
    """Tell whether `word` stands for an adapter, be it one that cannot be used."""
    return word in TABLES[seam] or any(one.word == word for one in brought(seam))


def words(seam: Seam) -> tuple[str, ...]:
    """Return every word of `seam` that can be used, those of other packages too, sorted."""
    return tuple(sorted({*TABLES[seam], *(one.word for one in brought(seam) if not one.trouble)}))


def options_model(seam: Seam, word: str) -> type[tables.BaseModel]:
    """Return the pydantic model of an adapter's settings. Raises ConfigError when there is no such word."""
    alone = OPTIONS.get(TABLES[seam].get(word, ""))
    model: type[tables.BaseModel] = load(seam, word).Options if alone is None else _imported(alone)
    return model


def parse_options(seam: Seam, word: str, options: Mapping[str, Any], beside: Iterable[str] = ()) -> tables.BaseModel:
    """Return `options` as the adapter's own `Options`. `beside` are keys that stand in the same table for others.

    Raises OptionsError with every fault of the table, and ConfigError when there is no such word.
    """
    model = options_model(seam, word)
    try:
        return model.model_validate(dict(options))
    except tables.ValidationError as err:
        raise OptionsError(f"{seam} {word}", faults(err, model, beside)) from err


def faults(
    error: "tables.ValidationError", model: type[tables.BaseModel], beside: Iterable[str] = ()
) -> tuple[Fault, ...]:
    """Return what pydantic found against `model`, in our words and without any secret.

    `beside` are keys of the outermost table that the model does not know of.
    """
    from hubdata.tables.remedies import remedy  # wanted only when something is wrong

    found = []
    for item in error.errors(include_url=False, include_context=False):
        path = item["loc"]
        name = next((str(p) for p in reversed(path) if isinstance(p, str)), "")
        match item["type"]:
            case "extra_forbidden":
                keys = (*_keys_at(model, path[:-1]), *(beside if len(path) == 1 else ()))
                found.append(Fault(path, "unknown key", suggest(str(path[-1]), keys)))
            case "missing":
                found.append(Fault(path, "a required key is missing"))
            case "literal_error" | "enum":
                said = _in_toml_words(item["msg"]) + _found(name, item["input"])
                found.append(Fault(path, said, near(str(item["input"])[:100], re.findall(r"'([^']+)'", item["msg"]))))
            case "value_error":
                found.append(Fault(path, item["msg"].removeprefix("Value error, ")))
            case _:
                said = _in_toml_words(item["msg"]) + _found(name, item["input"])
                found.append(Fault(path, said, remedy(item["type"], item["msg"], item["input"])))
    return tuple(found)


def suggest(word: str, known: Iterable[str]) -> str:
    """Return advice for a word nobody knows: the nearest known one, or all of them."""
    words = sorted(set(known))
    return near(word, words) or (f"known are: {', '.join(words)}" if words else "")


def near(word: str, known: Iterable[str]) -> str:
    """Return advice that names the known word nearest to `word`; empty when none is near."""
    import difflib  # wanted only when something is wrong

    words = {name.lower(): name for name in sorted(known)}
    cutoff = 0.6 if len(word) > 3 else 0.5  # of two letters, one may be wrong
    found = difflib.get_close_matches(word.lower(), words, n=1, cutoff=cutoff)
    return f"did you mean `{words[found[0]]}`?" if found else ""


def _in_toml_words(message: str) -> str:
    """Return pydantic's message in the words of somebody who writes TOML."""
    for python, toml in _TOML_WORDS:
        message = re.sub(python, toml, message)
    return message


def _found(name: str, value: object) -> str:
    """Return `, found ...` for a value short and harmless enough to be shown."""
    if names_secret(name) or not isinstance(value, (str, int, float, bool)):
        return f", found {_TYPES.get(type(value), type(value).__name__)}"
    shown = repr(redact(name, value)) if isinstance(value, str) else repr(value)
    return f", found {shown[:60]}"


_TOML_WORDS = (
    (r"valid dictionary( or instance of \w+)?", "table"),
    (r"valid string", "text"),
    (r"valid (list|tuple)", "list"),
    (r"^Input should be", "expected"),
    (r"^(String|List|Tuple|Dictionary) should", "it should"),
    (r" after validation, not \d+", ""),
)
_TYPES: Mapping[type, str] = {dict: "a table", list: "a list", str: "a text", type(None): "nothing"}


def _keys_at(model: type[tables.BaseModel], path: Place) -> tuple[str, ...]:
    """Return the keys allowed at `path` below `model`; none when a path leaves what models describe."""
    annotation: Any = model
    for step in path:
        inner = _model_of(annotation)
        if inner is not None and isinstance(step, str):
            names = {field.alias or name: field for name, field in inner.model_fields.items()}
            if step not in names:
                return ()
            annotation = names[step].annotation
        else:
            inner_types = [each for each in get_args(_without_none(annotation)) if each is not Ellipsis]
            annotation = (inner_types or [None])[-1]
    last = _model_of(annotation)
    return () if last is None else tuple(field.alias or name for name, field in last.model_fields.items())


def _model_of(annotation: Any) -> type[tables.BaseModel] | None:
    plain = _without_none(annotation)
    return plain if isinstance(plain, type) and hasattr(plain, "model_fields") else None


def _without_none(annotation: Any) -> Any:
    """Return X for `X | None` and for X with remarks, and anything else as it is."""
    if get_origin(annotation) is Annotated:
        return _without_none(get_args(annotation)[0])
    if get_origin(annotation) is None or type(None) not in get_args(annotation):
        return annotation
    return next(a for a in get_args(annotation) if a is not type(None))
