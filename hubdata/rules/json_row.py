"""Rules that all kinds of JSON lines share: each line must be one strict object."""

from hubdata.model.rule import ERROR, Example, Rule


def row_rules(kind: str, harm: str, key: str) -> tuple[Rule, ...]:
    """Return the rules for rows of `kind`. `harm` says what a bad row does; `key` is one that its rows have."""
    named = f'{{"{key}": '.encode()
    one_line = "Write one object a line, with no comma between the lines: `jq -c .[]` does it."

    def rule(problem: str, reason: str, body: bytes, mend: str) -> Rule:
        return Rule(f"{kind}.{problem}", ERROR, f"{reason} {harm}", Example(kind, body + b"\n"), mend)

    return (
        rule("syntax", "The line is not JSON.", named + b'"/.env"', one_line),
        rule(
            "pretty-printed",
            "The JSON is spread over several lines, but the engine reads each line by itself.",
            b"[\n  " + named + b'"/.env"}\n]',
            one_line,
        ),
        rule("not-an-object", "The line is JSON, but not an object.", b'["/.env"]', one_line),
        rule(
            "trailing",
            "Something follows the object; what one reader ignores stops another.",
            named + b'"/.env"},',
            one_line,
        ),
        rule(
            "duplicate-key",
            "A key stands twice: the engine takes the last, a reviewer reads the first.",
            named + b'"/.env", "' + key.encode() + b'": "/"}',
            "Leave one of the two.",
        ),
        rule(
            "constant",
            "NaN, Infinity and numbers of thousands of digits are no JSON to Go.",
            named + b"NaN}",
            "Write a string.",
        ),
        rule(
            "nesting",
            "Brackets are nested more than 64 deep; some readers give up, others use up their stack.",
            named + b"[" * 65 + b"]" * 65 + b"}",
            "Write plain values.",
        ),
        rule(
            "surrogate",
            "Half of a surrogate pair is no character: Go reads U+FFFD in its place, and compares with that.",
            named + rb'"\ud83d"}',
            "Write the character itself, in UTF-8.",
        ),
    )
