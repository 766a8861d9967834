"""Keys that tests sign with: made from fixed seeds, so that every run signs the same."""

from hubdata.signing import ed25519
from hubdata.signing.secret_key import SecretKey


def secret(number: int) -> SecretKey:
    """Return the key of that number."""
    seed = bytes([number]) * 32
    return SecretKey(number.to_bytes(8, "little"), seed, ed25519.public_of(seed))
