"""What a record says of an address in the words people ask for: country, system, organisation.

MaxMind and DB-IP nest these (`country.iso_code`), IPinfo writes them flat (`country_code`, `asn = "AS15169"`). A record
may hold anything, so a field of another type than expected is a field that is not there.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from hubdata.model.lookup import Whereabouts

_SYSTEM = re.compile(r"AS([0-9]{1,10})")


def whereabouts(record: object) -> Whereabouts:
    """Return what `record` tells; where it names no country, the one in which the network is registered."""
    if not isinstance(record, Mapping):
        return Whereabouts()
    place = _table(record, "country") or _table(record, "registered_country")
    traits = {**_table(record, "traits"), **record}
    return Whereabouts(
        country=_text(place, "iso_code") or _text(record, "country_code"),
        country_name=_english(place) or _text(record, "country"),
        city=_english(_table(record, "city")) or _text(record, "city"),
        asn=_system(traits),
        organisation=_text(traits, "autonomous_system_organization") or _text(record, "as_name"),
    )


def together(parts: Iterable[Whereabouts]) -> Whereabouts:
    """Return what several records tell together, the first to know a thing being believed."""
    known = tuple(parts)
    place = next((part for part in known if part.country or part.country_name), Whereabouts())
    owner = next((part for part in known if part.asn is not None or part.organisation), Whereabouts())
    return Whereabouts(
        country=place.country,
        country_name=place.country_name,
        city=next((part.city for part in known if part.city), ""),
        asn=owner.asn,
        organisation=owner.organisation,
    )


def _system(traits: Mapping[str, Any]) -> int | None:
    number = traits.get("autonomous_system_number")
    if type(number) is int:
        return number
    flat = _SYSTEM.fullmatch(_text(traits, "asn"))
    return int(flat[1]) if flat else None


def _english(table: Mapping[str, Any]) -> str:
    return _text(_table(table, "names"), "en")


def _table(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _text(record: Mapping[str, Any], key: str) -> str:
    value = record.get(key)
    return value if isinstance(value, str) else ""
