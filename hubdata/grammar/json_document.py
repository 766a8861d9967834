r"""Tells whether a text is one strict JSON value, without building it: 3 bytes of `[],` would become 80 in memory.

The grammar is RFC 8259's, read from left to right; the first fault ends the reading. Of what was read nothing is kept
but a hash and the place of each key of the objects that are still open: that is how a repeated key is found. Faults
are worded as Python's own reader words them.
"""

import re
from array import array
from bisect import bisect_left
from json import JSONDecodeError, JSONDecoder
from typing import Final, NoReturn

from hubdata.grammar.gather import shown

MAX_NESTING = 900
"""Python's reader gives up at a thousand, and the program around it has taken some of these."""

MAX_DIGITS = 4_300
"""Python's reader takes no whole number that is longer: the time to read one grows with the square of its length."""

_MANY = 10_000
"""More keys than these are sorted to find a repeated one: a set of them is ten times as large as their text."""

_SPACE: Final = r"[ \t\r\n]*+"
_STRING: Final = r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"'
_FRACTION: Final = r"\.[0-9]++"
_EXPONENT: Final = r"[eE][-+]?+[0-9]++"
_PLAIN: Final = rf"""(?:
    {_STRING}
    | -?+(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}+(?![0-9]))(?:{_FRACTION})?+(?:{_EXPONENT})?+
    | true | false | null
    | \[{_SPACE}\] | \{{{_SPACE}\}}
    | -?+[1-9][0-9]++(?:{_FRACTION}(?:{_EXPONENT})?+|{_EXPONENT})
)"""
"""A value that holds no other one. The last line: many digits are no harm where the number is rounded anyway."""

_VALUE = re.compile(
    rf"(?:(?P<open>\[(?!{_SPACE}\])|\{{(?!{_SPACE}\}}))|{_PLAIN}{_SPACE}(?P<after>[,\]}}])?+){_SPACE}", re.VERBOSE
)
_AFTER = re.compile(rf"(?P<after>[,\]}}}}])?+{_SPACE}")
_KEY = re.compile(rf"(?P<key>{_STRING}){_SPACE}:{_SPACE}")
_GAP = re.compile(_SPACE)
_DIGITS = re.compile(r"-?([1-9][0-9]*)")
_CONSTANT = re.compile("NaN|-?Infinity")
_STRINGS = JSONDecoder()
_ARRAY = -1
"""Stands for an array where an object has the number of its first key."""


class DocumentError(ValueError):
    """A text is not one strict JSON value. `problem` is the rule's last part; `at` is where, counted from 0."""

    def __init__(self, problem: str, message: str, at: int) -> None:
        super().__init__(message)
        self.problem = problem
        self.at = at


class _Keys:
    """The keys of all objects that are open, the innermost object's last."""

    __slots__ = ("_hashes", "_places", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._hashes = array("q")
        self._places = array("Q")

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, quoted: str, at: int, first: int) -> None:
        """Take note of the key `quoted`, which stands at `at`, of the object whose first key is the `first`."""
        self._hashes.append(hash(f'"{self._read(at)}"' if "\\" in quoted else quoted))
        self._places.append(at)
        if not len(self._hashes) % _MANY:  # many keys take much memory when they are short: equal, mostly
            self._check(max(first, len(self._hashes) - _MANY))

    def close(self, first: int) -> None:
        """Forget the keys from the `first` on. Raises DocumentError when two of them are equal."""
        if len(self._hashes) > first + 1:
            self._check(first)
        del self._hashes[first:], self._places[first:]

    def _check(self, first: int) -> None:
        if self._repeats(first, len(self._hashes)):
            at = self._places[self._repeated(first)]
            raise DocumentError("duplicate-key", f"the key {shown(self._read(at))} stands twice in one object", at)

    def _read(self, at: int) -> str:
        return str(_STRINGS.raw_decode(self._text, at)[0])

    def _repeated(self, first: int) -> int:
        """Return the first key from the `first` on that was there already."""
        return bisect_left(range(len(self._hashes)), True, lo=first, key=lambda last: self._repeats(first, last + 1))

    def _repeats(self, start: int, end: int) -> bool:
        """Tell whether two of these keys are equal.

        Equal hashes of 64 bits are taken for equal keys: Python draws their secret anew in each process.
        """
        if end - start <= _MANY:
            return len(set(self._hashes[start:end])) < end - start
        import numpy as np  # only here: few documents have so many keys in one object

        ordered = np.sort(np.frombuffer(self._hashes, dtype=np.int64)[start:end])
        return bool((ordered[1:] == ordered[:-1]).any())


