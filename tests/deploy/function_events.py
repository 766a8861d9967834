"""The events that every function is shown, on both engines, and what each must make of them.

One row, one request. `then` is the path that is sent on, or GONE for the function's own 404. A row that is sent on
arrives with the viewer's address in our header and with `kept` of what else it carried; nothing of the viewer's own
value, in whatever spelling, is left.
"""

from dataclasses import dataclass

GONE = "404"
V6 = "2001:db8:2e::7"

STAGE = "a route at its stage's name"
STRIP = "a route whose prefix is stripped"
DEFAULT = "the default behaviour"
HUB = "the hub's files"

CODE = {
    STAGE: 'const ROUTE = {"address":"x-viewer-address","lock":"x-origin-lock","prefix":"/v2","strip":false};',
    STRIP: 'const ROUTE = {"address":"x-viewer-address","lock":"x-origin-lock","prefix":"/.well-known","strip":true};',
    DEFAULT: "",
    HUB: 'const REFS = ["master","v1.6","stable/eu"];',
}
"""The line that Terraform puts before each: that it does is asserted by the modules' own tests and by the simulator."""

FILES = {STAGE: "api-route.js", STRIP: "api-route.js", DEFAULT: "api-default.js", HUB: "hub-path.js"}


@dataclass(frozen=True, slots=True)
class Row:
    """A request, and what becomes of it."""

    function: str
    what: str
    uri: str
    then: str
    ip: str = V6
    method: str = "GET"
    query: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    kept: tuple[tuple[str, tuple[str, ...]], ...] = ()


