r"""Makes regular expressions by the thousand: most of them nearly right, many of them traps between dialects.

Seeded, so that a failure can be repeated. Half are grown as trees (and then often broken in one place), half are
thrown together from pieces; the pieces hold everything on which RE2, Go and Perl are known to differ.
"""

import random
from collections.abc import Iterator

_LITERALS = (
    *(
        "a",
        "Z",
        "0",
        "_",
        "-",
        "/",
        " ",
        "é",
        "ß",
        "K",
        "\u017f",
        "漢",
        "😀",
        "\u200b",
        "\t",
        "#",
        "&&",
        "--",
        "~~",
        "}",
        "]",
        ",",
    ),
    *("{", "{,2}", "{2", "{a}", "\x7f", "\ufeff", "\ufffd", "İ", "ǅ"),
)
_ESCAPES = (
    *(r"\.", r"\d", r"\W", r"\s", r"\b", r"\B", r"\A", r"\z", r"\Z", r"\G", r"\C", r"\X", r"\K", r"\R", r"\h", r"\v"),
    *(
        r"\n",
        r"\a",
        r"\f",
        r"\t",
        r"\x41",
        r"\x{10FFFF}",
        r"\x{110000}",
        r"\x{}",
        r"\x4",
        r"\101",
        r"\08",
        r"\0",
        r"\1",
    ),
    *(r"\8", r"\Qa.b\E", r"\Q(", r"\E", r"\e", r"\c", r"\cA", r"\u0041", r"\N", r"\p", r"\pN", r"\PL", r"\pQ", r"\_"),
    *(r"\-", r"\/", r"\ ", r"\é", r"\<", r"\>", r"\k<a>", r"\g1", "\\", r"\p{}", r"\p{Greek}", r"\P{^Han}"),
)
_UNICODE = (
    *("L", "Lu", "Latin", "Cyrillic", "Any", "Assigned", "LC", "Cn", "Co", "Cs", "Zs", "Kawi", "Nag_Mundari", "Garay"),
    *(
        "Todhri",
        "Vithkuqi",
        "greek",
        "Greek",
        "IsGreek",
        "InGreek",
        "script=Greek",
        "Letter",
        "L&",
        "Lt",
        "Toto",
        "Wara",
    ),
    *(
        "Adlam",
        "Yi",
        "Nko",
        "Tulu_Tigalari",
        "Ol_Onal",
        "Sidetic",
        "Beria_Erfe",
        "Tolong_Siki",
        "lu",
        "Lowercase",
        "Hira",
    ),
)
_CLASSES = (
    *("[abc]", "[^a-z]", "[]a]", "[^]a]", "[a-]", "[-a]", "[a-b-c]", "[z-a]", "[]", "[^]", "[", "[a", "[[:alpha:]]"),
    *(
        "[[:word:]]",
        "[[:^digit:]]",
        "[[:foo:]]",
        "[:alpha:]",
        "[[:alpha]",
        "[a[:digit:]b]",
        r"[\d-z]",
        r"[a-\d]",
        r"[\w]",
    ),
    *(r"[\]]", r"[\b]", r"[\Q]\E]", r"[\pL]", r"[\p{Greek}a]", r"[\x{41}-\x{5A}]", "[[a]", "[a&&b]", r"[\C]", r"[\B]"),
    *("[[.a.]]", "[[=a=]]", "[K-\u017f]", "[^\\x{0}-\\x{10FFFF}]", "[😀-😂]", r"[\z]", "[[:ascii:]-z]"),
)
_GROUPS = (
    *("(", "(?:", "(?i:", "(?s-i:", "(?U:", "(?m)(", "(?i)(", "(?P<name>", "(?<name>", "(?P<n2>", "(?P<é>", "(?P<>"),
    *(
        "(?P<1>",
        "(?P<a b>",
        "(?=",
        "(?!",
        "(?<=",
        "(?<!",
        "(?>",
        "(?#",
        "(?|",
        "(?'n'",
        "(?R)(",
        "(?P=name)(",
        "(?P>n)(",
    ),
    *("(?x:", "(?-", "(?i-", "(?-:", "(?ii:", "(?i-i:", "(?--i:", "(?)(", "(?^:", "(?1)(", "(?imsU-imsU:", "(*UTF8)("),
)
_REPEATS = (
    *("*", "+", "?", "*?", "+?", "??", "*+", "++", "?+", "**", "+*", "{2}", "{2,}", "{2,5}", "{5,2}", "{,5}", "{0}"),
    *("{0,0}", "{1000}", "{1001}", "{1000,}", "{999,1000}", "{2}?", "{2}{3}", "{2}+", "{02}", "{ 2}", "{2, 3}", "{-1}"),
    *("{100}", "{50}", "{99999999999}", "{0,}", "{,}", "{}", "??+"),
)


def patterns(count: int, seed: int) -> Iterator[str]:
    """Yield `count` patterns, the same for the same `seed`."""
    chance = random.Random(seed)
    for _ in range(count):
        text = _tree(chance, 4) if chance.random() < 0.5 else _soup(chance)
        yield _broken(text, chance) if chance.random() < 0.3 else text


def mutants(known: tuple[str, ...], count: int, seed: int) -> Iterator[str]:
    """Yield `count` patterns that differ in a place or two from ones in use."""
    chance = random.Random(seed)
    for _ in range(count):
        text = chance.choice(known)
        for _ in range(chance.randint(1, 2)):
            text = _broken(text, chance)
        yield text


def deep(levels: int, opening: str = "(", closing: str = ")") -> str:
    """Return a group within a group, `levels` deep."""
    return opening * levels + "a" + closing * levels


def _piece(chance: random.Random) -> str:
    kind = chance.randrange(10)
    if kind < 4:
        return chance.choice(_LITERALS)
    if kind < 6:
        return chance.choice(_ESCAPES)
    if kind < 8:
        return chance.choice(_CLASSES)
    if kind == 8:
        return rf"\{chance.choice('pP')}{{{chance.choice(('', '^'))}{chance.choice(_UNICODE)}}}"
    return chance.choice(("^", "$", ".", "|", "||", "^*", "$+", r"\b*", "(?i)", "(?-i)", "(?s)"))


def _soup(chance: random.Random) -> str:
    pools = (_LITERALS, _ESCAPES, _CLASSES, _GROUPS, _REPEATS, (")", ")", "|", "^", "$", "."))
    return "".join(chance.choice(chance.choice(pools)) for _ in range(chance.randint(1, 8)))


def _tree(chance: random.Random, depth: int) -> str:
    parts = []
    for _ in range(chance.randint(1, 4)):
        if depth and chance.random() < 0.4:
            opening = chance.choice(_GROUPS[:9]) if chance.random() < 0.9 else chance.choice(_GROUPS)
            part = f"{opening}{_tree(chance, depth - 1)})"
        else:
            part = _piece(chance)
        if chance.random() < 0.4:
            part += chance.choice(_REPEATS)
        parts.append(part)
    return chance.choice(("", "|")).join(parts)


def _broken(text: str, chance: random.Random) -> str:
    at = chance.randint(0, len(text))
    match chance.randrange(4):
        case 0:
            return text[:at] + text[at + 1 :]
        case 1:
            return text[:at] + chance.choice(r"\()[]{}*+?|^$.-:<>P=!,&#") + text[at:]
        case 2:
            return text[:at] + _piece(chance) + chance.choice(_REPEATS) + text[at:]
        case _:
            end = min(len(text), at + chance.randint(1, 6))
            return text[:end] + text[at:end] + text[end:]
