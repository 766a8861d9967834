"""How two GeoIP databases differ, as Markdown: fit for the comment on a pull request, or a CI job's summary.

At most two measures in two IP versions of twenty moves each: no cutting is needed to stay below what a comment holds.
"""

from hubdata.model.geo import GeoComparison, GeoDifference
from hubdata.report import geo_words as words
from hubdata.report.markdown import cell, table
from hubdata.report.redaction import redact


def geo_comparison_markdown(result: GeoComparison) -> str:
    """Return a comparison as Markdown; when a side is refused, why it is."""
    head = ["### hubdata geoip diff\n", *(f"> {cell(redact(notice))}\n" for notice in result.notices)]
    if result.difference is None:
        rows = [(cell(each.key), cell(each.rule), cell(each.message)) for each in result.findings[:50]]
        return "\n".join([*head, f"{words.NOTHING}.\n", table(("database", "rule", "why"), rows)])
    sides = [
        (word, cell(redact(name)), cell(words.database(found)))
        for word, name, found in (
            ("old", result.old, result.difference.old),
            ("new", result.new, result.difference.new),
        )
    ]
    return "\n".join([*head, table(("", "file", "what it says of itself"), sides), *_told(result.difference)])


def _told(difference: GeoDifference) -> list[str]:
    told = [f"**{cell(sentence[:1].upper() + sentence[1:])}.**\n" for sentence in words.sentences(difference)]
    for part in words.parts(difference):
        figures = [(each.name, f"{each.amount:,}", words.percent(each.share)) for each in words.figures(part.shift)]
        told.append(f"#### {part.title}\n")
        told.append(table((f"of {part.shift.known:,} known to either", part.unit, "share"), figures))
        moves = [
            (cell(text), f"{amount:,}", words.percent(part.shift.part(amount))) for text, amount in words.moves(part)
        ]
        if moves:
            title = f"The {len(moves)} largest of {part.shift.move_count:,} moves"
            shown = table((title, part.unit, "share"), moves)
            told.append(f"<details><summary>{title}</summary>\n\n{shown}\n</details>\n")
    return told
