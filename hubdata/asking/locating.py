"""Look up whose the networks of a comparison or a plan are, in databases that are named or published here."""

from dataclasses import replace
from pathlib import Path

from hubdata.config.settings import Settings
from hubdata.errors import ConfigError
from hubdata.model.comparison import Comparison
from hubdata.model.run import RunResult
from hubdata.transfer.atlas import Atlas, with_origins

_PUBLISHED_DATABASES = "mmdb_update"
"""Where the GeoIP job publishes, below a target's root."""


def atlas_of(named: tuple[Path, ...], settings: Settings | None) -> tuple[Atlas | None, tuple[str, ...]]:
    """Return the databases `named`; without any, those that a directory target holds, or None.

    Raises ConfigError for named ones that cannot be used. Published ones that cannot are a notice.
    """
    if named:
        return Atlas(named), ()
    for name, spec in {} if settings is None else settings.targets.items():
        directory = Path(str(spec.options.get("path", ""))) / _PUBLISHED_DATABASES
        if spec.type == "directory" and any(directory.glob("*.mmdb")):
            try:
                return Atlas([directory]), ()
            except ConfigError as err:
                return None, (f"networks are not looked up in what target {name} holds: {err}",)
    return None, ()


def located(result: Comparison, atlas: Atlas) -> Comparison:
    """Return `result` with the origins of its networks."""
    files = tuple(replace(file, difference=with_origins(file.difference, atlas)) for file in result.files)
    return replace(result, files=files)


def located_run(result: RunResult, atlas: Atlas) -> RunResult:
    """Return `result` with the origins of the networks that its changes speak of."""
    jobs = []
    for job in result.jobs:
        targets = tuple(
            replace(target, meanings={key: with_origins(meant, atlas) for key, meant in target.meanings.items()})
            for target in job.targets
        )
        jobs.append(replace(job, targets=targets))
    return replace(result, jobs=tuple(jobs))
