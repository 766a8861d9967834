"""A server that stands for the publishers of lists: small excerpts in their shapes, and every way they go wrong.

Each list is at `/HOST/PATH` as its publisher has it at `https://HOST/PATH`; `at` turns the one address into the other.
Answers have an ETag, and 304 for whoever has it, unless a path is among `plain`; and Last-Modified where there are
`dates`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.support.faulty_server import Answer, FaultyServer, Request

CLOUDFLARE4 = b"173.245.48.0/20\n103.21.244.0/22\n104.16.0.0/13\n172.64.0.0/13\n131.0.72.0/22"
CLOUDFLARE6 = b"2400:cb00::/32\n2606:4700::/32\n2a06:98c0::/29\n2c0f:f248::/32"
QUIC = b"102.221.36.98\n103.106.229.82\n185.205.187.233\n95.216.116.209"
ARVAN = b"185.143.232.0/22\n188.229.116.16/30\n94.101.182.0/27\n78.157.36.112/28"
HOSTS = {
    "cloudflare4": "www.cloudflare.com/ips-v4",
    "cloudflare6": "www.cloudflare.com/ips-v6",
    "quic": "www.quic.cloud/ips",
    "arvan": "www.arvancloud.ir/en/ips.txt",
    "aws": "ip-ranges.amazonaws.com/ip-ranges.json",
    "gcore": "api.gcore.com/cdn/public-ip-list",
    "google": "developers.google.com/static/crawling/ipranges/special-crawlers.json",
}
AWS4 = ("120.52.22.96/27", "205.251.249.0/24", "18.238.0.0/15")
AWS6 = ("2600:9000:3000::/36", "2409:8c00:2421:300::/56")
GCORE4, GCORE6 = ("5.188.7.10/32", "92.223.84.84/32"), ("2a03:90c0:5::10/128", "2a03:90c0:9::/64")
GOOGLE4, GOOGLE6 = ("108.177.2.0/27", "192.178.16.0/27", "209.85.238.0/27"), ("2001:4860:1001:10::/64",)
PAGE = b"<!DOCTYPE html>\n<html><head><title>502</title></head><body>Error</body></html>\n"


def aws(v4: Iterable[str] = AWS4, v6: Iterable[str] = AWS6, *, token: str = "1763856186") -> bytes:
    """Return the ranges of AWS, those of EC2 among them; `token` is another one with each edition."""
    region = {"region": "GLOBAL", "service": "CLOUDFRONT", "network_border_group": "GLOBAL"}
    ec2 = {"region": "eu-west-1", "service": "EC2", "network_border_group": "eu-west-1"}
    return json.dumps(
        {
            "syncToken": token,
            "createDate": "2026-11-22-23-03-06",
            "prefixes": [{"ip_prefix": "3.4.12.4/32", **ec2}, *({"ip_prefix": each, **region} for each in v4)],
            "ipv6_prefixes": [{"ipv6_prefix": "2a05:d07a:a000::/40", **ec2}]
            + [{"ipv6_prefix": each, **region} for each in v6],
        },
        indent=2,
    ).encode()


def google(v4: Iterable[str] = GOOGLE4, v6: Iterable[str] = GOOGLE6) -> bytes:
    """Return the ranges of a crawler of Google's."""
    prefixes = [{"ipv6Prefix": each} for each in v6] + [{"ipv4Prefix": each} for each in v4]
    return json.dumps({"creationTime": "2026-11-20T14:46:05.000000", "prefixes": prefixes}).encode()


def gcore(v4: Iterable[str] = GCORE4, v6: Iterable[str] = GCORE6) -> bytes:
    """Return the addresses of G-Core's edges."""
    return json.dumps({"addresses": list(v4), "addresses_v6": list(v6)}).encode()


class ListServer(FaultyServer):
    """Every publisher at once. `lists` are bodies by path, which is also what faults are planned by."""

    def __init__(self) -> None:
        super().__init__()
        self.lists: dict[str, bytes] = {}
        self.types: dict[str, str] = {}
        self.plain: set[str] = set()
        self.dates: dict[str, str] = {}
        for name, body in {
            "cloudflare4": CLOUDFLARE4,
            "cloudflare6": CLOUDFLARE6,
            "quic": QUIC,
            "arvan": ARVAN,
            "aws": aws(),
            "gcore": gcore(),
            "google": google(),
        }.items():
            self.set(name, body)
        self.types[path_of("quic")] = "text/html; charset=UTF-8"  # as a script of theirs sends it

    def set(self, name: str, body: bytes) -> None:
        """Publish another body under a name of `HOSTS`."""
        self.lists[path_of(name)] = body

    def url(self, name: str) -> str:
        """Return where a list is here."""
        return self.origin + path_of(name)

    def at(self, url: str) -> str:
        """Return the address here of what a publisher has at `url`."""
        parts = urlsplit(url)
        return f"{self.origin}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def here(self, items: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """Return items of a list like sync-sources.json, each with its address here and all else as it stands."""
        return [{**item, "url": self.at(item["url"])} for item in items]

    def answer(self, request: Request) -> Answer:
        """Return the list, 304 or 404."""
        path = request.path
        if path not in self.lists:
            return Answer("missing", 404, {"Content-Type": "text/html"}, PAGE)
        body = self.lists[path]
        kind = self.types.get(path, "application/json" if body.startswith(b"{") else "text/plain")
        if path in self.plain:
            return Answer(path, 200, {"Content-Type": kind}, body)
        headers = {"Content-Type": kind, "ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'}
        if path in self.dates:
            headers["Last-Modified"] = self.dates[path]
        asked = request.headers.get("If-None-Match")
        return Answer(path, 304, headers) if asked == headers["ETag"] else Answer(path, 200, headers, body)


def path_of(name: str) -> str:
    """Return the path of a name of `HOSTS` here."""
    return f"/{HOSTS[name]}"
