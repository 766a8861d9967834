r"""Tells whether Go's regexp package would compile a pattern, and whether that pattern matches things it should not.

Engines compile each row with `MustCompile`: one bad pattern ends the process. google-re2 is the same dialect and
agrees with Go on tens of thousands of generated patterns (facts), except where it is more generous: `\C`, groups
nested too deep, `(?<name>` (Go before 1.22), a group name used twice or not in ASCII, Unicode classes of newer tables,
and repeat counts so large that re2 takes the braces for text. Those are refused here, so what passes compiles in every
engine in the field. Python's `re` is another dialect: it is never asked.
"""

import re
import string
from functools import cache, lru_cache
from typing import Any

from hubdata.grammar.gather import MAX_LABOUR
from hubdata.grammar.regexp_size import most_instructions

MAX_PATTERN_BYTES = 32 * 1024

MAX_NESTING = 240
"""Go gives up at a tree 1,000 high; one group can take four levels of it (repeat, group, alternation, sequence)."""

MAX_MEM_BYTES = 1 << 20
"""An eighth of RE2's default, far above any pattern of a list. Go allows more, and would be slow with it."""

MAX_PATTERNS = 10_000
"""An engine tries all patterns of a file for every event: more than these are a mistake, and minutes to judge."""

MAX_REFUSED = 100
"""After so many patterns that do not compile, the rest of a file is not judged: each may cost a tenth of a second."""

MAX_COMPILED = 16
"""So many compiled patterns are kept: each can hold as much memory as MAX_MEM_BYTES, twice."""

_SHORT = 500
"""Of longer patterns it is not remembered what they match: nobody repeats them, and they would fill the memory."""

_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0"
_SAFARI = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
ORDINARY = (
    ("the empty string", ""),
    ("a host name", "mail.example.net"),
    ("the host name of a site", "www.example.com"),
    ("a host name with a final dot", "host-203-0-113-7.customers.example.com."),
    ("the path of a home page", "/"),
    ("an ordinary path", "/products/shoes/running.html"),
    ("an ordinary path with a query", "/search?q=garden+chairs&page=2"),
    ("a page of a PHP site", "/index.php?id=7"),
    ("the front page of a PHP site", "/index.php"),
    ("a style sheet", "/assets/css/main.css"),
    ("a script", "/static/js/app.min.js?v=3"),
    ("a script without a version", "/js/main.js"),
    ("a font", "/assets/fonts/inter.woff2"),
    ("a photograph", "/wp-content/uploads/2024/05/photo.jpg"),
    ("an image", "/images/logo.png"),
    ("a call of an API", "/api/v1/users?limit=10"),
    ("a call of WordPress", "/wp-json/wp/v2/posts"),
    ("a style sheet of a plugin", "/wp-content/plugins/contact-form-7/includes/css/styles.css?ver=5.9"),
    ("a path with a space in it", "/files/annual%20report.pdf"),
    ("a page in one of several languages", "/en/products/"),
    ("the path of a log-in", "/login"),
    ("the path that crawlers ask for first", "/robots.txt"),
    ("the path by which search engines find pages", "/sitemap.xml"),
    ("the path that every browser asks for", "/favicon.ico"),
    ("the path by which certificates are renewed", "/.well-known/acme-challenge/a0"),
    (
        "the user agent of Chrome",
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36",
    ),
    ("the user agent of Edge", f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME} Safari/537.36 Edg/137.0.0.0"),
    ("the user agent of a telephone", f"Mozilla/5.0 (Linux; Android 10; K) {_CHROME} Mobile Safari/537.36"),
    (
        "the user agent of an iPhone",
        f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) {_SAFARI} Version/18.5 Mobile/15E148 Safari/604.1",
    ),
    ("the user agent of Firefox", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"),
    (
        "the user agent of Safari",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15",
    ),
)
"""What no pattern of a list may match: (what it is, the text)."""

CRAWLERS = (
    ("Google's crawler", "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"),
    ("Bing's crawler", "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"),
)
"""What a list of crawlers to let in matches on purpose, and no list of visitors to ban may: (what it is, the text)."""

