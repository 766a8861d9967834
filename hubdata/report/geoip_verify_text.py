"""A verification for a person: what each database is and holds, then what is wrong with it and where."""

from collections.abc import Mapping

from hubdata.errors import Exit
from hubdata.mmdb.described import Described
from hubdata.mmdb.policy import built_at, ipv4_share, ipv6_share
from hubdata.model.finding import refuses
from hubdata.model.snapshot import Stats
from hubdata.model.validation import CheckedFile, ValidationResult
from hubdata.report import wording
from hubdata.report.terminal import Page, Screen, Style, plain
from hubdata.report.text import findings
from hubdata.report.wording import counted, size


def verification_text(
    result: ValidationResult,
    databases: Mapping[str, Described],
    screen: Screen,
    *,
    verbose: bool = False,
    quiet: bool = False,
) -> str:
    """Return a verification as text. `quiet` says nothing when nothing is refused."""
    page = Page(screen)
    for file in () if quiet else result.files:
        _file(page, file, databases.get(file.key))
    findings(page, result.all_findings, verbose=verbose, quiet=quiet)
    if not quiet or result.exit_code is not Exit.FINE:
        _last(page, result)
    return page.text()


def _file(page: Page, file: CheckedFile, found: Described | None) -> None:
    refused = refuses(file.findings)
    verdict = page.screen.paint("refused" if refused else "sound", Style.RED if refused else Style.GREEN)
    page.line(f"{page.screen.paint(plain(file.key), Style.BOLD)}: {verdict}")
    for name, text in () if found is None else _told(found, file.stats):
        page.line(f"{name:<9} {plain(text)}", indent=2)
    page.blank()


def _told(found: Described, stats: Stats) -> list[tuple[str, str]]:
    said, built = found.metadata, built_at(found.metadata)
    family = "IPv6, with IPv4 in it" if said.ip_version == 6 else "IPv4 alone"
    rows = [
        ("type", f"{said.database_type} ({family})"),
        ("built", f"{built:%Y-%m-%d %H:%M} UTC" if built else "at no time"),
        ("size", f"{size(found.size)}, {counted(said.node_count, 'node')} of {said.record_size}-bit records"),
    ]
    if said.languages:
        rows.append(("languages", ", ".join(said.languages)))
    if stats.entries is not None:
        rows.append(("networks", f"{stats.entries:,} with a record"))
    if stats.ipv4_addresses is not None:
        share = f"{ipv4_share(stats.ipv4_addresses):.2%} of all"
        rows.append(("IPv4", f"{counted(stats.ipv4_addresses, 'address', 'addresses')}, {share}"))
    if stats.ipv6_64s is not None:
        share = f"{ipv6_share(stats.ipv6_64s):.2%} of what registries were given"
        rows.append(("IPv6", f"{counted(stats.ipv6_64s, '/64 network')}, {share}"))
    return rows


def _last(page: Page, result: ValidationResult) -> None:
    page.blank()
    fine = result.exit_code is Exit.FINE
    summary = wording.validation_summary(result)
    end = "" if fine else f" (exit {int(result.exit_code)}: what is refused is not for publishing)"
    page.prose(f"{summary[:1].upper()}{summary[1:]}{end}", Style.BOLD, Style.GREEN if fine else Style.RED)