class _Reading:
    """Where the reading of a text is: how far, and within what. An open object is the number of its first key."""

    __slots__ = ("at", "keys", "members", "opened", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = _gap_end(text, 0)
        self.keys = _Keys(text)
        self.opened: list[int] = []

    def value(self) -> None:
        """Read a value that holds no other, with all that ends behind it; or the beginning of one that does."""
        found = _VALUE.match(self.text, self.at)
        if found is None:
            _refuse_value(self.text, self.at)
        if found["open"] is None:
            self._ends(found)
            return
        if len(self.opened) == MAX_NESTING:
            raise DocumentError("nesting", "it is nested too deep for any reader", self.at)
        self.opened.append(_ARRAY if found["open"] == "[" else len(self.keys))
        self.at = found.end()

    def _ends(self, found: re.Match[str]) -> None:
        """Read on behind a value to where the next one begins, or to the end of the text."""
        opened = self.opened
        while opened and found["after"] != ",":
            if found["after"] != ("]" if opened[-1] == _ARRAY else "}"):
                raise DocumentError("syntax", "Expecting ',' delimiter", _behind(found))
            first = opened.pop()
            if first != _ARRAY:
                self.keys.close(first)
            found = _AFTER.match(self.text, found.end()) or found  # it matches everywhere
        self.at = found.end()
        if not opened and _behind(found) < len(self.text):
            raise DocumentError("syntax", "Extra data", _behind(found))

    def key(self) -> None:
        """Read a key of the innermost object, and the colon."""
        found = _KEY.match(self.text, self.at)
        if found is None:
            _refuse_key(self.text, self.at)
        self.keys.add(found["key"], self.at, self.opened[-1])
        self.at = found.end()


def count_members(text: str) -> int:
    """Return how many members the outermost array or object of `text` has; of another value 1, of null none.

    Raises DocumentError (syntax, duplicate-key, constant, nesting, number) when `text` is not one strict JSON value.
    """
    reading = _Reading(text)
    members = int(text[reading.at : reading.at + 1] not in ("[", "{", "n"))
    reading.value()
    opened = reading.opened
    while opened:
        members += len(opened) == 1
        if opened[-1] != _ARRAY:
            reading.key()
        reading.value()
    return members


def _gap_end(text: str, at: int) -> int:
    found = _GAP.match(text, at)
    return at if found is None else found.end()


def _behind(found: re.Match[str]) -> int:
    """Return where the bracket or comma behind a value is, or whatever is there in its place."""
    return found.end() if found["after"] is None else found.start("after")


def _refuse_value(text: str, at: int) -> NoReturn:
    if text.startswith('"', at):
        _read_string(text, at)
    constant = _CONSTANT.match(text, at)
    if constant is not None:
        raise DocumentError("constant", f"{constant[0]} is not JSON", at)
    digits = _DIGITS.match(text, at)
    if digits is not None:
        message = f"a whole number of {digits.end() - digits.start(1):,} digits"
        raise DocumentError("number", message, at)
    raise DocumentError("syntax", "Expecting value", at)


def _refuse_key(text: str, at: int) -> NoReturn:
    if not text.startswith('"', at):
        raise DocumentError("syntax", "Expecting property name enclosed in double quotes", at)
    raise DocumentError("syntax", "Expecting ':' delimiter", _gap_end(text, _read_string(text, at)))


def _read_string(text: str, at: int) -> int:
    try:
        return _STRINGS.raw_decode(text, at)[1]
    except JSONDecodeError as err:
        raise DocumentError("syntax", err.msg, err.pos) from err
