"""How two GeoIP databases differ, for a program: one JSON object."""

from typing import Any

from hubdata.model.geo import GeoComparison, GeoDatabase, GeoDifference, Measure, Shift
from hubdata.report.geo_words import label
from hubdata.report.json import dumps, findings_rows
from hubdata.report.redaction import redact

_DIGITS = 9


def geo_comparison_json(result: GeoComparison) -> str:
    """Return a comparison as one JSON object; `difference` is null when a side is refused."""
    return dumps(
        {
            "exit_code": int(result.exit_code),
            "elapsed_s": round(result.elapsed_s, 3),
            "notices": [redact(notice) for notice in result.notices],
            "old": redact(result.old),
            "new": redact(result.new),
            "findings": findings_rows(result.findings),
            "difference": None if result.difference is None else geo_json(result.difference),
        }
    )


def geo_json(difference: GeoDifference) -> dict[str, Any]:
    """Return a difference as a JSON value. Shares are of 1; a move's `old` or `new` is null where there was none."""
    return {
        "old": _database(difference.old),
        "new": _database(difference.new),
        "displaced": round(difference.displaced, _DIGITS),
        "measures": [
            {
                "measure": movement.measure.value,
                "displaced": round(movement.displaced, _DIGITS),
                "ipv4": _shift(movement.four, movement.measure, "addresses"),
                "ipv6": _shift(movement.six, movement.measure, "64s"),
            }
            for movement in difference.movements
        ],
    }


def _database(found: GeoDatabase) -> dict[str, Any]:
    return {"database_type": found.database_type, "build_epoch": found.build_epoch}


def _shift(shift: Shift, measure: Measure, unit: str) -> dict[str, Any]:
    amounts = {"same": shift.same, "changed": shift.changed, "gained": shift.gained, "lost": shift.lost}
    return {
        "unit": unit,
        "before": shift.before,
        "after": shift.after,
        "known": shift.known,
        **amounts,
        "shares": {name: round(shift.part(amount), _DIGITS) for name, amount in amounts.items()},
        "displaced": round(shift.displaced, _DIGITS),
        "move_count": shift.move_count,
        "moves": [
            {
                "old": label(measure, move.old) if move.old else None,
                "new": label(measure, move.new) if move.new else None,
                "amount": move.amount,
            }
            for move in shift.moves
        ],
    }