_COMMON = string.ascii_letters + string.digits + "/._-"
"""Characters of everyday paths: a pattern that one of them satisfies by itself matches nearly everybody."""

_CHARACTERS = "".join(f"/q{char}q" for char in _COMMON)
"""All of them in one text, so that most patterns are asked once."""

_EVERYTHING_ORDINARY = "\n".join(text for _, text in ORDINARY)
_ALL_PROBES = f"{_EVERYTHING_ORDINARY}\n{_CHARACTERS}"
_ALL_PROBES_LOWERED = _ALL_PROBES.lower()
_ALL_CRAWLERS = "\n".join(text for _, text in CRAWLERS)
_ALL_CRAWLERS_LOWERED = _ALL_CRAWLERS.lower()
_ANCHORED = re.compile(r"[\^$]|\\[Az]")
"""Only these tell the ends of a text from those of a line."""

_CATEGORIES = frozenset(
    re.findall(
        r"\S+",
        """
    Any C Cc Cf Co Cs L Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs
""",
    )
)
_SCRIPTS = frozenset(
    re.findall(
        r"\S+",
        """
    Arabic Armenian Bengali Bopomofo Braille Cherokee Common Coptic Cyrillic Devanagari Ethiopic Georgian Gothic Greek
    Gujarati Gurmukhi Han Hangul Hebrew Hiragana Inherited Kannada Katakana Khmer Lao Latin Malayalam Mongolian
    Myanmar Ogham Oriya Runic Sinhala Syriac Tamil Telugu Thaana Thai Tibetan Yi
""",
    )
)
"""Scripts that every version of Go's tables knows; re2's own tables are newer."""

_TOKEN = re.compile(
    r"\\Q.*?(?:\\E|\Z)|\\[pP]\{\^?([^}\\]*)\}|\\.|\[:\^?\w+:\]|\[\^?\]?|\(\?<|\(\?P<([^>(]*)>|[\\()\]]"
    r"|\{(?:[1-9]\d{7,}(?:,(?:0|[1-9]\d*)?)?|(?:0|[1-9]\d*),[1-9]\d{7,})\}",
    re.DOTALL | re.ASCII,
)
_NAME = re.compile(r"\w+", re.ASCII)
_DOUBTFUL = re.compile(r"\\C|\\[pP]\{|\(\?P?<|\{[\d,]*\d{8}", re.ASCII)
"""What every pattern that re2 reads otherwise than Go has in it, nesting apart; most patterns have none of it."""


_PARENTHESES = re.compile(r"\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*+|\\.|([()])", re.DOTALL | re.ASCII)
"""Classes and escapes are stepped over; parentheses elsewhere are of groups, where nothing is quoted by `\\Q`."""

_PLAIN = re.compile(r"(\(\?i\))?(?:\\b)?((?:[A-Za-z0-9_ !\"#%&',/:;<=>@`~-]|\\[ -/:-@\[-^`{-~])*)(?:\\b)?", re.ASCII)
"""A text that stands for itself, its signs escaped or not, perhaps between word bounds: most patterns of a list."""

_LARGE = re.compile(r"\{|\\[pP]")
_SIMPLE = 5000
"""So many characters of ASCII, without a counted repetition or a Unicode class, are as good as no labour."""

_MOST_PER_LABOUR = 750
"""Programs are mostly a tenth as large as what is known of them without compiling: this is 50 instructions and more."""


def regexp_problem(pattern: str) -> str | None:
    """Return why Go's regexp would not compile `pattern`, or None when it would."""
    try:
        size = len(pattern.encode())
    except UnicodeEncodeError:
        return "it is not UTF-8"
    if size > MAX_PATTERN_BYTES:
        return f"it has {size:,} bytes, more than {MAX_PATTERN_BYTES:,}"
    if size <= _SIMPLE and _PLAIN.fullmatch(pattern):
        return None
    if (_DOUBTFUL.search(pattern) is not None or _may_be_deep(pattern)) and (problem := _beyond_go(pattern)):
        return _printable(problem)
    return _compile(pattern, False)[1] if _most_when_sure(pattern) is None else None


