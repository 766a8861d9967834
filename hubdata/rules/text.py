"""Rules that every text kind shares: encoding, line ends, lengths, and rows that are none."""

from hubdata.model.rule import ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "text.html",
        ERROR,
        "The upstream answered with an error page or a login page. Every line of it becomes a row: a pattern file of"
        " markup kills the process or matches at random, and the real list is gone.",
        Example("regexp", b"<!DOCTYPE html>\n<html><body>502 Bad Gateway</body></html>\n"),
        "Look at the address that the file was fetched from, and at its credentials; fetch it again.",
    ),
    Rule(
        "text.too-many-lines",
        ERROR,
        "An engine goes through all rows for every event. A list of millions of lines slows down every one of them,"
        " and fills the memory of small machines.",
        Example("needle", b"\n", times=2_000_001, note="more than 2,000,000 lines"),
        "Split the list, or merge its networks. Nothing of this size has been meant so far.",
    ),
    Rule(
        "text.given-up",
        ERROR,
        "So many rows are refused, or are so slow to judge, that judging stops: nobody knows what an engine makes of"
        " the rest. Most often the file is not what it is said to be.",
        Example(
            "regexp",
            b"".join(b"evilscanner%d%s\n" % (n, b"[0-9]{0,900}x" * 7) for n in range(60)),
            note="sixty patterns, each slow to compile; or ten thousand bad rows",
        ),
        "Mend the rows that are told and judge the file again; see that it is the right file and the right kind.",
    ),
    Rule(
        "text.bom",
        ERROR,
        "The byte order mark is read as part of the first row: a first comment becomes a row, a first network never"
        " matches, a first JSON line stops the loading.",
        Example("modsec", b"\xef\xbb\xbf# our rules\nSecMarker BEGIN\n"),
        "Save the file as UTF-8 without BOM.",
    ),
    Rule(
        "text.final-lf",
        WARNING,
        "Nothing today: engines read the last line all the same. Tools that append to the file, or join files, glue"
        " the next row to this one.",
        Example("cidr", b"9.9.9.0/24", note="no line feed at the end"),
        "End the last line with a line feed.",
    ),
    Rule(
        "text.nul",
        ERROR,
        "A NUL byte is part of the row, which then never matches; a file of them has been cut by a full disk or is"
        " binary.",
        Example("needle", b"/wp-config\x00.bak\n"),
        "Remove the byte. If there are many, the file is not text: fetch it again.",
    ),
    Rule(
        "text.cr",
        ERROR,
        "Only one carriage return before the line feed is dropped, and only by the readers of lists: any other is part"
        " of the row, which then never matches. In SecLang it breaks every continued line, and the engine does not"
        " start.",
        Example("cidr", b"9.9.9.0/24\r\n"),
        "Save the file with LF line ends, and keep git from converting it: `* -text` in .gitattributes.",
    ),
    Rule(
        "text.not-utf8",
        ERROR,
        "Patterns that are not UTF-8 do not compile, which ends the process; JSON gets other characters in their"
        " place; needles in an old encoding are never found.",
        Example("needle", b"/caf\xe9-admin\n"),
        "Save the file as UTF-8. A compressed or binary file has no place in a list.",
    ),
    Rule(
        "text.line-too-long",
        ERROR,
        "A line of 65,536 bytes or more stops the engine's reader without a word: this row and all below it are"
        " lost. Half of that is refused here, so that no line grows into it overnight.",
        Example("needle", b"a", times=40_000, note="one line of 40,000 bytes"),
        "Break the line up, or leave the row out.",
    ),
    Rule(
        "text.invisible",
        WARNING,
        "The invisible character is part of the row: copied from a web page into a needle or a name, it keeps the row"
        " from ever matching.",
        Example("needle", "/admin\u200b/config\n".encode()),
        "Remove the character, unless the row is meant to hold it.",
    ),
    Rule(
        "text.empty",
        ERROR,
        "A list without one data row never matches and logs an error for every event. An allowlist that has become"
        " empty bans those whom it protected.",
        Example("cidr", b"# nothing left\n"),
        "Restore the rows, or remove the file and the hub items that name it.",
    ),
    Rule(
        "text.whitespace-only",
        ERROR,
        "Only the empty line is blank. A line of spaces is a row: as a needle it is found in nearly every request.",
        Example("needle", b"/wp-config.bak\n  \n"),
        "Empty the line or remove it.",
    ),
    Rule(
        "text.duplicate",
        WARNING,
        "The row is tried twice for every event, and whoever removes one of the two believes that it is gone.",
        Example("cidr", b"9.9.9.0/24\n9.9.9.0/24\n"),
        "Remove one of the two.",
    ),
)
