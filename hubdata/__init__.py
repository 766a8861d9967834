"""hubdata keeps a bucket of security data true: fetch, prove, publish what changed, tell the CDN.

For programs: `from hubdata import validate_file, verify_mmdb, plan`. Importing the package imports none of it; a name
is looked up in `hubdata.api` when it is first asked for (PEP 562), for the command line starts here too.
"""

__version__ = "0.1.0"

TYPE_CHECKING = False
"""What `typing` has under this name, without its import; type checkers know the word."""

if TYPE_CHECKING:
    from hubdata.api import (
        Action,
        CdnError,
        Change,
        CheckedFile,
        ConfigError,
        Conflict,
        Defect,
        Exit,
        Finding,
        HubdataError,
        JobResult,
        Limits,
        MmdbProof,
        Outcome,
        Plan,
        Problem,
        Reason,
        RunResult,
        Severity,
        SourceError,
        Stats,
        TargetError,
        TargetResult,
        plan,
        validate_file,
        verify_mmdb,
    )

__all__ = [
    "Action",
    "CdnError",
    "Change",
    "CheckedFile",
    "ConfigError",
    "Conflict",
    "Defect",
    "Exit",
    "Finding",
    "HubdataError",
    "JobResult",
    "Limits",
    "MmdbProof",
    "Outcome",
    "Plan",
    "Problem",
    "Reason",
    "RunResult",
    "Severity",
    "SourceError",
    "Stats",
    "TargetError",
    "TargetResult",
    "__version__",
    "plan",
    "validate_file",
    "verify_mmdb",
]


if not TYPE_CHECKING:  # else a name that is mistyped would pass for one that is looked up

    def __getattr__(name):
        if name in __all__:
            from hubdata import api

            found = globals()[name] = getattr(api, name)
            return found
        raise AttributeError(f"module 'hubdata' has no attribute {name!r}")

    def __dir__():
        return sorted({*globals(), *__all__})
