"""Bodies of half a megabyte that cost a judge the most: tiny rows, equal rows, all rows bad, patterns slow to judge.

Each is one pathology that was once slow or large, or that is the worst somebody could think of for its kind.
"""

from collections.abc import Callable, Iterator
from itertools import islice, product
from string import ascii_lowercase

SIZE = 1 << 19


def _filled(line: str, size: int = SIZE) -> bytes:
    """Return `line` again and again, `size` bytes of it."""
    data = f"{line}\n".encode()
    return data * (size // len(data))


def _numbered(line: str, size: int = SIZE) -> bytes:
    """Return as many lines as `size` bytes hold, with `%d` in each another number."""
    count = size // (len(line) + 4)
    return "".join(f"{line % number}\n" for number in range(count)).encode()


def _words(letters: int) -> Iterator[str]:
    return map("".join, product(ascii_lowercase + "0123456789", repeat=letters))


def _short_words() -> bytes:
    return "".join(f"{word}\n" for word in islice(_words(4), SIZE // 5)).encode()


_BOT = '{"name":"n%d","user_agent":"bot","rdns":["^crawl-%d\\\\.search\\\\.example\\\\.net$"]}'


def _bots_one_pattern() -> bytes:
    return _numbered('{"name":"n%d","user_agent":"bot","rdns":["crawl.*bot"]}')


def _bots_many_patterns() -> bytes:
    return "".join(_BOT % (number, number) + "\n" for number in range(SIZE // 80)).encode()


def _bots_many_elements() -> bytes:
    patterns = ",".join(f'"^c{number}[0-9]+.search.example.net$"' for number in range(800))
    return "".join(f'{{"name":"n{n}","user_agent":"b","rdns":[{patterns}]}}\n' for n in range(17)).encode()


def _rdns_many() -> bytes:
    return "".join(f"^c{n}-[0-9a-f]+.{w}.example.net\\.$\n" for n, w in enumerate(islice(_words(3), 15_000))).encode()


def _rdns_choices() -> bytes:
    return "".join(f"^(a|b)(c|d)(e|f)(g|h).(i|j){n}.(net|org|com)$\n" for n in range(12_000)).encode()


def _slow_patterns(inner: str) -> bytes:
    return "".join(f"{inner}{n}\n" for n in range(SIZE // (len(inner) + 6))).encode()


def _seclang(actions: str) -> bytes:
    return _numbered(f'SecRule ARGS "@rx a" "id:%d,{actions}"')


def _one_rule_of_many_actions() -> bytes:
    return b'SecRule ARGS "@rx a" "id:1' + b",\\\nt:a" * (SIZE // 6) + b'"\n'


def _distinct_actions() -> bytes:
    return b"".join(b'SecRule ARGS "@rx a" "id:%d,x%d"\n' % (n, n) for n in range(SIZE // 38))


def _nested(depth: int) -> bytes:
    line = '{"a":' * depth + "1" + "}" * depth
    return _filled(line)


def _members() -> bytes:
    return ("{" + ",".join(f'"{n}":0' for n in range(SIZE // 9)) + "}\n").encode()


def _distinct_keys() -> bytes:
    return b"{" + b"".join(f'"{word}":0,'.encode() for word in islice(_words(4), SIZE // 9)) + b'"":0}\n'


_TEXT_KINDS = ("cidr", "rdns-regexp", "needle", "bots", "modsec", "phrases")
"""Kinds that get the worst rows: one of each way to read a file, so that the suite stays short."""

_ROWS: dict[str, Callable[[], bytes]] = {
    "line feeds alone": lambda: b"\n" * SIZE,
    "one byte a line": lambda: _filled("a"),
    "two bytes a line": lambda: _filled("ab"),
    "blank lines": lambda: _filled(" "),
    "carriage returns": lambda: _filled("\r"),
    "bytes that are no text": lambda: b"\xff\n" * (SIZE // 2),
    "NUL bytes": lambda: b"\0\n" * (SIZE // 2),
    "invisible characters": lambda: _filled("\u200b"),
    "short and distinct lines": _short_words,
    "one line of it all": lambda: b"a" * SIZE,
    "lines at the limit": lambda: _filled("a" * 32_760),
    "opening brackets": lambda: b"[" * SIZE,
    "opening braces, one a line": lambda: _filled("{"),
    "empty objects": lambda: _filled("{}"),
    "deep objects": lambda: _nested(60),
    "quotes": lambda: _filled('"'),
    "backslashes": lambda: _filled("\\"),
}
_OWN: dict[str, dict[str, Callable[[], bytes]]] = {
    "bots": {
        "one rdns pattern for all": _bots_one_pattern,
        "distinct rdns patterns": _bots_many_patterns,
        "many rdns patterns a line": _bots_many_elements,
        "known keys of wrong types": lambda: _filled('{"name":1,"rdns":1}'),
        "many addresses": lambda: _filled('{"name":"a","ips":[' + ",".join(['"9.9.9.9"'] * 900) + "]}"),
    },
    "map": {
        "unknown types": lambda: _filled('{"pattern":"a","tag":"b","type":"c"}'),
        "distinct regexes": lambda: _numbered('{"pattern":"^/[a-z]+/%d","tag":"b","type":"regex"}'),
        "slow regexes": lambda: _numbered('{"pattern":"(?:[a-z]{1,20}x){20}%d","tag":"b","type":"regex"}'),
        "large classes": lambda: _numbered('{"pattern":"(?:\\\\pL{9}){9}%d","tag":"b","type":"regex"}'),
        "numbers": lambda: _filled('{"a":1}'),
    },
    "jsonl-uri": {
        "equal uris": lambda: _filled('{"cve":"CVE-2024-3400","uri":"/a/b/c"}'),
        "unknown keys": lambda: _filled('{"a":"","b":"","c":""}'),
    },
    "regexp": {
        "plain patterns": _short_words,
        "slow to compile": lambda: _slow_patterns("(?:[a-z]{1,20}x){20}"),
        "large classes": lambda: _slow_patterns(r"(?:\pL{9}){9}"),
        "large classes without case": lambda: _slow_patterns(r"(?i)\pL{100}"),
        "slow to match": lambda: _slow_patterns("(?:a?){200}a{200}.*b"),
        "that do not compile": lambda: _filled("(?!a)"),
        "long alternatives": lambda: _filled("|".join(f"/w{n}x" for n in range(4_000))),
        "everything": lambda: _filled(".*"),
    },
    "rdns-regexp": {
        "equal patterns": lambda: _filled("crawl.*bot"),
        "distinct patterns": _rdns_many,
        "choices within choices": _rdns_choices,
        "slow to compile": lambda: _slow_patterns("(?:[a-z]{1,20}x){20}"),
        "large classes": lambda: _slow_patterns(r"(?:\pL{9}){9}"),
        "many dots": lambda: _slow_patterns("." * 200),
        "long patterns": lambda: _slow_patterns("[a-z]+." * 280),
    },
    "modsec": {
        "one action again and again": _one_rule_of_many_actions,
        "distinct unknown actions": _distinct_actions,
        "good rules": lambda: _seclang("phase:1,pass,nolog"),
        "markers": lambda: _filled("SecMarker a"),
        "distinct patterns": lambda: _numbered('SecRule ARGS "@rx (?:[a-z]{1,20}x){20}%d" "id:1"'),
        "many variables": lambda: _filled('SecRule ARGS|ARGS "@rx a" "id:1"'),
        "one rule of many variables": lambda: b"SecRule ARGS" + b"|ARGS" * (SIZE // 5) + b' "@rx a" "id:1"\n',
        "one rule of separators": lambda: b'SecRule ARGS "@rx a" "' + b"," * 60_000 + b'"\n',
        "lines of separators": lambda: _filled('SecRule ARGS "@rx a" "' + "," * 60_000 + '"'),
    },
    "json": {
        "numbers": lambda: b"[" + b"1," * (SIZE // 2) + b"1]\n",
        "empty arrays": lambda: b"[" + b"[]," * (SIZE // 3) + b"[]]\n",
        "empty objects in one array": lambda: b"[" + b"{}," * (SIZE // 3) + b"{}]\n",
        "arrays of one": lambda: b"[" + b"[1]," * (SIZE // 4) + b"1]\n",
        "objects of one": lambda: b"[" + b'{"":0},' * (SIZE // 7) + b"1]\n",
        "deep arrays": lambda: b"[" + (b"[" * 800 + b"]" * 800 + b",") * (SIZE // 1_601) + b"1]\n",
        "deep objects in one array": lambda: b"[" + (b'{"":' * 800 + b"1" + b"}" * 800 + b",") * 130 + b"1]\n",
        "members": _members,
        "equal keys": lambda: b"{" + b'"":0,' * (SIZE // 5) + b'"":0}\n',
        "distinct keys": _distinct_keys,
        "a key of escapes": lambda: b'{"' + b"\\n" * (SIZE // 2) + b'":1}\n',
        "a long key of wide characters": lambda: b'{"' + b"a" * SIZE + "\U0001f600".encode() + b'":1}\n',
        "numbers at the limit": lambda: b"[" + (b"1" * 4_300 + b",") * (SIZE // 4_301) + b"1]\n",
        "a long number": lambda: b"1" * SIZE,
        "a string left open": lambda: b'["' + b"\\n" * (SIZE // 2),
    },
    "cidr": {
        "equal networks": lambda: _filled("9.9.9.0/24"),
        "shortest networks": lambda: _filled("::/0"),
        "networks within others": lambda: "".join(
            f"{n >> 8 & 255}.{n & 255}.0.0/{8 + n % 25}\n" for n in range(32_000)
        ).encode(),
        "host bits": lambda: _filled("9.9.9.9/8"),
    },
    "ip-exact": {
        "equal addresses": lambda: _filled("9.9.9.9"),
        "shortest addresses": lambda: _filled("::"),
        "not canonical": lambda: _filled("2001:DB8::1"),
    },
    "needle": {"one ordinary needle": lambda: _filled("in"), "spaces at the ends": lambda: _filled(" zq ")},
    "phrases": {"trimmed": lambda: _filled(" ab"), "hidden comments": lambda: _filled(" #")},
    "rdns-suffix": {"one suffix": lambda: _filled(".a.de."), "rented": lambda: _filled(".net.")},
    "opaque": {
        "bytes that are no text": lambda: b"\xff\n" * (SIZE // 2),
        "one line of it all": lambda: b"a" * SIZE,
    },
    "mmdb": {
        "no metadata": lambda: b"\0" * SIZE,
        "markers": lambda: b"\xab\xcd\xefMaxMind.com" * (SIZE // 14),
        "nested metadata": lambda: b"\0" * SIZE + b"\xab\xcd\xefMaxMind.com" + b"\xe1Aa" * 40_000,
        "a map of many": lambda: b"\0" * SIZE + b"\xab\xcd\xefMaxMind.com" + b"\xff\xff\xff\xffAa\xa0" * 18_000,
    },
}


def cases(kind: str) -> dict[str, Callable[[], bytes]]:
    """Return the worst bodies known for a kind, by what they are; each is made when it is asked for."""
    return {**(_ROWS if kind in _TEXT_KINDS else {}), **_OWN.get(kind, {})}
