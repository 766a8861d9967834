"""A difference of meaning for a program: the same object in a plan and in a comparison."""

from collections.abc import Iterable, Mapping
from typing import Any

from hubdata.model.meaning import Difference, Origin, Space
from hubdata.report.geo_value import geo_json


def meaning_json(difference: Difference, most: int | None = None) -> dict[str, Any]:
    """Return one difference as a JSON value; of each list at most `most` members, beside how many there are."""
    networks, names = difference.networks, difference.names
    value: dict[str, Any] = {
        "equal": difference.equal,
        "bytes": {"before": difference.before, "after": difference.after},
        "networks": None,
        "names": None,
        "geo": None if difference.geo is None else geo_json(difference.geo),
    }
    if networks is not None:
        value["networks"] = {
            "gained_count": networks.gained_count,
            "lost_count": networks.lost_count,
            "gained_space": _space(networks.gained_space),
            "lost_space": _space(networks.lost_space),
            "before": _space(networks.before),
            "after": _space(networks.after),
            "gained": _networks(networks.gained[:most], networks.origins),
            "lost": _networks(networks.lost[:most], networks.origins),
        }
    if names is not None:
        value["names"] = {
            "gained_count": len(names.gained),
            "lost_count": len(names.lost),
            "changed_count": len(names.changed),
            "reordered": names.reordered,
            "before": names.before,
            "after": names.after,
            "gained": list(names.gained[:most]),
            "lost": list(names.lost[:most]),
            "changed": [{"name": each.name, "old": each.old, "new": each.new} for each in names.changed[:most]],
        }
    return value


def _space(space: Space) -> dict[str, int]:
    return {"ipv4_addresses": space.ipv4_addresses, "ipv6_64s": space.ipv6_64s}


def _networks(networks: Iterable[str], origins: Mapping[str, Origin]) -> list[dict[str, Any]]:
    found = []
    for network in networks:
        origin = origins.get(network)
        told = (
            {}
            if origin is None
            else {
                "country": origin.country or None,
                "asn": origin.asn,
                "organisation": origin.organisation or None,
                "whole": origin.whole,
            }
        )
        found.append({"network": network, **told})
    return found
