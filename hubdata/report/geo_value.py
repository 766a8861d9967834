"""How two GeoIP databases differ, as a JSON value: the same in a comparison and in a plan."""

from typing import Any

from hubdata.model.geo import GeoDatabase, GeoDifference, Measure, Shift
from hubdata.report.geo_words import label

_DIGITS = 9


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
