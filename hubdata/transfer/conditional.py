"""Ask an upstream for a file only if it is another one than we have: one small request when it is not.

What the upstream said of the published file (ETag, Last-Modified, length) is kept in its provenance and sent back. Good
servers answer 304. Others ignore the question, or give another ETag on each node of a cluster; then the headers of the
answer are compared here, and the body of an unchanged file is left unread.

Protocol: RFC 9110, 8.8 (validators) and 13 (conditional requests).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass

from hubdata.transfer.deadline import Deadline
from hubdata.transfer.http import BasicAuth, HttpClient, Response
from hubdata.transfer.http_date import http_moment
from hubdata.transfer.retry import RequestFailed

_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,256}"')
_LENGTH = re.compile(r"[0-9]{1,18}")
_NOT_MODIFIED = 304


@dataclass(frozen=True, slots=True)
class Validators:
    """What tells one state of a file from another; each is empty where the upstream did not say it, or not well.

    `length` is of the body as sent, so of the packed file.
    """

    etag: str = ""
    last_modified: str = ""
    length: str = ""

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Validators":
        """Return those of a response's headers."""
        return cls._usable(said.get("ETag", ""), said.get("Last-Modified", ""), said.get("Content-Length", ""))

    @classmethod
    def noted(cls, source: Mapping[str, str]) -> "Validators":
        """Return those that a provenance holds. It comes from the public manifest, so it is read as strictly."""
        return cls._usable(source.get("etag", ""), source.get("last_modified", ""), source.get("length", ""))

    @classmethod
    def _usable(cls, etag: str, last_modified: str, length: str) -> "Validators":
        return cls(
            etag.strip() if _ETAG.fullmatch(etag.strip()) else "",
            last_modified.strip() if http_date(last_modified) else "",
            length.strip() if _LENGTH.fullmatch(length.strip()) else "",
        )

    def note(self) -> dict[str, str]:
        """Return what a provenance should hold of them."""
        return {name: value for name, value in asdict(self).items() if value}

    def question(self) -> dict[str, str]:
        """Return the headers that ask for a file other than this one; none when nothing is known."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value}

    def same_as(self, other: "Validators") -> bool:
        """Tell whether both are of one state: equal ETags, or written at the same time and of the same length.

        ETags are compared weakly (RFC 9110, 8.8.3.2): a proxy may have weakened ours.
        """
        if self.etag and self.etag.removeprefix("W/") == other.etag.removeprefix("W/"):
            return True
        written = (self.last_modified, self.length)
        return all(written) and written == (other.last_modified, other.length)


NOTHING_KNOWN = Validators()


def http_date(text: str) -> str:
    """Return the day of an HTTP date as `YYYY-MM-DD`, empty when it is none."""
    moment = http_moment(text)
    if moment is None or not text.isascii() or not text.isprintable():
        return ""
    return moment.date().isoformat()


class ConditionalClient(HttpClient):
    """A client that can be told what is known already."""

    def __enter__(self) -> "ConditionalClient":
        return self

    @contextmanager
    def get_changed(
        self,
        url: str,
        *,
        known: Validators,
        deadline: Deadline,
        max_bytes: int,
        params: Mapping[str, str] | None = None,
        auth: BasicAuth | None = None,
    ) -> Iterator[Response | None]:
        """Give the response as `get` does, or None when the file at `url` is the `known` one.

        Raises RequestFailed as `get` does.
        """
        asked = known.question()
        with ExitStack() as stack:
            self._session.headers.update(asked)
            stack.callback(self._forget, asked)
            try:
                response = stack.enter_context(
                    self.get(url, deadline=deadline, max_bytes=max_bytes, params=params, auth=auth)
                )
            except RequestFailed as err:
                if err.status != _NOT_MODIFIED or not asked:
                    raise
                yield None
                return
            if known.same_as(Validators.of(response.headers)):
                self._guard.drop()  # or the upstream would go on sending into the void
                yield None
            else:
                yield response

    def _forget(self, asked: Mapping[str, str]) -> None:
        for name in asked:
            self._session.headers.pop(name, None)
