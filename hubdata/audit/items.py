"""What the hub's items say of data files: what they download, under which name, as what, and what they do with it."""

from collections.abc import Iterable
from dataclasses import dataclass

from hubdata.audit.expressions import Use, uses
from hubdata.grammar.data_entries import Entry, data_entries, unreadable
from hubdata.grammar.yaml_text import Mapping, Node, YamlProblem, documents, scalars
from hubdata.model.finding import Finding


@dataclass(frozen=True, slots=True)
class Used:
    """One use of a file, and the line where the expression begins."""

    line: int
    use: Use


@dataclass(frozen=True, slots=True)
class Item:
    """One document of a hub file that downloads or uses data. `hot`: its expressions are asked for every event."""

    key: str
    name: str
    line: int
    entries: tuple[Entry, ...]
    uses: tuple[Used, ...]
    hot: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """The items of one file, and what is wrong with their form."""

    items: tuple[Item, ...]
    findings: tuple[Finding, ...]


def read_items(key: str, body: bytes) -> Read:
    """Return the items of one file; every fault in it is a finding."""
    try:
        found = documents(body)
    except YamlProblem as err:
        return Read((), (unreadable(key, err.line, str(err)),))
    items: list[Item] = []
    findings: list[Finding] = []
    for document in found:
        if isinstance(document, Mapping):
            entries = tuple(data_entries(key, document, findings))
            used = tuple(_uses(document))
            if entries or used:
                items.append(Item(key, document.text("name"), document.line, entries, used, _is_hot(key)))
    return Read(tuple(items), tuple(findings))


def _is_hot(key: str) -> bool:
    """Tell whether an engine asks these expressions often: all but those for what has overflowed already."""
    return not {"postoverflows", "contexts", "notifications"} & set(key.split("/"))


def _uses(document: Node) -> Iterable[Used]:
    found = (Used(scalar.line, use) for scalar in scalars(document) for use in uses(scalar.text))
    return sorted(dict.fromkeys(found), key=lambda used: (used.line, used.use.name))
