"""A verification for a program: one JSON object, also the `verify` of a run's."""

from typing import Any

from hubdata.model.verification import Discrepancy, FamilyView, Verification
from hubdata.report.json import dumps
from hubdata.report.redaction import redact


def verify_json(result: Verification) -> str:
    """Return a verification as one JSON object."""
    return dumps(verification_value(result))


def verification_value(result: Verification) -> dict[str, Any]:
    """Return a verification as plain values."""
    return {
        "exit_code": int(result.exit_code),
        "elapsed_s": round(result.elapsed_s, 3),
        "notices": [redact(notice) for notice in result.notices],
        "url": redact(result.url),
        "against": redact(result.against),
        "generation": result.generation,
        "files": result.files,
        "published": result.published,
        "seed": result.seed,
        "looks": result.looks,
        "waited_s": result.waited_s,
        "families": [_view(view) for view in result.views],
    }


def _view(view: FamilyView) -> dict[str, Any]:
    return {
        "family": view.family.value,
        "well": view.well,
        "address": view.address,
        "generation": view.generation,
        "files": view.files,
        "requests": view.requests,
        "bytes": view.bytes,
        "elapsed_s": view.elapsed_s,
        "findings": [_finding(finding) for finding in view.findings],
    }


def _finding(finding: Discrepancy) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "family": finding.family.value,
        "key": finding.key,
        "url": redact(finding.url),
        "expected": redact(finding.expected),
        "found": redact(finding.found),
        "advice": redact(finding.advice),
        "passing": finding.passing,
    }