def _pretend(*headers: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return (("accept", "text/plain"), *headers)


_ACCEPT = (("accept", ("text/plain",)),)

ROWS = (
    # Where requests go.
    Row(STAGE, "a path", "/v2/decisions/stream", "/v2/decisions/stream"),
    Row(STAGE, "the stage's root", "/v2/", "/v2/"),
    Row(STAGE, "a slash at the end", "/v2/a/", "/v2/a/"),
    Row(STAGE, "its own name again", "/v2/v2/a", "/v2/v2/a"),
    Row(STAGE, "a hidden file", "/v2/.env", "/v2/.env"),
    Row(STAGE, "three dots are a name", "/v2/.../a", "/v2/.../a"),
    Row(STAGE, "dots within a name", "/v2/a..b/c.", "/v2/a..b/c."),
    Row(STAGE, "an address of IPv6 in the path", "/v2/ip/2001:db8::1", "/v2/ip/2001:db8::1"),
    Row(STAGE, "an escaped space", "/v2/a%20b", "/v2/a%20b"),
    Row(STAGE, "escaped UTF-8", "/v2/%C3%A9", "/v2/%C3%A9"),
    Row(STAGE, "an escaped slash within a name", "/v2/a%2Fb", "/v2/a%2Fb"),
    Row(STAGE, "an escaped percent stays what it is", "/v2/a%252Fb", "/v2/a%252Fb"),
    Row(STAGE, "an escaped question mark", "/v2/a%3Fb", "/v2/a%3Fb"),
    Row(STAGE, "posting", "/v2/signals", "/v2/signals", method="POST"),
    Row(STAGE, "deleting", "/v2/decisions", "/v2/decisions", method="DELETE"),
    Row(STAGE, "asking what is allowed", "/v2/decisions", "/v2/decisions", method="OPTIONS"),
    Row(STRIP, "a path", "/.well-known/jwks.json", "/jwks.json"),
    Row(STRIP, "the prefix's root", "/.well-known/", "/"),
    Row(STRIP, "a deep path", "/.well-known/acme-challenge/a-b_c", "/acme-challenge/a-b_c"),
    Row(STRIP, "only one prefix is stripped", "/.well-known/.well-known/a", "/.well-known/a"),
    Row(STRIP, "an escaped slash within a name", "/.well-known/a%2fb", "/a%2fb"),
    Row(STRIP, "another stage's name", "/.well-known/v2/a", "/v2/a"),
    # Where they do not.
    Row(STAGE, "no slash after the stage", "/v2", GONE),
    Row(STAGE, "a longer name", "/v20/a", GONE),
    Row(STAGE, "another stage", "/v3/a", GONE),
    Row(STAGE, "another case", "/V2/a", GONE),
    Row(STAGE, "the stage within", "/a/v2/b", GONE),
    Row(STAGE, "an escaped letter", "/%762/a", GONE),
    Row(STAGE, "an escaped slash after the stage", "/v2%2Fa", GONE),
    Row(STAGE, "an empty segment", "/v2//a", GONE),
    Row(STAGE, "an empty segment first", "//v2/a", GONE),
    Row(STAGE, "an empty segment last", "/v2/a//", GONE),
    Row(STAGE, "an escaped empty segment", "/v2/%2Fa", GONE),
    Row(STAGE, "a dot segment", "/v2/./a", GONE),
    Row(STAGE, "dot segments out", "/v2/../v3/a", GONE),
    Row(STAGE, "dot segments that stay within", "/v2/a/../b", GONE),
    Row(STAGE, "a dot segment last", "/v2/a/..", GONE),
    Row(STAGE, "one dot last", "/v2/.", GONE),
    Row(STAGE, "escaped dot segments", "/v2/%2e%2e/v3", GONE),
    Row(STAGE, "half escaped dot segments", "/v2/.%2E/v3", GONE),
    Row(STAGE, "dot segments before an escaped slash", "/v2/..%2fv3", GONE),
    Row(STAGE, "dot segments between escaped slashes", "/v2/a%2f..%2f..%2fv3", GONE),
    Row(STAGE, "dot segments before a backslash", "/v2/..\\v3", GONE),
    Row(STAGE, "dot segments before an escaped backslash", "/v2/..%5Cv3", GONE),
    Row(STAGE, "dot segments before a semicolon", "/v2/..;/v3", GONE),
    Row(STAGE, "dot segments before an escaped semicolon", "/v2/..%3b/v3", GONE),
    Row(STAGE, "a segment empty before a semicolon", "/v2/;a/b", GONE),
    Row(STAGE, "a semicolon within a name", "/v2/a;b=c/d", "/v2/a;b=c/d"),
    Row(STAGE, "an escape that is none", "/v2/%zz", GONE),
    Row(STAGE, "half an escape", "/v2/a%2", GONE),
    Row(STAGE, "a lone percent", "/v2/%", GONE),
    Row(STAGE, "an escaped zero byte", "/v2/a%00.json", GONE),
    Row(STAGE, "an escaped line feed", "/v2/a%0d%0aX-Y:z", GONE),
    Row(STAGE, "an escaped delete", "/v2/a%7F", GONE),
    Row(STAGE, "a bare control character", "/v2/a\tb", GONE),
    Row(STAGE, "a bare space", "/v2/a b", GONE),
    Row(STAGE, "a bare letter beyond ASCII", "/v2/é", GONE),
    Row(STRIP, "in by dot segments", "/x/../.well-known/a", GONE),
    Row(STRIP, "an escaped dot", "/%2Ewell-known/a", GONE),
    Row(STRIP, "an empty segment", "/.well-known//a", GONE),
    Row(STRIP, "a longer name", "/.well-knownX", GONE),
    Row(STRIP, "a longer name with a path", "/.well-knownX/a", GONE),
    Row(STRIP, "no slash after the prefix", "/.well-known", GONE),
    Row(STRIP, "another case", "/.Well-Known/a", GONE),
    Row(STRIP, "out to the stage beside", "/.well-known/../v2/a", GONE),
    Row(STRIP, "out, escaped", "/.well-known/%2E%2e/a", GONE),
    Row(STRIP, "a host after the prefix", "/.well-known//example.org/a", GONE),
    Row(STRIP, "the prefix within", "/a/.well-known/b", GONE),
    # Who asks.
    Row(STAGE, "IPv4", "/v2/a", "/v2/a", ip="192.0.2.7"),
    Row(STAGE, "IPv6, short", "/v2/a", "/v2/a", ip="::1"),
    Row(STAGE, "IPv6, long", "/v2/a", "/v2/a", ip="2001:0db8:0000:0000:0000:ff00:0042:8329"),
    Row(STAGE, "IPv4 within IPv6", "/v2/a", "/v2/a", ip="::ffff:192.0.2.7"),
    Row(STRIP, "IPv6", "/.well-known/a", "/a", ip="2001:db8::8a2e:370:7334"),
    Row(STAGE, "pretended", "/v2/a", "/v2/a", headers=_pretend(("x-viewer-address", "192.0.2.66")), kept=_ACCEPT),
    Row(
        STAGE, "pretended loudly", "/v2/a", "/v2/a", headers=_pretend(("X-VIEWER-ADDRESS", "192.0.2.66")), kept=_ACCEPT
    ),
    Row(
        STAGE,
        "pretended twice",
        "/v2/a",
        "/v2/a",
        headers=_pretend(("x-viewer-address", "192.0.2.66"), ("X-Viewer-Address", "192.0.2.67")),
        kept=_ACCEPT,
    ),
    Row(
        STAGE,
        "pretended in a list",
        "/v2/a",
        "/v2/a",
        headers=_pretend(("x-viewer-address", "192.0.2.66, ::66")),
        kept=_ACCEPT,
    ),
    Row(STAGE, "underscores", "/v2/a", "/v2/a", headers=_pretend(("x_viewer_address", "192.0.2.66")), kept=_ACCEPT),
    Row(STAGE, "one underscore", "/v2/a", "/v2/a", headers=_pretend(("X-Viewer_Address", "192.0.2.66")), kept=_ACCEPT),
    Row(
        STRIP,
        "underscores and hyphens at once",
        "/.well-known/a",
        "/a",
        headers=_pretend(
            ("X_VIEWER_ADDRESS", "192.0.2.66"), ("x_viewer-address", "::66"), ("x-viewer-address", "::67")
        ),
        kept=_ACCEPT,
    ),
    Row(STAGE, "nothing in it", "/v2/a", "/v2/a", headers=_pretend(("x-viewer-address", "")), kept=_ACCEPT),
    Row(STAGE, "the lock guessed", "/v2/a", "/v2/a", headers=_pretend(("x-origin-lock", "guess")), kept=_ACCEPT),
    Row(STRIP, "the lock guessed, underscores", "/.well-known/a", "/a", headers=(("X_Origin_Lock", "guess"),)),
    Row(
        STAGE,
        "names that only begin alike",
        "/v2/a",
        "/v2/a",
        headers=(("x-viewer-address-2", "a"), ("x-viewer", "b"), ("viewer-address", "c")),
        kept=(("x-viewer-address-2", ("a",)), ("x-viewer", ("b",)), ("viewer-address", ("c",))),
    ),
    Row(
        STAGE,
        "other headers stay, all their values",
        "/v2/a",
        "/v2/a",
        headers=(("X-Api-Key", "k"), ("Accept", "a/b"), ("Accept", "c/d"), ("X-Forwarded-For", "192.0.2.66")),
        kept=(("x-api-key", ("k",)), ("accept", ("a/b", "c/d")), ("x-forwarded-for", ("192.0.2.66",))),
    ),
    # What they ask.
    Row(STAGE, "a query", "/v2/a", "/v2/a", query="ip=2001:db8::1"),
    Row(STAGE, "a query with many values", "/v2/a", "/v2/a", query="scope=ip&scope=range&scope=ip"),
    Row(STRIP, "a query with many values", "/.well-known/a", "/a", query="resource=acct:a@b&rel=x&rel=y"),
    Row(STRIP, "a query like a path", "/.well-known/a", "/a", query="to=/../..//%2e%2e"),
    Row(STAGE, "a query without a value", "/v2/a", "/v2/a", query="startup"),
    # What belongs to nobody.
    Row(DEFAULT, "the root", "/", GONE),
    Row(DEFAULT, "a path", "/v1/decisions", GONE),
    Row(DEFAULT, "a route without its slash", "/v2", GONE),
    Row(DEFAULT, "even a route", "/v2/a", GONE),
    Row(DEFAULT, "a path that is none", "/%zz//..", GONE),
    Row(DEFAULT, "posting", "/", GONE, method="POST"),
    # The hub.
    Row(HUB, "the index", "/master/.index.json", "/master/.index.json"),
    Row(HUB, "a file", "/master/collections/a/b.yaml", "/master/collections/a/b.yaml"),
    Row(HUB, "a tag", "/v1.6/parsers/s01-parse/a/b.yaml", "/v1.6/parsers/s01-parse/a/b.yaml"),
    Row(HUB, "a branch with a slash", "/stable/eu/a.yaml", "/stable/eu/a.yaml"),
    Row(HUB, "an escaped name", "/master/a%20b.yaml", "/master/a%20b.yaml"),
    Row(HUB, "no file", "/master", GONE),
    Row(HUB, "the root", "/", GONE),
    Row(HUB, "half a branch", "/stable/a.yaml", GONE),
    Row(HUB, "a longer branch", "/mastering/a.yaml", GONE),
    Row(HUB, "a point is a point", "/v1x6/a.yaml", GONE),
    Row(HUB, "a stranger's commit", "/0123456789abcdef0123456789abcdef01234567/a.yaml", GONE),
    Row(HUB, "a pull request", "/refs/pull/1/head/a.yaml", GONE),
    Row(HUB, "the branch by its full name", "/refs/heads/master/a.yaml", GONE),
    Row(HUB, "another repository", "/master/../../../b/c/main/a.yaml", GONE),
    Row(HUB, "another repository, escaped", "/master/%2e%2e/%2E%2E/c/main/a.yaml", GONE),
    Row(HUB, "another repository, by a slash escaped", "/master/..%2F..%2Fc/main/a.yaml", GONE),
    Row(HUB, "an escaped branch", "/%6Daster/a.yaml", GONE),
    Row(HUB, "an empty segment", "/master//a.yaml", GONE),
    Row(HUB, "an address", "/https://example.org/a", GONE),
)
