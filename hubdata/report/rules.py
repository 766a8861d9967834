"""One rule of the catalogue for whoever met it in a finding: `--explain`, as text or as a JSON object."""

from hubdata.model.rule import Rule
from hubdata.report.json import dumps
from hubdata.report.terminal import Page, Screen, Style


def rule_text(rule: Rule, screen: Screen) -> str:
    """Return a rule as a short page: its severity, what it does to an engine, an example, how to mend it."""
    page = Page(screen)
    page.line(f"{rule.id} ({' or '.join(rule.severities)})", Style.BOLD)
    page.prose(rule.engine, indent=2)
    page.blank()
    example = rule.example
    judged = f", judged as {example.kind}" if example.kind else ""
    page.line(f"Example{judged}{_settings(rule)}:", Style.DIM, indent=2)
    for line in example.shown:
        page.line(line, indent=4)
    if example.note:
        page.prose(example.note, indent=4)
    page.blank()
    page.prose(rule.mend, indent=2, first="Mend it: ")
    return page.text()


def rule_json(rule: Rule) -> str:
    """Return a rule as one JSON object; `example.text` is empty where `note` tells the example."""
    example = rule.example
    return dumps(
        {
            "rule": rule.id,
            "severities": [str(severity) for severity in rule.severities],
            "engine": rule.engine,
            "example": {
                "kind": example.kind,
                "options": dict(example.options),
                "text": "\n".join(example.shown),
                "note": example.note,
            },
            "mend": rule.mend,
        }
    )


def _settings(rule: Rule) -> str:
    options = [f"{name} = {value}" for name, value in rule.example.options.items()]
    return f" with {', '.join(options)}" if options else ""
