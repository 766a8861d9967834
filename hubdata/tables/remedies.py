"""What to write instead of a value that has the wrong form: advice beside pydantic's message of what is wrong.

A regular expression says exactly what is allowed and helps nobody who has mistyped a bucket's name. Every pattern of
hubdata's own settings stands here in words (a test demands it); an adapter's from elsewhere is shown as it is.
"""

from collections.abc import Mapping

PATTERNS: Mapping[str, str] = {
    r"^[0-9a-f]{32}$": "32 hexadecimal digits in lower case: the zone's ID, on its overview page",
    r"^[A-Za-z0-9]{1,64}$": "the distribution's ID alone, such as E2EXAMPLE: no ARN, no domain name",
    r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}$": "OWNER/NAME, without https://github.com/",
    r"^[^\s~^:?*\[\\\x00-\x1f\x7f]{1,255}$": "a branch such as main, or a whole ref such as refs/tags/v1",
    r"^[^\x00]*$": "an argument cannot hold a NUL character",
    r"^[A-Za-z_][A-Za-z0-9_]*$": "the name of a variable: letters, digits and _, without $ and without its value",
    r"(^|/)[^/\x00.][^/\x00]*\.prom$": "a file whose name ends in .prom: node_exporter reads no other",
    r"^[A-Za-z0-9_.:-]{0,128}$": "letters, digits and _.:-, 128 at most",
    r"^[A-Za-z0-9:/_-]{1,2048}$": "the key's id, its ARN, or alias/NAME",
    r"^[a-z0-9-]{1,40}$": "a region's name, such as eu-west-1",
    r"^https?://[^\s/@]+/?$": "https://HOST or http://HOST:PORT, without a path, user or password",
    r"^(?=.)([0-9]{1,5}d)?([0-9]{1,5}h)?([0-9]{1,5}m)?([0-9]{1,7}s)?$": "a duration, such as 45s, 30m, 26h or 1d12h",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$": "the bucket's name alone, 2 characters or more: no s3://, no ARN, no path",
    r"^\d{12}$": "the 12 digits of the account's id, in quotes",
    r"^https?://[^\s@]+$": "begin it with https:// or http://, without a user or password",
    r"^[\x20-\x7e]+$": "printable ASCII characters: it is sent as a header",
    r"^[\w.+-]+/[\w.+-]+(; ?[\w-]+=[\w.-]+)*$": "a media type, such as text/plain; charset=utf-8",
    r"^[a-z0-9][a-z0-9.-]*$": "lower-case letters, digits, . and -, such as base-rules",
    r"^[A-Z_][A-Z0-9_]*$": "the name of a variable in capitals, such as DATA_TOKEN: not the token itself",
    r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$": "the vendor's file name without .mmdb, such as ipinfo_lite",
    r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$": "an edition's ID, such as GeoLite2-City: no path",
    r"^[0-9a-fA-F]{64}$": "64 hexadecimal digits, as sha256sum prints them",
}
"""Each pattern with what to write so that it matches."""

_BARE = ("int_type", "float_type", "bool_type", "date_type")
_MISMATCH = "string should match pattern '"


def remedy(problem: str, message: str, value: object) -> str:
    """Return what to write instead of `value`, which pydantic refused as `problem` with `message`; empty if unknown."""
    if problem == "string_pattern_mismatch":
        pattern = message[len(_MISMATCH) :].removesuffix("'")
        return PATTERNS.get(pattern, "")
    if problem in _BARE and isinstance(value, str):
        return (
            "write the date without quotes, such as 2027-01-31"
            if problem == "date_type"
            else "write it bare, without quotes"
        )
    if problem == "string_type" and isinstance(value, (bool, int, float)):
        return "write it in quotes"
    if problem in ("list_type", "tuple_type") and isinstance(value, str):
        return "write it in brackets, each part in quotes of its own"
    return ""
