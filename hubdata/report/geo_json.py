"""How two GeoIP databases differ, for a program: one JSON object."""

from hubdata.model.geo import GeoComparison
from hubdata.report.geo_value import geo_json
from hubdata.report.json import dumps, findings_rows
from hubdata.report.redaction import redact


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
