"""Tell every setting and where it came from, secrets left out: `hubdata config show`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hubdata.config.document import leaves
from hubdata.config.http_table import HttpSpec
from hubdata.config.layers import DEFAULT, Layers
from hubdata.config.problems import stop_on_errors
from hubdata.config.settings import Settings, TargetSpec, read_settings
from hubdata.model.monitoring import Monitoring
from hubdata.model.notify import EVERYTHING, URL_VARIABLE, Notify
from hubdata.model.secret import HIDDEN, redact
from hubdata.plugins import Seam, brought, parse_options
from hubdata.signing.keys import SignSpec

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "GEOIPUPDATE_ACCOUNT_ID",
    "GEOIPUPDATE_LICENSE_KEY",
    "HUBDATA_GITHUB_SECRET",
    "HUBDATA_HTTP_TOKEN",
    URL_VARIABLE,
    "HUBDATA_SIGNING_KEY",
    "HUBDATA_SIGNING_PASSWORD",
    "MAXMIND_ACCOUNT_ID",
    "MAXMIND_LICENSE_KEY",
)


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its key, its value as text and redacted, and its origin (`hubdata.toml:3`, `--jobs`, `default`)."""

    key: str
    value: str
    origin: str


def show(
    *, config: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any], cwd: Path
) -> tuple[Row, ...]:
    """Return every setting in force, in the order of hubdata.toml, adapters' defaults included.

    Credentials found in the environment are named, never shown. Raises ConfigError with every problem.
    """
    layers, settings, problems = read_settings(config=config, environment=environment, flags=flags, cwd=cwd)
    stop_on_errors(problems)
    return (*_settings(layers, settings), *_credentials(environment), *_brought()) if settings else ()


def _settings(layers: Layers, settings: Settings) -> Iterator[Row]:
    def row(value: object, *place: str) -> Row:
        origin = layers.origins.get(place)
        return Row(".".join(place), redact(place[-1], _text(value)), str(origin or DEFAULT))

    yield row(settings.jobs, "jobs")
    yield row(settings.spool, "spool")
    yield row(str(settings.sha256sums).lower(), "sha256sums")
    yield row(str(settings.page).lower(), "page", "publish")
    yield row(str(settings.remember).lower(), "validation", "remember")
    yield row(settings.processes or "by cores, max 4", "validation", "processes")
    for name, target in settings.targets.items():
        yield row(target.type, "targets", name, "type")
        yield from (row(v, "targets", name, *k) for k, v in _options(Seam.TARGET, target.type, target.options))
        yield row(target.cdn or "none", "targets", name, "cdn")
        yield from (row(value, "targets", name, key) for key, value in _stage(target))
    for name, cdn in settings.cdns.items():
        yield row(cdn.type, "cdns", name, "type")
        yield from (row(v, "cdns", name, *k) for k, v in _options(Seam.CDN, cdn.type, cdn.options))
    for url, path in settings.checkouts.items():
        origin = layers.origins.get(("checkouts", url))
        yield Row(f"checkouts.{redact('url', url)}", str(path), str(origin or DEFAULT))
    if settings.verify is not None:
        yield row(settings.verify.url, "verify", "url")
        yield row(settings.verify.families, "verify", "families")
        yield row(settings.verify.target or next(iter(settings.targets)), "verify", "target")
        yield row(settings.verify.pins, "verify", "resolve")
        yield row(settings.verify.sample, "verify", "sample")
        yield row(f"{settings.verify.wait.total_seconds():g}", "verify", "wait_s")
        yield row(f"{settings.verify.silence.total_seconds():g}", "verify", "silence_s")
        yield row(f"{settings.verify.timeout.total_seconds():g}", "verify", "timeout_s")
    yield row(f"{settings.lease.holds.total_seconds():g}", "lease", "holds_s")
    yield row(f"{settings.lease.waits.total_seconds():g}", "lease", "waits_s")
    if settings.fleet is not None:
        yield row(settings.fleet.engines, "fleet", "engines")
        yield row(f"{settings.fleet.usd_per_gb:g}", "fleet", "usd_per_gb")
    if settings.sign is not None:
        yield from (row(value, "sign", key) for key, value in _sign(settings.sign))
    if settings.hook is not None:
        yield row(settings.hook.argv, "hooks", "on_published")
        yield row(f"{settings.hook.timeout.total_seconds():g}", "hooks", "timeout_s")
        yield row(settings.hook.pass_environment, "hooks", "pass_environment")
    if settings.metrics is not None:
        yield from (row(value, "metrics", key) for key, value in _metrics(settings.metrics))
    if settings.notify is not None:
        yield from (row(value, "notify", key) for key, value in _notify(settings.notify))
    if settings.http is not None:
        yield from (row(value, "http", *place) for place, value in _http(settings.http))


