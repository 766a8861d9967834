"""How much of a database a proof has looked at."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Counts:
    """How much was proven. `records` are distinct; `networks` counts every record of the tree that holds data."""

    nodes: int = 0
    networks: int = 0
    records: int = 0
    fields: int = 0
    pointers: int = 0
