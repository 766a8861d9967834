"""A rewrite for a person: what was left as it is, and how much was changed; each change with `-v` or as a dry run."""

from hubdata.errors import Exit
from hubdata.model.rewrite import RewriteResult
from hubdata.report.redaction import redact
from hubdata.report.terminal import Page, Screen, Style, plain
from hubdata.report.text import findings
from hubdata.report.wording import counted


def rewrite_text(result: RewriteResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a rewrite as text. `quiet` says nothing when all items name the mirror."""
    page = Page(screen)
    if verbose or result.dry_run:
        for each in result.changed:
            page.line(f"{plain(each.item)}:{each.line}", Style.BOLD)
            page.line(f"  - {plain(redact(each.old))}", Style.RED)
            page.line(f"  + {plain(redact(each.new))}", Style.GREEN)
    findings(page, result.findings, verbose=verbose, quiet=True)
    if not quiet or result.exit_code is not Exit.FINE:
        said = _summary(result)
        page.prose(said, Style.BOLD, Style.GREEN if result.exit_code is Exit.FINE else Style.RED)
    return page.text()


def _summary(result: RewriteResult) -> str:
    did = "Would rewrite" if result.dry_run else "Rewrote"
    files = len({each.item for each in result.changed})
    left = sum(finding.rule == "rewrite.unpublished" for finding in result.findings)
    parts = [
        f"{did} {counted(len(result.changed), 'address', 'addresses')} in {counted(files, 'file')} to {result.base}",
        f"{result.already:,} named it before",
        *([f"{left:,} left as they are"] if left else []),
        *([f"{counted(result.indexed, 'digest')} in .index.json"] if result.indexed else []),
    ]
    end = "" if result.exit_code is Exit.FINE else " (exit 3: see the findings)"
    return ", ".join(parts) + end