def _printable(reason: str) -> str:
    """Return `reason`, which quotes the pattern, without what a terminal would obey."""
    return reason if reason.isprintable() else ascii(reason)[1:-1]


def matches(pattern: str, text: str, *, ignore_case: bool = False) -> bool:
    """Tell whether `pattern` matches somewhere in `text`, as an engine would; False when it does not compile."""
    compiled, _ = _compile(_nameless(pattern), ignore_case)
    return compiled is not None and compiled.search(text) is not None


def overmatch(pattern: str, ignore_case: bool = False) -> str | None:
    """Return an ordinary thing that `pattern` matches and should not, told in words; None when there is none."""
    return (_overmatch if len(pattern) <= _SHORT else _overmatch.__wrapped__)(pattern, ignore_case)


@lru_cache(maxsize=1024)
def _overmatch(pattern: str, ignore_case: bool) -> str | None:
    if not _may_match_a_probe(pattern, ignore_case):
        return None
    compiled, _ = _compile(_nameless(pattern), ignore_case)
    if compiled is None:
        return None
    # What matches one of the texts matches all of them in one, so that a single search clears most patterns.
    clear = _ANCHORED.search(pattern) is None and compiled.search(_EVERYTHING_ORDINARY) is None
    for what, text in () if clear else ORDINARY:
        if compiled.search(text) is not None:
            return f"{what} (`{text}`)" if text else what
    if compiled.search(_CHARACTERS) is not None:
        for char in _COMMON:
            if all(compiled.search(f"/{beside}{char}{beside}") is not None for beside in "q7"):
                return f"everything that holds a `{char}`"
    return None


def matched_crawler(pattern: str) -> str | None:
    """Return the search engine, in words, whose crawler `pattern` matches by its user agent; None if there is none."""
    if not _may_match(pattern, False, _ALL_CRAWLERS, _ALL_CRAWLERS_LOWERED):
        return None
    return next((f"{what} (`{text}`)" for what, text in CRAWLERS if matches(pattern, text)), None)


def _may_match_a_probe(pattern: str, ignore_case: bool) -> bool:
    """Tell whether `pattern` could match anything that `overmatch` tries: a text that stands in none of it cannot."""
    return _may_match(pattern, ignore_case, _ALL_PROBES, _ALL_PROBES_LOWERED)


def _may_match(pattern: str, ignore_case: bool, probes: str, lowered: str) -> bool:
    plain = _PLAIN.fullmatch(pattern)
    if plain is None:
        return True
    text = re.sub(r"\\(.)", r"\1", plain[2])
    return text.lower() in lowered if ignore_case or plain[1] else text in probes


def _may_be_deep(pattern: str) -> bool:
    """Tell whether groups may be nested too deep; quick where none are, as in long patterns of many groups."""
    if pattern.count("(") <= MAX_NESTING:
        return False
    depth = 0
    for parenthesis in "".join(_PARENTHESES.findall(pattern)):
        depth += 1 if parenthesis == "(" else -1
        if depth > MAX_NESTING:
            return True
    return r"\Q" in pattern


def _nameless(pattern: str) -> str:
    """Return `pattern` with its groups unnamed: re2 keeps account of what stands in named ones, at any price."""
    if "(?P<" not in pattern:
        return pattern
    parts: list[str] = []
    end, in_class = 0, False
    for token in _TOKEN.finditer(pattern):
        if token[2] is not None and not in_class:
            parts += (pattern[end : token.start()], "(")
            end = token.end()
        in_class = _is_in_class(token[0], in_class)
    return "".join((*parts, pattern[end:]))


def _is_in_class(text: str, before: bool) -> bool:
    """Tell whether what follows the token `text` stands in a class of characters."""
    if text.startswith("[:") and text.endswith(":]"):
        return before  # a POSIX class within a class, or a class of its own: begins and ends here
    return text[0] == "\\" or not text.endswith("]") if before else text[0] == "["


