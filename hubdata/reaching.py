"""Build the targets that were chosen, and begin to connect to them, before anything else of a run is even loaded.

A store far away answers a first request after two round trips, and two more with TLS. What a run needs besides its
settings takes about as long to load; so one goes on beside the other.
"""

from collections.abc import Iterable, Mapping

from hubdata.config.settings import Settings
from hubdata.errors import ConfigError
from hubdata.plugins import Seam, load, parse_options, suggest
from hubdata.ports import Reachable, Target

_AT_FIRST = 3
"""A survey asks for the listing, the manifest and the ledger at once."""


def reached(settings: Settings, names: tuple[str, ...]) -> Mapping[str, Target]:
    """Return the chosen targets by name, all where none is named; connections to them are under way.

    What goes wrong with a connection is told when the target is asked. Raises ConfigError when there is no target of
    such a name.
    """
    targets = {name: build_target(settings, name) for name in chosen_targets(names, settings)}
    for target in targets.values():
        if isinstance(target, Reachable):
            target.reach(_AT_FIRST)
    return targets


def build_target(settings: Settings, name: str) -> Target:
    """Return the adapter for the target called `name`. Raises ConfigError when there is none such."""
    (name,) = chosen_targets((name,), settings)
    spec = settings.targets[name]
    target: Target = load(Seam.TARGET, spec.type)(name, parse_options(Seam.TARGET, spec.type, spec.options))
    return target


def chosen_targets(names: tuple[str, ...], settings: Settings) -> Iterable[str]:
    """Return the names of the chosen targets, all where none is named. Raises ConfigError for one that is not there."""
    for name in names:
        if name not in settings.targets:
            raise ConfigError(f"--target {name}: there is no such target", advice=suggest(name, settings.targets))
    return names or settings.targets
