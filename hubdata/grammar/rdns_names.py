"""Names that reverse DNS gives: which part of one somebody had to register, and which zones are rented to anyone.

Whoever holds an address writes its PTR record, but only names in domains that they registered resolve back. So what
a list of names lets in is decided by the registrable domain. Without the Public Suffix List (300 KB that age) the
common second levels below country codes are known by their shape; that errs towards one label too few.
"""

import re

_SECOND_LEVELS = frozenset({"ac", "co", "com", "edu", "go", "gob", "gov", "gouv", "mil", "ne", "net", "or", "org"})
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE)

RENTED = (
    "ec2-203-0-113-7.compute-1.amazonaws.com",
    "ec2-203-0-113-7.eu-west-1.compute.amazonaws.com",
    "7.113.0.203.bc.googleusercontent.com",
    "vm7.westeurope.cloudapp.azure.com",
    "203-0-113-7.ip.linodeusercontent.com",
    "203.0.113.7.vultrusercontent.com",
    "static.7.113.0.203.clients.your-server.de",
    "vps-0a1b2c3d.vps.ovh.net",
    "7-113-0-203.pool.telia.com",
    "c-203-0-113-7.hsd1.ca.comcast.net",
    "crawler.duckdns.org",
    "crawler.ddns.net",
    "crawler.dyndns.org",
    "crawler.hopto.org",
    "crawler.no-ip.org",
    "crawler.eu.org",
    "crawler.uk.com",
)
"""Names that whoever wants one can have: from hosters and access providers, who give them to whoever rents an address,
and below domains that anyone can register names under, by the hour or for ever. No list of bots may match them.
"""


def registrable(name: str) -> str:
    """Return the part of a host name that somebody had to register: `googlebot.com` of `a.b.googlebot.com.`."""
    labels = name.lower().rstrip(".").split(".")
    deep = len(labels) > 1 and len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS
    return ".".join(labels[-3 if deep else -2 :])


def is_host_name(name: str) -> bool:
    """Tell whether `name`, with or without its final dot, is a host name of two labels or more."""
    labels = name.removesuffix(".").split(".")
    return len(labels) > 1 and len(name) <= 254 and all(_LABEL.fullmatch(label) for label in labels)


def is_public_suffix(name: str) -> bool:
    """Tell whether `name` is one that a registry sells names below: a single label, or the like of `co.uk`."""
    labels = name.lower().strip(".").split(".")
    return len(labels) == 1 or (len(labels) == 2 and len(labels[1]) == 2 and labels[0] in _SECOND_LEVELS)
