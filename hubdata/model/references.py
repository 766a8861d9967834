"""What one rule file shares with the files that an engine loads beside it."""

from hubdata.values import frozen


@frozen
class References:
    """Rule ids, and phrase files by the name that the rule gives, each with its line."""

    ids: tuple[tuple[int, int], ...] = ()
    phrase_files: tuple[tuple[str, int], ...] = ()