def _http(http: HttpSpec) -> Iterator[tuple[tuple[str, ...], object]]:
    yield ("listen",), [f"{place.host}:{place.port}" for place in http.listen]
    yield ("target",), http.target
    yield ("max_connections",), http.max_connections
    if http.github is not None:
        yield ("github", "repository"), http.github.repository
        yield ("github", "ref"), http.github.ref
        yield ("github", "jobs"), http.github.jobs
        yield ("github", "max_bytes"), http.github.max_bytes


def _stage(target: TargetSpec) -> Iterator[tuple[str, object]]:
    if target.stage is not None:
        yield "after", target.stage.after
        yield "soak", f"{target.stage.soak.total_seconds():g}s"
    if target.gate is not None:
        yield "gate", target.gate.argv
        yield "gate_timeout_s", f"{target.gate.timeout.total_seconds():g}"


def _options(seam: Seam, word: str, options: Mapping[str, Any]) -> Iterator[tuple[tuple[str, ...], object]]:
    """Return an adapter's options with its own defaults filled in; lists are one value."""
    parsed = parse_options(seam, word, options).model_dump(mode="json")
    for key, value in parsed.items():
        if isinstance(value, dict) and value:
            yield from (((key, *map(str, place)), inner) for place, inner in leaves(value))
        else:
            yield (key,), value


def _sign(sign: SignSpec) -> Iterator[tuple[str, object]]:
    yield "public_key", sign.public_key.text
    yield "earlier_keys", [key.text for key in sign.earlier]
    yield "key_file", sign.key_file
    if sign.kms is not None:
        yield "kms_key", sign.kms.id
        yield "kms_region", sign.kms.region
        yield "kms_endpoint_url", sign.kms.endpoint_url


def _metrics(metrics: Monitoring) -> Iterator[tuple[str, object]]:
    yield "textfile", metrics.textfile
    if metrics.gateway is not None:
        yield "pushgateway", metrics.gateway.url
        yield "instance", metrics.gateway.instance
        yield "timeout_s", f"{metrics.gateway.timeout.total_seconds():g}"


def _notify(notify: Notify) -> Iterator[tuple[str, object]]:
    yield "url_env", notify.url_variable
    yield "format", notify.form
    yield "command", notify.argv
    yield "on", [word for word in EVERYTHING if word in notify.on]
    yield "timeout_s", f"{notify.timeout.total_seconds():g}"
    yield "pass_environment", notify.pass_environment


def _brought() -> Iterator[Row]:
    """Yield what other packages bring, usable or not."""
    for seam in Seam:
        for one in brought(seam):
            yield Row(f"{seam}s.{one.word}", f"refused: {one.trouble}" if one.trouble else one.path, one.package)


def _credentials(environment: Mapping[str, str]) -> Iterator[Row]:
    for name in _CREDENTIALS:
        if environment.get(name):
            yield Row(name, HIDDEN, "environment")
        if environment.get(f"{name}_FILE"):
            yield Row(f"{name}_FILE", environment[f"{name}_FILE"], "environment")


def _text(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
