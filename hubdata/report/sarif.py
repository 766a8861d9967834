"""A result for code scanning: one SARIF 2.1.0 log, as GitHub and other services take it from any tool.

Every finding is a result at the line it was found on; a waived one is a suppressed result, so that nobody has to
accept it twice. Fingerprints leave the line out: a finding stays the same when lines above it come and go.
ASCII only, so that no locale can break it. Format: OASIS SARIF 2.1.0; what GitHub reads of it: docs.github.com, "SARIF
support for code scanning".
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from hubdata import __version__
from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.rule import Rule
from hubdata.model.validation import ValidationResult
from hubdata.report.json import dumps
from hubdata.report.redaction import redact

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_MAX_RESULTS = 25_000
"""As many as GitHub takes of one run; it refuses a log with more, so the worst come first and the rest is counted."""


def validation_sarif(result: ValidationResult) -> str:
    """Return a validation as one SARIF log."""
    return findings_sarif(result.all_findings, result.exit_code, notices=result.notices, base=result.base)


def findings_sarif(
    findings: Iterable[Finding], exit_code: Exit, *, notices: tuple[str, ...] = (), base: str = ""
) -> str:
    """Return `findings` as one SARIF log; `base` is what their keys begin with, seen from the repository's root."""
    ordered = sorted(findings, key=lambda f: list(_LEVEL).index(f.severity))
    kept, more = ordered[:_MAX_RESULTS], len(ordered) - _MAX_RESULTS
    said = [*notices, *([f"{more:,} more findings are left out here"] if more > 0 else [])]
    rules = {rule: index for index, rule in enumerate(sorted({f.rule for f in kept}))}
    invocation: dict[str, Any] = {"executionSuccessful": True, "exitCode": int(exit_code)}
    if said:
        invocation["toolExecutionNotifications"] = [
            {"level": "note", "message": {"text": redact(text)}} for text in said
        ]
    run = {
        "tool": {
            "driver": {
                "name": "hubdata",
                "version": __version__,
                "rules": [_rule(rule, kept) for rule in rules],
            }
        },
        "invocations": [invocation],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository that holds the data."}}},
        "columnKind": "unicodeCodePoints",
        "results": _results(kept, rules, base),
    }
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]})


def _rule(rule_id: str, findings: Iterable[Finding]) -> dict[str, Any]:
    from hubdata.rules import BY_ID

    worst = next(f.severity for f in findings if f.rule == rule_id)
    described = {"id": rule_id, "defaultConfiguration": {"level": _LEVEL[worst]}}
    rule = BY_ID.get(rule_id)
    return described if rule is None else described | _described(rule)


def _described(rule: Rule) -> dict[str, Any]:
    return {
        "shortDescription": {"text": _sentence(rule.engine)},
        "fullDescription": {"text": rule.engine},
        "help": {"text": f"{rule.engine}\n\nTo mend it: {rule.mend}"},
    }


def _sentence(text: str) -> str:
    first = text.split(". ", 1)[0].rstrip(".")
    return first + "."


def _results(findings: Iterable[Finding], rules: Mapping[str, int], base: str) -> list[dict[str, Any]]:
    results = []
    seen: dict[str, int] = {}
    for finding in findings:
        told = f"{finding.key}\n{finding.rule}\n{finding.message}"
        mark = hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()
        seen[mark] = seen.get(mark, 0) + 1
        results.append(_result(finding, rules[finding.rule], f"{mark[:32]}:{seen[mark]}", base))
    return results


def _result(finding: Finding, index: int, fingerprint: str, base: str) -> dict[str, Any]:
    text = f"{finding.message}. {finding.advice}" if finding.advice else finding.message
    place: dict[str, Any] = {"artifactLocation": _artifact(base + finding.key if finding.key else "")}
    if finding.line is not None:
        place["region"] = {"startLine": finding.line}
        if finding.column is not None:
            place["region"]["startColumn"] = finding.column
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVEL[finding.severity],
        "message": {"text": text},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"hubdataFinding/v1": fingerprint},
    }
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "justification": f"waived {finding.waived}"}]
    return result


def _artifact(path: str) -> dict[str, str]:
    """Return where `path` is; a finding about no single file is about the repository's root."""
    encoded = quote(path.encode("utf-8", "surrogatepass"), safe="/")
    return {"uri": encoded or "./", "uriBaseId": _ROOT}
