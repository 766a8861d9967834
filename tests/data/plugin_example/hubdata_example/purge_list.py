"""The CDN `purge-list`: a proxy of one's own that forgets the paths which are appended to a file it watches."""

from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict

from hubdata.errors import CdnError
from hubdata.model.receipt import Invalidation
from hubdata.ports import Reporter


class PurgeListCdn:
    """One file of paths."""

    class Options(BaseModel):
        """`path` is the file that the proxy watches."""

        model_config = ConfigDict(extra="forbid", frozen=True)

        path: Path

    def __init__(
        self,
        name: str,
        options: Options,
        key_prefix: str = "",
        *,
        reporter: Reporter | None = None,
        patience: timedelta | None = None,
    ) -> None:
        self.name = name
        self._path = options.path
        self._prefix = key_prefix

    def warm(self) -> None:
        """Do nothing: there is nothing to get ready."""

    def paths(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Return the path of each key as readers request it."""
        return tuple("/" + quote(self._prefix + key, safe="/") for key in keys)

    def invalidate(self, paths: tuple[str, ...], reference: str) -> Invalidation:
        """Append the paths, once for a `reference`. Raises CdnError when the file cannot be written."""
        mark = f"# {reference}\n"
        try:
            told = self._path.read_text("utf-8") if self._path.exists() else ""
            if paths and mark not in told:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(mark + "".join(f"{path}\n" for path in paths))
        except OSError as err:
            advice = "let hubdata's user write there; the next run tells it again"
            raise CdnError(f"{self._path}: {err.strerror or err}", advice=advice, retryable=True) from err
        return Invalidation(paths=paths, reference=reference, id=reference if paths else None)

    def wait(self, invalidation: Invalidation, *, timeout: timedelta) -> None:
        """Return at once: the proxy reads the file by itself."""
