"""The table `[metrics]` of the settings: where runs leave what they measured.

A Pushgateway's password never stands here: then the whole URL comes from `HUBDATA_METRICS__PUSHGATEWAY`.
"""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from hubdata.tables import BaseModel, ConfigDict, Field, field_validator

if TYPE_CHECKING:
    from hubdata.model.monitoring import Monitoring


class MetricsTable(BaseModel):
    """Where runs leave what they measured. The worker's `/metrics` needs none of it."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    textfile: str | None = Field(
        default=None, pattern=r"(^|/)[^/\x00.][^/\x00]*\.prom$", description="A file that node_exporter reads: *.prom."
    )
    pushgateway: str | None = Field(default=None, max_length=2048, description="The base URL of a Pushgateway.")
    instance: str = Field(
        default="", pattern=r"^[A-Za-z0-9_.:-]{0,128}$", description="What sets these runs apart at the Pushgateway."
    )
    timeout_s: float = Field(default=10, gt=0, le=60, description="Seconds for the Pushgateway to answer.")

    @field_validator("pushgateway")
    @classmethod
    def _reachable(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not (url.isascii() and url.isprintable()):
            raise ValueError("expected a URL: http(s)://HOST[:PORT][/PATH]")
        if parts.query or parts.fragment or " " in url:
            raise ValueError("it must not have a query or fragment")
        _ = parts.port  # raises ValueError when it is none
        return url


def monitoring_of(table: MetricsTable | None, path: Callable[..., Path]) -> "Monitoring | None":
    """Return what the table says, None when it names nothing; `path(text, *place)` makes a path absolute."""
    if table is None or (table.textfile is None and table.pushgateway is None):
        return None
    from hubdata.model.monitoring import Gateway, Monitoring

    return Monitoring(
        None if table.textfile is None else path(table.textfile, "metrics", "textfile"),
        None
        if table.pushgateway is None
        else Gateway(table.pushgateway, table.instance, timedelta(seconds=table.timeout_s)),
    )
