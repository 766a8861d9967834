"""Rules of the kind `phrases`: texts that a rule's `@pmFromFile` looks for in requests and answers."""

from hubdata.model.rule import EITHER, WARNING, Example, Rule

RULES = (
    Rule(
        "phrases.short",
        EITHER,
        "A phrase of one byte is in nearly every request, so the rule blocks nearly all of them (an error); one of two"
        " bytes is in many (a warning).",
        Example("phrases", b"<\n"),
        "Remove it, or say more.",
    ),
    Rule(
        "phrases.overmatch",
        EITHER,
        "Everyday requests hold the phrase: a rule that looks for it there blocks ordinary visitors. An error where the"
        " user agent of every browser, or every path, holds it.",
        Example("phrases", b"mozilla\n"),
        "Remove it, or say more.",
    ),
    Rule(
        "phrases.trimmed",
        WARNING,
        "The engine trims each line, so the white space is lost and the phrase matches more than it says.",
        Example("phrases", b"select from \n"),
        "Remove the white space, so that the file says what is looked for.",
    ),
    Rule(
        "phrases.hidden-comment",
        WARNING,
        "The engine trims first and looks for `#` then: the line is a comment to it, and the phrase is never found.",
        Example("phrases", b"select from\n #exec cmd\n"),
        "Begin a comment in the first column; a phrase cannot begin with #.",
    ),
)
