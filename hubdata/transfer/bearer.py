"""A token in the `Authorization` header, sent as `BasicAuth` is: to the configured origin alone.

Format: RFC 6750, 2.1.
"""

from hubdata.transfer.http import BasicAuth
from hubdata.transfer.secrets import Secret


class BearerAuth(BasicAuth):
    """A token by itself."""

    __slots__ = ()

    def __init__(self, token: Secret) -> None:
        super().__init__("", token)

    def header(self) -> str:
        """Return the header's value, the token in it."""
        return f"Bearer {self.password.reveal()}"
