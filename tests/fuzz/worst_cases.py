"""Bodies of any size that cost a judge the most: tiny rows, equal rows, all rows bad, patterns slow to judge.

Each is one pathology that was once slow or large, or that is the worst somebody could think of for its kind.
"""

from collections.abc import Callable, Iterator
from itertools import islice, product
from string import ascii_letters, ascii_lowercase, digits

Make = Callable[[int], bytes]
"""Returns a body of about so many bytes."""


def _filled(line: str) -> Make:
    """Return `line` again and again."""
    data = f"{line}\n".encode()
    return lambda size: data * (size // len(data))


def _numbered(line: str) -> Make:
    """Return many lines, with `%d` in each another number."""
    return lambda size: "".join(f"{line % number}\n" for number in range(size // (len(line) + 4))).encode()


def _words(letters: int) -> Iterator[str]:
    return map("".join, product(ascii_lowercase + "0123456789", repeat=letters))


def _short_words(size: int) -> bytes:
    return "".join(f"{word}\n" for word in islice(_words(4), size // 5)).encode()


def _shortest_distinct(before: str = "", end: str = "\n") -> Make:
    """Return lines of three characters, all different for the first two megabytes, with something at both ends."""
    symbols = ascii_letters + digits + "$%&()*+,-./:;<=>?@_!"
    each = len(f"{before}abc{end}".encode())
    return lambda size: "".join(
        f"{before}{''.join(word)}{end}" for word in islice(product(symbols, repeat=3), size // each)
    ).encode()


def _again(make: Make, part: int) -> Make:
    """Return the first `part` bytes of a body again and again."""
    return lambda size: make(part) * (size // part)


_BOT = '{"name":"n%d","user_agent":"bot","rdns":["^crawl-%d\\\\.search\\\\.example\\\\.net$"]}'


def _bots_one_pattern(size: int) -> bytes:
    return _numbered('{"name":"n%d","user_agent":"bot","rdns":["crawl.*bot"]}')(size)


def _bots_many_patterns(size: int) -> bytes:
    return "".join(_BOT % (number, number) + "\n" for number in range(size // 80)).encode()


def _bots_many_elements(size: int) -> bytes:
    patterns = ",".join(f'"^c{number}[0-9]+.search.example.net$"' for number in range(800))
    count = size // 31_000
    return "".join(f'{{"name":"n{n}","user_agent":"b","rdns":[{patterns}]}}\n' for n in range(count)).encode()


def _addresses(count: int, skip: int = 0) -> Iterator[str]:
    return (f"{11 + (n >> 24)}.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}" for n in range(skip, skip + count))


def _ipv6_networks(start: str) -> Make:
    return lambda size: "".join(f"{start}:{n >> 16:x}:{n & 0xFFFF:x}::/64\n" for n in range(size // 16)).encode()


def _not_text(size: int) -> bytes:
    return _shortest_distinct()(size // 5 * 4).replace(b"\n", b"\xff\n")


def _bots_many_addresses(size: int) -> bytes:
    lists = (",".join(f'"{each}"' for each in _addresses(2_000, 2_000 * n)) for n in range(size // 28_000))
    return "".join(f'{{"name":"n{n}","user_agent":"b","ips":[{each}]}}\n' for n, each in enumerate(lists)).encode()


def _rdns_many(size: int) -> bytes:
    return "".join(f"^c{n}-[0-9a-f]+.{w}.example.net\\.$\n" for n, w in enumerate(islice(_words(3), 15_000))).encode()


def _rdns_classes(size: int) -> bytes:
    pairs = [a + b for a, b in product(ascii_lowercase, repeat=2)]
    rows = ("".join(f"[{pairs[(row * 7 + at * 31) % 676]}]" for at in range(20)) for row in range(size // 100))
    return "".join(f"^{row}\\.e{number}\\.net\\.$\n" for number, row in enumerate(rows)).encode()


def _rdns_choices(size: int) -> bytes:
    return "".join(f"^(a|b)(c|d)(e|f)(g|h).(i|j){n}.(net|org|com)$\n" for n in range(12_000)).encode()


def _slow_patterns(inner: str) -> Make:
    return lambda size: "".join(f"{inner}{n}\n" for n in range(size // (len(inner) + 6))).encode()


def _seclang(actions: str) -> Make:
    return _numbered(f'SecRule ARGS "@rx a" "id:%d,{actions}"')


def _one_rule_of_many_actions(size: int) -> bytes:
    return b'SecRule ARGS "@rx a" "id:1' + b",\\\nt:a" * (size // 6) + b'"\n'


def _slow_keys(size: int) -> bytes:
    keys = "".join(f"|ARGS:/(?:[a-z]{{20}}x){{20}}{number}/\\\n" for number in range(min(size // 36, 6_500)))
    return f'SecRule ARGS{keys} \\\n"@rx a" "id:1"\n'.encode()


def _phrase_files(size: int) -> bytes:
    return b"".join(b'SecRule IP "@pmf a%d" "id:1%d"\n' % (number, number) for number in range(size // 38))


def _distinct_actions(size: int) -> bytes:
    return b"".join(b'SecRule ARGS "@rx a" "id:%d,x%d"\n' % (n, n) for n in range(size // 38))


def _nested(depth: int) -> Make:
    line = '{"a":' * depth + "1" + "}" * depth
    return _filled(line)


def _members(size: int) -> bytes:
    return ("{" + ",".join(f'"{n}":0' for n in range(size // 9)) + "}\n").encode()


def _distinct_keys(size: int) -> bytes:
    return b"{" + b"".join(f'"{word}":0,'.encode() for word in islice(_words(4), size // 9)) + b'"":0}\n'


def _by_turns(size: int) -> bytes:
    """Return many rules that deny, with one of twenty large patterns each: more than are kept compiled."""
    rule = 'SecRule REQUEST_URI "@rx (?:[a-z]{1,9}x){60}%d" "id:%d,phase:1,deny"\n'
    return "".join(rule % (number % 20, number + 1) for number in range(size // 64)).encode()


_TEXT_KINDS = ("cidr", "needle", "bots", "modsec", "phrases")
"""Kinds that get the worst rows: one of each way to read a file, so that the suite stays short."""

_ROWS: dict[str, Make] = {
    "line feeds alone": lambda size: b"\n" * size,
    "one byte a line": _filled("a"),
    "two bytes a line": _filled("ab"),
    "blank lines": _filled(" "),
    "carriage returns": _filled("\r"),
    "bytes that are no text": lambda size: b"\xff\n" * (size // 2),
    "NUL bytes": lambda size: b"\0\n" * (size // 2),
    "invisible characters": _filled("\u200b"),
    "short and distinct lines": _short_words,
    "shortest distinct lines": _shortest_distinct(),
    "shortest distinct lines, ended by CRLF": _shortest_distinct(end="\r\n"),
    "shortest distinct lines that begin as a file may": _shortest_distinct(before="\ufeff"),
    "shortest distinct lines that are no text": _not_text,
    "shortest distinct lines again and again": _again(_shortest_distinct(), 1 << 17),
    "lines of one wide character": _filled("\U0001f600" + "a" * 200),
    "one line of it all": lambda size: b"a" * size,
    "lines at the limit": _filled("a" * 32_760),
    "opening brackets": lambda size: b"[" * size,
    "opening braces, one a line": _filled("{"),
    "empty objects": _filled("{}"),
    "deep objects": _nested(60),
    "quotes": _filled('"'),
    "backslashes": _filled("\\"),
}
_OWN: dict[str, dict[str, Make]] = {
    "bots": {
        "one rdns pattern for all": _bots_one_pattern,
        "distinct rdns patterns": _bots_many_patterns,
        "many rdns patterns a line": _bots_many_elements,
        "user agents of many groups": _numbered(
            '{"name":"n","ips":["9.9.9.9"],"user_agent":"' + "(a|b)?" * 5_000 + '%d"}'
        ),
        "known keys of wrong types": _filled('{"name":1,"rdns":1}'),
        "equal addresses": _filled('{"name":"a","ips":[' + ",".join(['"9.9.9.9"'] * 900) + "]}"),
        "distinct addresses": _bots_many_addresses,
        "equal paths": _filled('{"name":"a","ips":["9.9.9.9"],"paths":[' + ",".join(['"/a"'] * 6_000) + "]}"),
        "distinct names": _numbered('{"name":"%d","ips":["9.9.9.9"]}'),
    },
    "map": {
        "unknown types": _filled('{"pattern":"a","tag":"b","type":"c"}'),
        "distinct regexes": _numbered('{"pattern":"^/[a-z]+/%d","tag":"b","type":"regex"}'),
        "slow regexes": _numbered('{"pattern":"(?:[a-z]{1,20}x){20}%d","tag":"b","type":"regex"}'),
        "large classes": _numbered('{"pattern":"(?:\\\\pL{9}){9}%d","tag":"b","type":"regex"}'),
        "numbers": _filled('{"a":1}'),
        "distinct paths": _numbered('{"pattern":"z%d","tag":"bc","type":"equals"}'),
    },
    "jsonl-uri": {
        "distinct uris": _numbered('{"cve":"CVE-2024-3400","uri":"z%d"}'),
        "equal uris": _filled('{"cve":"CVE-2024-3400","uri":"/a/b/c"}'),
        "unknown keys": _filled('{"a":"","b":"","c":""}'),
    },
    "regexp": {
        "plain patterns": _short_words,
        "slow to compile": _slow_patterns("(?:[a-z]{1,20}x){20}"),
        "large classes": _slow_patterns(r"(?:\pL{9}){9}"),
        "large classes without case": _slow_patterns(r"(?i)\pL{100}"),
        "slow to match": _slow_patterns("(?:a?){200}a{200}.*b"),
        "that do not compile": _filled("(?!a)"),
        "long alternatives": _filled("|".join(f"/w{n}x" for n in range(4_000))),
        "everything": _filled(".*"),
        "groups that may be empty": _slow_patterns("^" + "(a?|.?)" * 600 + "Z"),
        "named groups that may be empty": _slow_patterns("".join(f"(?P<g{n}>a|b)?" for n in range(1_800))),
        "groups of anything": _slow_patterns("(.*.?)" * 800),
        "very many dots": _slow_patterns("." * 4_980),
    },
    "rdns-regexp": {
        "equal patterns": _filled("crawl.*bot"),
        "distinct patterns": _rdns_many,
        "choices within choices": _rdns_choices,
        "distinct classes": _rdns_classes,
        "slow to compile": _slow_patterns("(?:[a-z]{1,20}x){20}"),
        "large classes": _slow_patterns(r"(?:\pL{9}){9}"),
        "many dots": _slow_patterns("." * 200),
        "long patterns": _slow_patterns("[a-z]+." * 280),
    },
    "modsec": {
        "one action again and again": _one_rule_of_many_actions,
        "distinct unknown actions": _distinct_actions,
        "good rules": _seclang("phase:1,pass,nolog"),
        "markers": _filled("SecMarker a"),
        "distinct patterns": _numbered('SecRule ARGS "@rx (?:[a-z]{1,20}x){20}%d" "id:1"'),
        "many variables": _filled('SecRule ARGS|ARGS "@rx a" "id:1"'),
        "one rule of many variables": lambda size: b"SecRule ARGS" + b"|ARGS" * (size // 5) + b' "@rx a" "id:1"\n',
        "one rule of separators": lambda size: b'SecRule ARGS "@rx a" "' + b"," * 60_000 + b'"\n',
        "lines of separators": _filled('SecRule ARGS "@rx a" "' + "," * 60_000 + '"'),
        "rules that are nearly too long": _filled('SecAction "id:1' + ",\\\nt:none" * 28_000 + '"'),
        "rules of very many variables": _filled("SecRule ARGS" + "|ARGS\\\n" * 36_000 + ' \\\n"@rx a" "id:1"'),
        "patterns to match with": _numbered('SecRule REQUEST_URI "@rx (?:[a-z]{1,20}x){20}%d" "id:1,phase:1,deny"'),
        "few patterns to match with, by turns": _by_turns,
        "one rule of slow key patterns": _slow_keys,
        "rules of slow key patterns": _numbered('SecRule ARGS:/(?:[a-z]{20}x){20}%d/ "@rx a" "id:1"'),
        "patterns of one program each": _numbered('SecRule ARGS "@rx %d' + "[a-z]" * 6_000 + '" "id:1"'),
        "one marker over many lines": lambda size: b"SecMarker a\\\n" + b"ab\\\n" * (size // 4) + b"b\n",
        "a backtick never closed": lambda size: b"SecDataset a `\n" + b"ab\n" * (size // 3),
        "many rule ids": _numbered("SecAction id:1%d"),
        "many phrase files": _phrase_files,
        "numbers without end": _filled("SecRuleRemoveById 1-" + "9" * 60_000),
        "wide characters": lambda size: "# \U0001f600\n".encode() + b"SecMarker a\n" * (size // 12),
    },
    "json": {
        "numbers": lambda size: b"[" + b"1," * (size // 2) + b"1]\n",
        "empty arrays": lambda size: b"[" + b"[]," * (size // 3) + b"[]]\n",
        "empty objects in one array": lambda size: b"[" + b"{}," * (size // 3) + b"{}]\n",
        "arrays of one": lambda size: b"[" + b"[1]," * (size // 4) + b"1]\n",
        "objects of one": lambda size: b"[" + b'{"":0},' * (size // 7) + b"1]\n",
        "deep arrays": lambda size: b"[" + (b"[" * 800 + b"]" * 800 + b",") * (size // 1_601) + b"1]\n",
        "deep objects in one array": lambda size: b"[" + (b'{"":' * 800 + b"1" + b"}" * 800 + b",") * 130 + b"1]\n",
        "members": _members,
        "equal keys": lambda size: b"{" + b'"":0,' * (size // 5) + b'"":0}\n',
        "distinct keys": _distinct_keys,
        "a key of escapes": lambda size: b'{"' + b"\\n" * (size // 2) + b'":1}\n',
        "a long key of wide characters": lambda size: b'{"' + b"a" * size + "\U0001f600".encode() + b'":1}\n',
        "numbers at the limit": lambda size: b"[" + (b"1" * 4_300 + b",") * (size // 4_301) + b"1]\n",
        "a long number": lambda size: b"1" * size,
        "a string left open": lambda size: b'["' + b"\\n" * (size // 2),
    },
    "cidr": {
        "equal networks": _filled("9.9.9.0/24"),
        "shortest networks": _filled("::/0"),
        "addresses": lambda size: "".join(f"{at}/32\n" for at in _addresses(size // 14)).encode(),
        "addresses, ended by CRLF": lambda size: "".join(f"{at}/32\r\n" for at in _addresses(size // 15)).encode(),
        "IPv6 networks": _ipv6_networks("2a00"),
        "IPv6 networks in capitals": _ipv6_networks("2A00"),
        "networks within others": lambda size: "".join(
            f"{n >> 8 & 255}.{n & 255}.0.0/{8 + n % 25}\n" for n in range(32_000)
        ).encode(),
        "host bits": _filled("9.9.9.9/8"),
    },
    "ip-exact": {
        "equal addresses": _filled("9.9.9.9"),
        "shortest addresses": _filled("::"),
        "shortest addresses that are good": _filled("2a00::1"),
        "not canonical": _filled("2001:DB8::1"),
        "shortest addresses that are good, ended by CRLF": _filled("2a00::1\r"),
    },
    "needle": {"one ordinary needle": _filled("in"), "spaces at the ends": _filled(" zq ")},
    "phrases": {"trimmed": _filled(" ab"), "hidden comments": _filled(" #")},
    "rdns-suffix": {"one suffix": _filled(".a.de."), "rented": _filled(".net.")},
    "opaque": {
        "bytes that are no text": lambda size: b"\xff\n" * (size // 2),
        "one line of it all": lambda size: b"a" * size,
    },
    "mmdb": {
        "no metadata": lambda size: b"\0" * size,
        "markers": lambda size: b"\xab\xcd\xefMaxMind.com" * (size // 14),
        "nested metadata": lambda size: b"\0" * size + b"\xab\xcd\xefMaxMind.com" + b"\xe1Aa" * 40_000,
        "a map of many": lambda size: b"\0" * size + b"\xab\xcd\xefMaxMind.com" + b"\xff\xff\xff\xffAa\xa0" * 18_000,
    },
}


def cases(kind: str) -> dict[str, Make]:
    """Return the worst bodies known for a kind, by what they are; each is made when it is asked for."""
    return {**(_ROWS if kind in _TEXT_KINDS else {}), **_OWN.get(kind, {})}
