"""The kind `rdns-suffix`: ends of reverse-DNS names that an engine lets in (`reverse name endsWith row`).

The one safe form is `.name.tld.`. Without its first dot a row also matches the longer names that anyone can register
(`googlebot.com.` is the end of `evilgooglebot.com.`); without its last dot, or in capitals, it never matches.
"""

import re
from typing import ClassVar

from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.lines import Row, read_rows
from hubdata.grammar.named import named_rows
from hubdata.grammar.rdns_names import RENTED, is_public_suffix
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

_NAME = re.compile(
    r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*"
)


class RdnsSuffixKind:
    """Domains with a dot before and behind, one a line."""

    name: ClassVar[str] = "rdns-suffix"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 4 << 20

    class Options(BaseModel):
        """Nothing to set."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about the domains in `body`."""
        rows, findings = read_rows(artifact.key, body)
        gather = Gather(artifact.key, self.name)
        for row in gather.patient(rows):
            _judge(row, gather)
        few = too_few(artifact.key, len(rows), demands.limits)
        named = named_rows(artifact.key, (row.text for row in rows), demands.limits)
        return Verdict(gather.findings([*findings, *few, *named]), Stats(len(rows)))


def _judge(row: Row, gather: Gather) -> None:
    text = row.text
    domain = text.removeprefix(".").removesuffix(".")
    if domain and not _NAME.fullmatch(domain):
        gather.error(
            row.number,
            "syntax",
            f"{shown(text)} is not the end of a host name",
            "write it as .name.tld. without spaces, patterns or a comment behind it",
        )
        return
    right = f".{domain.lower()}."
    if not domain or is_public_suffix(domain):
        gather.error(
            row.number,
            "too-broad",
            f"{shown(text)} is the end of names that anyone can register",
            "name the owner's own domain, as .googlebot.com.",
        )
        return
    if not text.startswith("."):
        gather.error(
            row.number,
            "no-leading-dot",
            f"{shown(text)} is also the end of `evil{domain}.`, which anyone can register",
            f"write {right}",
        )
    if not text.endswith("."):
        gather.error(
            row.number, "no-final-dot", f"{shown(text)} never matches: names end with a dot here", f"write {right}"
        )
    if domain != domain.lower():
        gather.error(
            row.number, "case", f"{shown(text)} never matches: names are compared in lower case", f"write {right}"
        )
    rented = next((name for name in RENTED if f".{name}.".endswith(right)), None)
    if rented is not None:
        gather.error(
            row.number,
            "rented",
            f"{shown(text)} is the end of `{rented}.`: whoever rents an address or a name there has one",
            "name the owner's own domain",
        )
