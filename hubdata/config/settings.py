"""Read the settings: one value that says where jobs come from and where their data goes.

Everything wrong in all four layers is found in one pass. An adapter's table is checked by the adapter's own model and
handed on as plain values; secrets never pass through here. What most settings do not say is imported where it is said.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hubdata import tables
from hubdata.config.adapters import absolute, adapter_faults, mistyped_type, with_absolute_paths
from hubdata.config.builtin import DEFAULT_FILE, defaults
from hubdata.config.document import Document, read_document
from hubdata.config.http_table import HttpSpec, http_spec
from hubdata.config.layers import EVERY_REPOSITORY, Layers, lay
from hubdata.config.metrics_table import monitoring_of
from hubdata.config.problems import Level, Problem, in_order, stop_on_errors
from hubdata.config.settings_file import (
    CdnTable,
    FleetTable,
    HooksTable,
    NotifyTable,
    SettingsFile,
    TargetTable,
    VerifyTable,
    options_of,
)
from hubdata.config.sign_table import sign_spec
from hubdata.config.stages import stage_faults
from hubdata.config.windows_paths import windows_path_faults
from hubdata.model.lease import Terms
from hubdata.plugins import Fault, Seam, faults, suggest
from hubdata.values import frozen

if TYPE_CHECKING:
    from hubdata.model.fleet import Fleet
    from hubdata.model.gate import Gate
    from hubdata.model.hook import Hook
    from hubdata.model.monitoring import Monitoring
    from hubdata.model.notify import Notify
    from hubdata.model.stage import Stage
    from hubdata.model.verification import VerifySpec
    from hubdata.signing.keys import SignSpec

_TABLES = ((Seam.TARGET, "targets"), (Seam.CDN, "cdns"))
_MODELS: Mapping[Seam, type[TargetTable | CdnTable]] = {Seam.TARGET: TargetTable, Seam.CDN: CdnTable}


@frozen
class TargetSpec:
    """One target as configured. `options` fit the adapter's `Options`; `cdn` names a CDN of the settings, or None.

    A target with a `stage` is fed by another one, not by the sources.
    """

    type: str
    options: Mapping[str, Any]
    cdn: str | None = None
    stage: "Stage | None" = None
    gate: "Gate | None" = None


@frozen
class CdnSpec:
    """One CDN as configured."""

    type: str
    options: Mapping[str, Any]


@frozen
class Settings:
    """Everything that is not a job. All paths are absolute.

    `embedded` tells that nobody named a target, so the default directory is used. `notices` are warnings as text.
    """

    jobs: Path
    spool: Path
    targets: Mapping[str, TargetSpec]
    cdns: Mapping[str, CdnSpec]
    checkouts: Mapping[str, Path] = field(default_factory=dict)
    verify: "VerifySpec | None" = None
    hook: "Hook | None" = None
    notify: "Notify | None" = None
    lease: Terms = Terms()
    sign: "SignSpec | None" = None
    sha256sums: bool = False
    page: bool = True
    remember: bool = True
    processes: int | None = None
    fleet: "Fleet | None" = None
    http: HttpSpec | None = None
    metrics: "Monitoring | None" = None
    embedded: bool = False
    notices: tuple[str, ...] = ()

    def checkout(self, url: str) -> Path | None:
        """Return the directory that stands in for the repository at `url`, or None to fetch it.

        `.git` and a slash at the end make no difference.
        """
        by_url = {_plain(known): path for known, path in self.checkouts.items()}
        return by_url.get(_plain(url), self.checkouts.get(EVERY_REPOSITORY))


def load_settings(
    *, config: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any], cwd: Path
) -> Settings:
    """Return the settings of all layers.

    `config` is the file that a person named; None looks for `hubdata.toml` in `cwd`, and without one the defaults
    hold. `flags` may hold `jobs`, `spool` and `checkout` (a sequence of `DIR` or `URL=DIR`).
    Raises ConfigError with every problem, one a line.
    """
    layers, settings, problems = read_settings(config=config, environment=environment, flags=flags, cwd=cwd)
    stop_on_errors(problems)
    assert settings is not None, layers  # noqa: S101 - no error, so there are settings
    return settings


def read_settings(
    *, config: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any], cwd: Path
) -> tuple[Layers, Settings | None, tuple[Problem, ...]]:
    """Return the layers, the settings (None when there is an error in them) and every problem."""
    document, problems = _document(config, environment, cwd)
    layers = lay(defaults(environment, cwd), document, environment, flags, cwd)
    if document is not None and problems and not document.data:  # unreadable: the defaults below it say nothing
        return layers, None, problems
    found = in_order((*problems, *layers.problems, *_problems(layers)))
    if any(p.level is Level.ERROR for p in found):
        return layers, None, found
    notices = tuple(map(str, found))
    return layers, _settings(layers, notices), found


def _document(
    config: Path | None, environment: Mapping[str, str], cwd: Path
) -> tuple[Document | None, tuple[Problem, ...]]:
    """Return the settings file, None when there is none and nobody asked for one."""
    named = config or (Path(environment["HUBDATA_CONFIG"]) if environment.get("HUBDATA_CONFIG") else None)
    path = cwd / (named or DEFAULT_FILE)
    if not _is_there(path):
        if named is None:
            return None, ()
        missing = Problem(str(named), None, "", "there is no such file", "name an existing file after -c/--config")
        return Document(str(named), cwd), (missing,)
    return read_document(path, path.relative_to(cwd).as_posix() if path.is_relative_to(cwd) else str(path))


def _is_there(path: Path) -> bool:
    """Tell whether there is such a file, or one that this user may not know of: reading it says why."""
    try:
        return path.exists()
    except OSError:
        return True


def _problems(layers: Layers) -> Iterator[Problem]:
    try:
        SettingsFile.model_validate(layers.data)
    except tables.ValidationError as err:
        yield from map(layers.problem, faults(err, SettingsFile))
    for seam, name in _TABLES:
        said = layers.data.get(name)
        for key, table in said.items() if isinstance(said, dict) else ():
            if isinstance(table, dict):
                model, place = _MODELS[seam], (name, key)
                yield from map(layers.problem, mistyped_type(table, place))
                if isinstance(word := table.get("type"), str):
                    options, beside = options_of(table, model), model.model_fields
                    found = adapter_faults(seam, word, options, (*place, "type"), beside=beside)
                    yield from map(layers.problem, found)
    yield from map(layers.problem, windows_path_faults(layers.data))
    yield from map(layers.problem, _dangling_cdns(layers.data))
    for table in ("verify", "http"):
        yield from map(layers.problem, _dangling_target(layers.data, table))
    yield from map(layers.problem, stage_faults(layers.data.get("targets")))


def _dangling_cdns(data: Mapping[str, Any]) -> Iterator[Fault]:
    targets, cdns = data.get("targets"), data.get("cdns", {})
    if not isinstance(targets, dict) or not isinstance(cdns, dict):
        return
    for name, table in targets.items():
        cdn = table.get("cdn") if isinstance(table, dict) else None
        if isinstance(cdn, str) and cdn not in (*cdns, "none"):
            yield Fault(("targets", name, "cdn"), f"there is no [cdns.{cdn}]", suggest(cdn, [*cdns, "none"]))


def _dangling_target(data: Mapping[str, Any], table: str) -> Iterator[Fault]:
    targets, said = data.get("targets"), data.get(table)
    name = said.get("target") if isinstance(said, dict) else None
    if isinstance(name, str) and isinstance(targets, dict) and name not in targets:
        yield Fault((table, "target"), f"there is no [targets.{name}]", suggest(name, targets))


def _settings(layers: Layers, notices: tuple[str, ...]) -> Settings:
    file = SettingsFile.model_validate(layers.data)

    def options(seam: Seam, table: str, name: str, word: str) -> dict[str, Any]:
        raw = options_of(layers.data[table][name], _MODELS[seam])
        return with_absolute_paths(seam, word, raw, lambda key: layers.base((table, name, key)))

    def path(text: str | None, *place: str) -> Path:
        return absolute(text or "", layers.base(place))

    return Settings(
        jobs=path(file.jobs, "jobs"),
        spool=path(file.spool, "spool"),
        targets={
            name: TargetSpec(
                t.type,
                options(Seam.TARGET, "targets", name, t.type),
                t.cdn if t.cdn in file.cdns else None,
                stage=_stage(t),
                gate=_gate(t),
            )
            for name, t in file.targets.items()
        },
        cdns={name: CdnSpec(t.type, options(Seam.CDN, "cdns", name, t.type)) for name, t in file.cdns.items()},
        checkouts={url: path(text, "checkouts", url) for url, text in file.checkouts.items()},
        verify=_verify(file.verify),
        hook=_hook(file.hooks),
        notify=_notify(file.notify),
        lease=Terms(timedelta(seconds=file.lease.holds_s), timedelta(seconds=file.lease.waits_s)),
        sign=sign_spec(file.sign, path),
        sha256sums=file.sha256sums,
        page=file.page.publish,
        remember=file.validation.remember,
        processes=file.validation.processes,
        fleet=_fleet(file.fleet),
        http=http_spec(file.http),
        metrics=monitoring_of(file.metrics, path),
        embedded=layers.defaulted("targets"),
        notices=notices,
    )


def _stage(table: TargetTable) -> "Stage | None":
    if table.after is None or table.soak is None:
        return None
    from hubdata.model.stage import Stage

    return Stage(table.after, table.soak)


def _gate(table: TargetTable) -> "Gate | None":
    if not table.gate:
        return None
    from hubdata.model.gate import Gate

    return Gate(tuple(table.gate), timedelta(seconds=table.gate_timeout_s))


def _fleet(table: FleetTable | None) -> "Fleet | None":
    if table is None:
        return None
    from hubdata.model.fleet import Fleet

    return Fleet(table.engines, table.usd_per_gb)


def _verify(table: VerifyTable | None) -> "VerifySpec | None":
    if table is None:
        return None
    from hubdata.model.verification import Family, Pin, VerifySpec

    return VerifySpec(
        url=table.url.rstrip("/"),
        families=tuple(dict.fromkeys(map(Family, table.families))),
        target=table.target,
        pins=tuple(map(Pin.parse, table.resolve)),
        sample=table.sample,
        wait=timedelta(seconds=table.wait_s),
        silence=timedelta(seconds=table.silence_s),
        timeout=timedelta(seconds=table.timeout_s),
    )


def _hook(table: HooksTable | None) -> "Hook | None":
    if table is None:
        return None
    from hubdata.model.hook import Hook

    return Hook(tuple(table.on_published), timedelta(seconds=table.timeout_s), tuple(table.pass_environment))


def _notify(table: NotifyTable | None) -> "Notify | None":
    if table is None or (table.url_env is None and table.command is None):
        return None
    from hubdata.model.notify import Notify

    return Notify(
        table.url_env,
        table.format,
        tuple(table.command or ()),
        frozenset(table.on),
        timedelta(seconds=table.timeout_s),
        tuple(table.pass_environment),
    )


def _plain(url: str) -> str:
    return url.rstrip("/").removesuffix(".git")