def _beyond_go(pattern: str) -> str | None:
    """Return what re2 accepts in `pattern` and Go does not."""
    depth = 0
    in_class = False
    names: set[str] = set()
    for token in _TOKEN.finditer(pattern):
        text = token[0]
        if unknown := _unknown(text, token[1]):
            return unknown
        before, in_class = in_class, _is_in_class(text, in_class)
        if before or in_class:
            continue
        if text[0] == "{":
            return f"the repeat count of `{text}` is beyond 1,000"
        if text == "(?<":
            return "`(?<name>` is not known to engines built with Go before 1.22; write `(?P<name>`"
        if text.startswith("("):
            name = token[2]
            if name is not None and (name in names or not _NAME.fullmatch(name)):
                return f"the group name `{name}` is used twice or not made of ASCII letters, digits and `_`"
            names.add(name or "")
            depth += 1
            if depth > MAX_NESTING:
                return f"groups are nested more than {MAX_NESTING} deep"
        elif text == ")":
            depth -= 1
    return None


def _unknown(text: str, unicode_class: str | None) -> str | None:
    """Return why a token is unknown to Go wherever it stands."""
    if text == r"\C":
        return r"`\C` is not known to Go"
    if unicode_class is not None and unicode_class not in _CATEGORIES and unicode_class not in _SCRIPTS:
        return f"the Unicode class `{text}` is not known to every engine"
    return None


def labour(pattern: str) -> int:
    """Return what it costs to judge `pattern` and to match with it, in refusals of a row (`Gather.spend`).

    What does not compile may have cost a tenth of a second: a hundred of these are all that a file may hold.
    """
    if _is_simple(pattern) and (_PLAIN.fullmatch(pattern) or _most_when_sure(pattern) is not None):
        return 2 + _matching_labour(pattern)
    compiled, _ = _compile(pattern, False)
    if compiled is None:
        return MAX_LABOUR // MAX_REFUSED
    return 2 + max(int(compiled.programsize) // 50, _matching_labour(pattern))


def _matching_labour(pattern: str) -> int:
    """Return what a long pattern costs beyond a short one, by what makes matching slow; as measured, of its worst."""
    repeats = pattern.count("*") + pattern.count("+") + pattern.count("?")
    return max(0, (10 * repeats + 2 * pattern.count(".") + len(pattern) // 2) // 50 - 4)


def parsing_labour(pattern: str) -> int:
    """Return what `regexp_problem` costs for `pattern`, which nothing is matched with."""
    most = _most_when_sure(pattern)
    if most is None:
        return labour(pattern)
    return 2 if _is_simple(pattern) else 2 + most // _MOST_PER_LABOUR


def _is_simple(pattern: str) -> bool:
    return len(pattern) <= _SIMPLE and pattern.isascii() and _LARGE.search(pattern) is None


@lru_cache(maxsize=MAX_COMPILED)
def _most_when_sure(pattern: str) -> int | None:
    """Return how many instructions `pattern` makes at the most, if it surely compiles; None: compile it to know.

    Remembered, because whoever asks for the problem of a pattern asks for its labour next.
    """
    most = most_instructions(pattern)
    return most if most is not None and _parses(pattern) else None


def _parses(pattern: str) -> bool:
    """Tell whether re2 can parse `pattern`: a quarter of the work of compiling it, which a set puts off."""
    import re2

    try:
        re2.Set.SearchSet(_options(False)).Add(pattern)
    except re2.error:
        return False
    return True


@lru_cache(maxsize=MAX_COMPILED)
def _compile(pattern: str, ignore_case: bool) -> tuple[Any, str | None]:
    """Return the compiled pattern or None, and the reason why it does not compile."""
    import re2  # only here: 20 ms that a run without patterns saves

    try:
        compiled = re2.compile(pattern, _options(ignore_case))
    except re2.error as err:
        reason = err.args[0] if err.args else "it does not compile"
        return None, _printable(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason))
    except UnicodeEncodeError:
        return None, "it is not UTF-8"
    re2.purge()  # it keeps 128 patterns of its own accord
    return compiled, None


@cache
def _options(ignore_case: bool) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEM_BYTES
    options.never_capture = True  # nobody asks what a group matched: telling it takes up to a hundred times as long
    options.case_sensitive = not ignore_case
    return options
