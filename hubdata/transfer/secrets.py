"""Secrets: read from the environment or a file that it names, and never shown by accident.

A `Secret` prints as stars wherever a value could slip out: `str`, `repr`, format strings, a traceback that shows
locals, `pickle`. Only `reveal()` gives the value, so a search for that word finds each place where it is used.
"""

import hmac
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

from hubdata.errors import ConfigError

_MAX_FILE_BYTES = 64 * 1024


class Secret:
    """A value that must not be seen."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the one call that needs it."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(***)"

    def __str__(self) -> str:
        return "***"

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment]  # a hash of a secret in a set or log is a leak with extra steps

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not written anywhere")


def secret_variable(environment: Mapping[str, str], name: str) -> str | None:
    """Return which variable gives the secret, `name` or `name_FILE`; None when both are absent or empty.

    An empty variable counts as absent: CI systems pass secrets that a fork may not see as empty strings.
    """
    for variable in (name, f"{name}_FILE"):
        if environment.get(variable, "").strip():
            return variable
    return None


def read_secret(environment: Mapping[str, str], name: str) -> Secret | None:
    """Return the secret in the variable `name` or in the file that `name_FILE` names, without surrounding white space.

    None when neither is set. Raises ConfigError when both are, or when the file cannot be used.
    """
    variable = secret_variable(environment, name)
    if variable is None:
        return None
    if variable == name:
        if environment.get(f"{name}_FILE", "").strip():
            raise ConfigError(f"{name} and {name}_FILE are both set", advice="unset one of them")
        return Secret(environment[name].strip())
    return _from_file(Path(environment[variable].strip()), variable)


def _from_file(path: Path, variable: str) -> Secret:
    try:
        with path.open("rb") as file:
            body = file.read(_MAX_FILE_BYTES + 1)
    except OSError as err:
        raise ConfigError(
            f"{variable} names {path}, which cannot be read: {err.strerror or type(err).__name__}",
            advice="check that the file is mounted and that this user may read it",
        ) from err
    if len(body) > _MAX_FILE_BYTES:
        raise ConfigError(
            f"{variable} names {path}, which holds more than {_MAX_FILE_BYTES} bytes",
            advice="the file must hold the secret alone",
        )
    try:
        value = body.decode().strip()
    except UnicodeDecodeError:
        # The decoding error itself quotes the bytes, so it is not chained.
        raise ConfigError(
            f"{variable} names {path}, which is not UTF-8 text", advice="the file must hold the secret alone"
        ) from None
    if not value:
        raise ConfigError(f"{variable} names {path}, which is empty", advice="write the secret into it")
    return Secret(value)
