"""What was aimed at, each aim held to what was measured. Ratios are of medians in the same scenario and network."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import many, tree
from bench.replay import INCUMBENT
from bench.results import FAR, LOOPBACK, Measured, Part
from bench.tables import ratio
from bench.world import HUBDATA

S5CMD = "s5cmd"
WRITES = ("PUT", "POST", "DELETE")
SMALL, LARGE = (many.NOTHING.format(count) for count in many.SIZES)

Found = Mapping[str, Part]


@dataclass(frozen=True, slots=True)
class Target:
    """An aim: at most, or at least, `limit`. `aim` is what is hoped for, not demanded."""

    what: str
    limit: float
    value: Callable[[Found], float | None]
    at_least: bool = False
    aim: bool = False
    unit: str = "x"

    def wanted(self) -> str:
        """Return what is wanted, for a person."""
        return f"{'aim: ' * self.aim}{'>=' if self.at_least else '<='} {_figure(self.limit, self.unit)}"

    def row(self, found: Found) -> tuple[str, str, str, str]:
        """Return what, wanted, measured, and whether it is met."""
        value = self.value(found)
        if value is None:
            return self.what, self.wanted(), "not measured", "?"
        met = value >= self.limit if self.at_least else value <= self.limit
        return self.what, self.wanted(), _figure(value, self.unit), "met" if met else "**not met**"


def _figure(value: float, unit: str) -> str:
    places = 0 if unit in ("requests", "writes", "puts", "MB") else 2
    return f"{value:,.{places}f}{'x' if unit == 'x' else f' {unit}'}"


def _against(scenario: str, net: str, peer: str, part: str = "sync") -> Callable[[Found], float | None]:
    return lambda found: ratio(found[part], scenario, net, HUBDATA, peer) if part in found else None


def _figure_of(part: str, name: str) -> Callable[[Found], float | None]:
    return lambda found: found[part].figures.get(name) if part in found else None


def _one(part: str, scenario: str, net: str, of: Callable[[Measured], float | None]) -> Callable[[Found], float | None]:
    def value(found: Found) -> float | None:
        one = found[part].of(scenario, net, HUBDATA) if part in found else None
        return of(one) if one else None

    return value


def _requests(one: Measured) -> float | None:
    return one.wire.count if one.wire else None


def _writes(one: Measured) -> float | None:
    return sum(one.wire.requests.get(method, 0) for method in WRITES) if one.wire else None


def _peak(one: Measured) -> float:
    return max(run.peak_mb for run in one.runs)


FRESH, SAME, FIRST, ONE = tree.FRESH, tree.SAME, tree.FIRST, tree.ONE

TARGETS = (
    Target(f"{FRESH}: requests", 3, _one("sync", FRESH, FAR, _requests), unit="requests"),
    Target(f"{FRESH}: writes (0 bytes up)", 0, _one("sync", FRESH, FAR, _writes), unit="writes"),
    Target(f"{FRESH}, far: wall / aws", 0.25, _against(FRESH, FAR, INCUMBENT)),
    Target(f"{FRESH}, far: wall / s5cmd", 0.8, _against(FRESH, FAR, S5CMD)),
    Target(f"{FRESH}, loopback: wall / aws", 0.4, _against(FRESH, LOOPBACK, INCUMBENT)),
    *(
        target
        for net, name in ((FAR, "far"), (LOOPBACK, "loopback"))
        for target in (
            Target(f"{SAME}, {name}: wall / aws", 0.8, _against(SAME, net, INCUMBENT)),
            Target(f"{SAME}, {name}: wall / s5cmd", 1.0, _against(SAME, net, S5CMD), aim=True),
            Target(f"{FIRST}, {name}: wall / aws", 0.45, _against(FIRST, net, INCUMBENT)),
            Target(f"{FIRST}, {name}: wall / s5cmd", 1.0, _against(FIRST, net, S5CMD), aim=True),
            Target(f"{FIRST}, {name}: wall / s5cmd, at most", 1.3, _against(FIRST, net, S5CMD)),
            Target(f"{ONE}, {name}: wall / aws", 0.3, _against(ONE, net, INCUMBENT)),
            Target(f"{ONE}, {name}: wall / s5cmd", 1.0, _against(ONE, net, S5CMD)),
        )
    ),
    Target(f"{ONE}: data objects put", 1, _figure_of("sync", "data_puts"), unit="puts"),
    Target(f"{LARGE}: wall / aws", 0.5, _against(LARGE, LOOPBACK, INCUMBENT, "many")),
    Target(f"{LARGE}: peak memory", 400, _one("many", LARGE, LOOPBACK, _peak), unit="MB"),
    Target("ten times as many files: wall grows by (linear: 10)", 10, _figure_of("many", "growth")),
    Target("fleet: times less downloaded than with aws", 50, _figure_of("replay", "fleet_ratio"), at_least=True),
    Target("`hubdata --version`", 0.1, _figure_of("start", "version_s"), unit="s"),
    Target(
        "`hubdata plan`, unchanged tree: what distance costs (a connection and a request: 0.12 s)",
        0.15,
        _figure_of("start", "plan_distance_s"),
        aim=True,
        unit="s",
    ),
    Target("1,000,000 IPv4 rows: wall / iprange", 1.0, _figure_of("lists", "v4/iprange"), aim=True),
    Target("1,000,000 IPv4 rows: wall / ipaddress", 0.1, _figure_of("lists", "v4/ipaddress")),
    Target("300,000 IPv6 rows: wall / ipaddress", 0.1, _figure_of("lists", "v6/ipaddress")),
    Target("the whole real tree judged: CPU after imports", 0.5, _figure_of("judging", "tree_cpu_s"), unit="s"),
    Target("proof of 66 MB, one thread: Go / it", 3, _figure_of("mmdb", "one thread"), at_least=True),
    Target("proof of 66 MB, two threads: Go / it", 4, _figure_of("mmdb", "two threads"), at_least=True),
    Target("proof of 66 MB, one thread: C reader / it", 15, _figure_of("mmdb", "C reader"), at_least=True),
    Target("`hubdata geoip diff` of two 60 MB databases", 3, _figure_of("geoip-diff", "command"), unit="s"),
    Target("GeoIP refresh: wall / sum of its parts", 2, _figure_of("refresh", "a newer build")),
)


def rows(found: Found) -> tuple[tuple[str, str, str, str], ...]:
    """Return a row for each target."""
    return tuple(target.row(found) for target in TARGETS)
