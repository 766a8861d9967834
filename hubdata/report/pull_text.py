"""A pull for a person: what changed in the checkout and what that means, then what was left as it was."""

from hubdata.errors import Exit
from hubdata.model.comparison import FileDifference
from hubdata.model.pull import PullResult
from hubdata.report import pull_words as words
from hubdata.report.diff_text import MOST, add_difference
from hubdata.report.redaction import redact
from hubdata.report.terminal import Page, Screen, Style, plain
from hubdata.report.text import findings
from hubdata.report.wording import meaning


def pull_text(result: PullResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a pull as text. `quiet` says nothing when all is well."""
    page = Page(screen)
    if not quiet:
        for notice in result.changes.notices:
            page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
        for file in result.files:
            _file(page, file, "", verbose=verbose)
    for file in result.held_files:
        _file(page, file, ", held", verbose=verbose)
    findings(page, result.findings, verbose=verbose, quiet=quiet)
    if result.problem is not None:
        page.blank()
        page.prose(plain(words.left(result)[0].why), Style.RED, first="error: ")
        page.prose(plain(words.left(result)[0].advice), Style.DIM, first="advice: ")
    if result.held is not None:
        page.blank()
        page.line(f"held, to be looked at; if it is meant, run it again with {words.approval(result)}", Style.YELLOW)
    for id_ in result.unknown_plans:
        page.line(f"no plan of this run has the id {id_}", Style.YELLOW)
    if not quiet or result.exit_code is not Exit.FINE:
        page.blank()
        page.prose(f"{plain(words.sentence(result))}, in {result.elapsed_s:.1f} s", Style.BOLD)
        if result.exit_code is not Exit.FINE:
            page.line(meaning(result.exit_code), Style.DIM)
    return page.text()


def _file(page: Page, file: FileDifference, note: str, *, verbose: bool) -> None:
    name = page.screen.paint(plain(file.key), Style.BOLD)
    page.line(f"{name} ({plain(file.kind)}, {file.state.value}{note})")
    add_difference(page, file.difference, indent=2, most=None if verbose else MOST)
    page.blank()
