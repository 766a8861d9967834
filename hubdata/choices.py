"""What somebody asks of a run, as the command line says it."""

from pathlib import Path

from hubdata.values import frozen


@frozen
class Choices:
    """What the command line said. Empty `jobs` and `targets` mean all; `checkouts` are `DIR` or `URL=DIR`.

    `run_id` is what the run is called by whoever has told of it already; otherwise it gets a name of its own.
    """

    config: Path | None = None
    jobs_dir: Path | None = None
    jobs: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    checkouts: tuple[str, ...] = ()
    dry_run: bool = False
    force: bool = False
    approve: tuple[str, ...] = ()
    allow_rollback: bool = False
    wait: bool = False
    editions: tuple[str, ...] = ()
    run_id: str = ""
