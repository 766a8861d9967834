"""What forgetting costs at a CDN: the values that the choice of paths and its estimate are made of."""

from hubdata.values import frozen


@frozen
class Tariff:
    """How one CDN charges for paths, and how many it takes at once.

    `free_paths` is how many one publication may spend before paths are worth saving; each further one costs
    `usd_per_path`. An unchanged object that is evicted has to be fetched again, at `usd_per_evicted_gb`. Of paths at
    most `max_plain` and `max_wildcards` are in progress at once. `unmatchable` are characters that no path matches:
    a key with one of them takes a wildcard that ends before it. `collapses` lets a directory become one wildcard.
    """

    free_paths: int
    usd_per_path: float
    usd_per_evicted_gb: float
    max_plain: int
    max_wildcards: int
    unmatchable: str = ""
    collapses: bool = True


@frozen
class Estimate:
    """What telling a CDN of one publication comes to. `usd` is None where the CDN does not charge by the path.

    `paths` counts all of them; `wildcards` and `tags` among them evict `evicted` unchanged objects of
    `evicted_bytes` in all. `free_paths` is what the settings let one publication spend before it costs anything.
    """

    paths: int
    wildcards: int = 0
    tags: int = 0
    evicted: int = 0
    evicted_bytes: int = 0
    free_paths: int = 0
    usd: float | None = None
