"""A look-up for a program: one JSON object, with every record whole."""

import math
from collections.abc import Mapping
from typing import Any

from hubdata.model.lookup import Answer, LookedUp, LookupResult, Whereabouts
from hubdata.report.json import dumps
from hubdata.report.redaction import redact


def lookup_json(result: LookupResult) -> str:
    """Return a look-up as one JSON object; what is not known is null, or empty text."""
    return dumps(
        {
            "exit_code": int(result.exit_code),
            "elapsed_s": round(result.elapsed_s, 3),
            "notices": [redact(notice) for notice in result.notices],
            "databases": [
                {"name": each.name, "database_type": each.database_type, "build_epoch": each.build_epoch}
                for each in result.databases
            ],
            "addresses": [_address(address) for address in result.addresses],
        }
    )


def plain_value(value: object) -> Any:
    """Return what a record holds as JSON can: bytes in hexadecimal, and numbers that are none as text."""
    if isinstance(value, Mapping):
        return {str(key): plain_value(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_value(item) for item in value]
    if isinstance(value, bytes | bytearray):
        return value.hex()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _address(address: LookedUp) -> dict[str, Any]:
    return {
        "ip": address.ip,
        "found": address.found,
        "network": address.network,
        **_whereabouts(address.whereabouts),
        "answers": [_answer(answer) for answer in address.answers],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "database": answer.database,
        "found": answer.record is not None,
        "network": answer.network,
        **_whereabouts(answer.whereabouts),
        "record": plain_value(answer.record),
        "problem": answer.problem,
    }


def _whereabouts(found: Whereabouts) -> dict[str, Any]:
    return {
        "country": found.country,
        "country_name": found.country_name,
        "city": found.city,
        "asn": found.asn,
        "organisation": found.organisation,
    }
