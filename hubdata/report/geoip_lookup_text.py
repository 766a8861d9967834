"""A look-up for a person: an address, and a line for each database that knows it."""

import json
from pathlib import PurePosixPath

from hubdata.model.lookup import Answer, LookedUp, LookupResult, Whereabouts
from hubdata.report.geoip_lookup_json import plain_value
from hubdata.report.redaction import redact
from hubdata.report.terminal import Page, Screen, Style, plain

_UNTOLD = "a record without country or system (-v shows it)"


def lookup_text(result: LookupResult, screen: Screen, *, verbose: bool = False, quiet: bool = False) -> str:
    """Return a look-up as text; with `verbose` every record whole. `quiet` leaves the notices out."""
    page = Page(screen)
    if not quiet:
        for notice in result.notices:
            page.prose(plain(redact(notice)), Style.CYAN, first="note: ")
        page.blank()
    for address in result.addresses:
        _address(page, address, verbose=verbose)
    return page.text()


def _address(page: Page, address: LookedUp, *, verbose: bool) -> None:
    # `::1` at a line's start would be taken from its meaning, as an order to a CI service has to be.
    page.line(f"0{address.ip}" if address.ip.startswith("::") else address.ip, Style.BOLD)
    told = [answer for answer in address.answers if answer.record is not None or answer.problem]
    names = {answer.database: plain(PurePosixPath(answer.database).stem) for answer in address.answers}
    wide = max((len(names[answer.database]) for answer in told), default=0)
    networks = max((len(answer.network) for answer in told), default=0)
    for answer in told:
        name = f"{names[answer.database]:<{wide}}"
        if answer.problem:
            page.line(f"{name}  {page.screen.paint(plain(answer.problem), Style.RED)}", indent=2)
            continue
        page.line(f"{name}  {answer.network:<{networks}}  {_told(answer.whereabouts)}", indent=2)
        if verbose:
            _record(page, answer)
    silent = [names[answer.database] for answer in address.answers if answer not in told]
    if silent:
        page.line(f"no record in {', '.join(silent)}", Style.DIM, indent=2)


def _told(found: Whereabouts) -> str:
    place = " ".join(filter(None, (found.country, found.country_name)))
    place = ", ".join(filter(None, (place, found.city)))
    system = "" if found.asn is None else f"AS{found.asn}"
    owner = " ".join(filter(None, (system, found.organisation)))
    return plain("; ".join(filter(None, (place, owner)))) or _UNTOLD


def _record(page: Page, answer: Answer) -> None:
    for line in json.dumps(plain_value(answer.record), indent=2, ensure_ascii=False).splitlines():
        page.line(plain(line), Style.DIM, indent=4)
