"""Tells when a list lets in too much of the internet as a whole, though each of its networks may be narrow enough.

0.0.0.0/0 is caught by its prefix; eight thousand networks of /13 are the same, and each of them passes. Where a row
has been told to be too wide, that says enough.
"""

MAX_IPV4_ADDRESSES = 1 << 26
"""A sixty-fourth of IPv4, sixteen times what the largest real list covers (facts: 4.2 million addresses)."""

MAX_IPV6_64S = 1 << 40
"""As much as 32 networks of /29; the largest real list covers a twentieth of it."""

ADVICE = "see where it comes from; if it is meant, accept it by a waiver in the job file"


def covers_too_much(ipv4_addresses: int, ipv6_64s: int) -> str | None:
    """Return how much a list covers, in words, when no list of one owner can need it; None when it may be fine."""
    if ipv4_addresses > MAX_IPV4_ADDRESSES:
        return f"it covers {ipv4_addresses:,} IPv4 addresses, {ipv4_addresses / (1 << 32):.1%} of all there are"
    if ipv6_64s > MAX_IPV6_64S:
        return f"it covers {ipv6_64s:,} IPv6 /64 networks, more than 32 networks of /29"
    return None
