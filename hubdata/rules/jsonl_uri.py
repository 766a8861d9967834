"""Rules of the kind `jsonl-uri`: lines of which an engine asks `path contains JsonExtract(row, "uri")`."""

from hubdata.model.rule import ERROR, WARNING, Example, Rule
from hubdata.rules.json_row import row_rules

_HARM = (
    "The engine extracts an empty uri from it, which every path contains: every visitor who meets a 404 is banned."
    " It has happened."
)

RULES = (
    *row_rules("jsonl-uri", _HARM, "uri"),
    Rule(
        "jsonl-uri.missing-key",
        ERROR,
        f"One of the two keys is missing. {_HARM}",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400"}\n'),
        "Add the key, or remove the line.",
    ),
    Rule(
        "jsonl-uri.unknown-key",
        ERROR,
        "A key that nobody knows is a misspelt one, or data that the item does not use; case matters.",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400", "uri": "/esp/cms_changeDeviceContext.esp", "url": "/"}\n'),
        "Leave exactly `cve` and `uri`.",
    ),
    Rule(
        "jsonl-uri.type",
        ERROR,
        f"The value is not a string. {_HARM}",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400", "uri": null}\n'),
        "Write a string, or remove the line.",
    ),
    Rule(
        "jsonl-uri.empty",
        ERROR,
        f"The value is empty. {_HARM}",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400", "uri": ""}\n'),
        "Fill it, or remove the line.",
    ),
    Rule(
        "jsonl-uri.short",
        ERROR,
        "A uri of one character is part of nearly every path: nearly everyone is banned.",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400", "uri": "/"}\n'),
        "Name more of the path.",
    ),
    Rule(
        "jsonl-uri.overmatch",
        ERROR,
        "The uri is part of ordinary paths: whoever asks for one of them is banned as an attacker.",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400", "uri": "/search"}\n'),
        "Name more of the path.",
    ),
    Rule(
        "jsonl-uri.escaped",
        ERROR,
        "The engine takes what stands between the quotes as it stands: an escape, also `\\/`, is looked for with its"
        " backslash, and no path has one. The attack passes.",
        Example("jsonl-uri", rb'{"cve": "CVE-2024-3400", "uri": "\/esp\/cms_changeDeviceContext.esp"}' + b"\n"),
        "Write each character as itself.",
    ),
    Rule(
        "jsonl-uri.cve",
        ERROR,
        "The id is no CVE id: alerts name a vulnerability that nobody finds.",
        Example("jsonl-uri", b'{"cve": "2024-3400", "uri": "/esp/cms_changeDeviceContext.esp"}\n'),
        "Write it as CVE-2024-3400.",
    ),
    Rule(
        "jsonl-uri.space",
        WARNING,
        "White space at an end must be in the path too; an attack's path rarely has it.",
        Example("jsonl-uri", b'{"cve": "CVE-2024-3400", "uri": "/esp/cms_changeDeviceContext.esp "}\n'),
        "Remove it.",
    ),
    Rule(
        "jsonl-uri.duplicate",
        WARNING,
        "Only one of the two lines can ever answer, so one of the two CVEs is never named.",
        Example(
            "jsonl-uri",
            b'{"cve": "CVE-2024-3400", "uri": "/esp/cms.esp"}\n{"cve": "CVE-2024-3401", "uri": "/esp/cms.esp"}\n',
        ),
        "Remove one.",
    ),
)
