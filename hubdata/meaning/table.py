"""The meaning of a file by its kind; of a kind that is not listed here only the bytes are known.

The reading is the kinds' own (`hubdata.grammar`), without their judgement: a published file may be one that today
would be refused, and is compared all the same.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping

from hubdata.grammar.lines import read_rows
from hubdata.grammar.whole_text import read_text
from hubdata.meaning import lists, objects, seclang
from hubdata.model.meaning import Meaning, Names, Networks
from hubdata.ports import Body

Rows = Iterable[str]

_LISTS: Mapping[str, Callable[[Body], tuple[Networks, Names] | None]] = {
    "cidr": lists.network_list,
    "ip-exact": lists.address_list,
}
_OBJECTS: Mapping[str, Callable[[Rows], tuple[Networks, Names]]] = {"bots": objects.crawlers}
_NAMES: Mapping[str, Callable[[Rows], Names]] = {
    "rdns-suffix": lists.texts,
    "rdns-regexp": lists.texts,
    "regexp": lists.texts,
    "needle": lists.texts,
    "phrases": lists.phrases,
    "jsonl-uri": objects.probes,
    "map": objects.answers,
}


def is_understood(kind: str) -> bool:
    """Tell whether more of such a file is known than its bytes: only then is it worth reading."""
    return kind in _LISTS or kind in _OBJECTS or kind in _NAMES or kind in ("modsec", "json")


def meaning_of(kind: str, body: Body) -> Meaning:
    """Return what `body` means as `kind`. Never raises, whatever the bytes.

    A page of HTML, or a file with more lines than any list may have, has no meaning but its bytes.
    """
    size, sha256 = len(body), hashlib.sha256(body).hexdigest()
    if kind in _LISTS:
        listed = _LISTS[kind](body)
        return Meaning(size, sha256) if listed is None else Meaning(size, sha256, *listed)
    if kind in _OBJECTS or kind in _NAMES:
        found, _ = read_rows("", body)
        if not found.lines and size:
            return Meaning(size, sha256)
        rows = (row.text for row in found)
        if kind in _NAMES:
            return Meaning(size, sha256, names=_NAMES[kind](rows))
        networks, names = _OBJECTS[kind](rows)
        return Meaning(size, sha256, networks, names)
    if kind == "modsec":
        text, _ = read_text("", body)
        return Meaning(size, sha256, names=None if text is None else seclang.directives(text))
    if kind == "json":
        return Meaning(size, _same_json(body) or sha256)
    return Meaning(size, sha256)


def _same_json(body: Body) -> str | None:
    """Return a digest that JSON documents of the same value share; None where `body` is none."""
    try:
        value = json.loads(bytes(body))
        return hashlib.sha256(objects.canonical(value).encode(errors="surrogatepass")).hexdigest()
    except (ValueError, RecursionError):
        return None
