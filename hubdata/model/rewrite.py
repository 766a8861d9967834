"""What a rewrite of a hub did: which item names which address now, and which could not be changed."""

from dataclasses import dataclass

from hubdata.errors import Exit
from hubdata.model.finding import Finding, refuses


@dataclass(frozen=True, slots=True)
class Changed:
    """One `source_url`: the item, the line, and both addresses."""

    item: str
    line: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class RewriteResult:
    """A whole rewrite. `already` entries named the mirror before. Of a `dry_run` nothing was written.

    `indexed` counts the items whose digest in the hub's own index was made to fit.
    """

    hub: str
    base: str
    against: str
    items: int
    changed: tuple[Changed, ...] = ()
    already: int = 0
    indexed: int = 0
    findings: tuple[Finding, ...] = ()
    dry_run: bool = False
    elapsed_s: float = 0.0

    @property
    def exit_code(self) -> Exit:
        """Return REFUSED when an item still names an address that is not the mirror's, else FINE."""
        return Exit.REFUSED if refuses(self.findings) else Exit.FINE
