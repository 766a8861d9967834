"""The table of public files, as large as there is room for.

Everybody who looks at the page downloads all of it, so ten thousand files are not listed: those that changed last are,
as many as fit, and a sentence says how many are not and where they stand.
"""

from collections.abc import Mapping
from itertools import groupby
from urllib.parse import quote

from hubdata.model.manifest import Entry
from hubdata.report import wording
from hubdata.report.html import ascii_only, text
from hubdata.report.page.status import moment
from hubdata.report.page.verdict import clipped

_HEAD = ("File", "Kind", "Job", "Size", "Entries", "IPv4 addresses", "IPv6 /64s", "Last changed", "SHA-256")
_COLUMNS = len(_HEAD)

_MOST_DIGITS = 10**24


def address(key: str, links: str) -> str:
    """Return where a file is public, as an attribute's value: below `links`, or beside the page.

    A path from here always begins with a dot: a key such as `javascript:x` must not be taken for a scheme.
    """
    return f"{links or './'}{quote(key, safe='/', errors='replace')}"


def instant(stamp: str) -> str:
    """Return a manifest's time for people and programs alike; foreign text where it is none."""
    return text(clipped(stamp)) if moment(stamp) is None else f"<time>{stamp[:10]} {stamp[11:16]}Z</time>"


def number(count: int | None) -> str:
    """Return a count for people; nothing where nobody counted."""
    if count is None:
        return ""
    return f"{count:,}" if abs(count) < _MOST_DIGITS else "too many to tell"


def size(count: int) -> str:
    """Return a size for people, however absurd it is."""
    return wording.size(count) if abs(count) < _MOST_DIGITS else "too large to tell"


def table(files: Mapping[str, Entry], links: str, room: int) -> str:
    """Return the table, by directory and name, in at most `room` bytes; and what is not in it, in a sentence."""
    rows = {key: _row(key, entry, links) for key, entry in _newest(files, room)}
    head = "".join(f'<th scope="col">{name}</th>' for name in _HEAD)
    opened = (
        '<div class="wide" role="region" aria-label="Public files" tabindex="0">\n<table id="files">\n'
        f"<caption>{{}}. Times are UTC; select a digest to copy all 64 digits of it.</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n"
    )
    closed = "</table>\n</div>\n"
    left = room - len(opened) - len(closed) - 300  # the caption and the sentence before the table
    chosen, groups = set(), set()
    for key, row in rows.items():
        directory = key.rpartition("/")[0]
        left -= len(row) + (0 if directory in groups else len(_group(directory)) + len("<tbody></tbody>\n"))
        if left < 0:
            break
        chosen.add(key)
        groups.add(directory)
    caption = wording.counted(len(chosen), "public file")
    body = "".join(
        f"<tbody>{_group(directory)}{''.join(rows[key] for key in keys)}</tbody>\n"
        for directory, keys in groupby(sorted(chosen, key=_place), key=lambda key: key.rpartition("/")[0])
    )
    return f"{_left_out(len(files), len(chosen), links)}{opened.format(caption)}{body}{closed}" if chosen else ""


def _newest(files: Mapping[str, Entry], room: int) -> list[tuple[str, Entry]]:
    """Return the files that may find room, the last changed first."""
    by_key = sorted(files.items())
    by_key.sort(key=lambda item: item[1].changed_at, reverse=True)
    return by_key[: room // 200]  # no row is as short


def _place(key: str) -> tuple[str, str]:
    directory, _, name = key.rpartition("/")
    return directory, name


def _left_out(count: int, listed: int, links: str) -> str:
    if listed == count:
        return ""
    whole = address("manifest.json", links)
    return (
        f"<p>Of {count:,} files, the {listed:,} that changed last are listed:"
        f' <a href="{text(whole)}">manifest.json</a> names them all.</p>\n'
    )


def _group(directory: str) -> str:
    shown = f"{clipped(directory, 200)}/" if directory else "(at the root)"
    return ascii_only(f'<tr><th colspan="{_COLUMNS}" scope="rowgroup">{text(shown)}</th></tr>\n')


def _row(key: str, entry: Entry, links: str) -> str:
    stats = entry.stats
    cells = (
        text(clipped(entry.kind)),
        text(clipped(entry.job)),
        size(entry.size),
        number(stats.entries),
        number(stats.ipv4_addresses),
        number(stats.ipv6_64s),
        instant(entry.changed_at),
        f"<code>{text(clipped(entry.sha256, 64))}</code>",
    )
    name = clipped(key.rpartition("/")[2], 200)
    link = f'<a href="{text(address(key, links))}">{text(name)}</a>'
    row = "".join(f"<td>{cell}</td>" for cell in cells)
    return ascii_only(f'<tr><th scope="row">{link}</th>{row}</tr>\n')
