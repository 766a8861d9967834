"""How much space changed its country or its system: exact, whatever the cut of the networks."""

import random
from collections import Counter
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Network, ip_network
from itertools import pairwise
from pathlib import Path
from typing import Any

import maxminddb
import numpy as np
import pytest

from hubdata.demo.mmdb_writer import mmdb
from hubdata.mmdb import difference as module
from hubdata.mmdb.columns import column
from hubdata.mmdb.difference import difference
from hubdata.mmdb.layout import Layout, read_layout
from hubdata.mmdb.malformed import Malformed
from hubdata.model.geo import GeoDifference, Measure, Move, Movement, Shift
from tests.support.big_mmdb import old_city_database, real_city_database
from tests.support.mmdb_edits import place_of, value_at, with_value
from tests.support.mmdb_networks import networks
from tests.support.real import MMDB, needs_real

PATHS = (("country", "iso_code"), ("registered_country", "iso_code"))


def _made(database_type: str, said: Mapping[str, Any]) -> Layout:
    records = {ip_network(net): value if isinstance(value, dict) else _country(value) for net, value in said.items()}
    return read_layout(mmdb(database_type, records, build_epoch=1))


def _country(code: str) -> dict[str, Any]:
    return {"country": {"iso_code": code, "names": {"en": code}}}


def _countries(old: Mapping[str, Any], new: Mapping[str, Any]) -> Movement:
    found = difference(_made("GeoLite2-City", old), _made("GeoLite2-City", new))
    (movement,) = found.movements
    assert movement.measure is Measure.COUNTRY
    return movement


def test_space_that_changed_gained_and_lost_a_country_is_counted() -> None:
    """A /24 changes, a /25 is gained, a /26 is lost, a /27 stays; of IPv6 the same in /64s."""
    old = {"10.0.0.0/24": "DE", "10.2.0.0/26": "FR", "10.3.0.0/27": "US", "2a00::/48": "DE", "2a02::/56": "US"}
    new = {"10.0.0.0/24": "FR", "10.1.0.0/25": "FR", "10.3.0.0/27": "US", "2a00::/48": "FR", "2a01::/64": "US"}
    found = _countries(old, new)
    assert found.four == Shift(
        same=32,
        changed=256,
        gained=128,
        lost=64,
        moves=(Move("DE", "FR", 256), Move("", "FR", 128), Move("FR", "", 64)),
        move_count=3,
    )
    assert found.six == Shift(
        same=0,
        changed=1 << 16,
        gained=1,
        lost=1 << 8,
        moves=(Move("DE", "FR", 1 << 16), Move("US", "", 1 << 8), Move("", "US", 1)),
        move_count=3,
    )


def test_networks_cut_otherwise_are_no_difference() -> None:
    """One /8, or its halves with other cities in them: the country of every address is the same."""
    whole = {"10.0.0.0/8": "DE", "2a00::/16": "DE"}
    cut = {
        "10.0.0.0/9": {"city": {"names": {"en": "Bonn"}}, "country": {"iso_code": "DE"}},
        "10.128.0.0/10": {"registered_country": {"iso_code": "DE"}},
        "10.192.0.0/10": "DE",
        "2a00::/17": "DE",
        "2a00:8000::/17": "DE",
    }
    for found in (_countries(whole, cut), _countries(cut, whole)):
        assert (found.four.same, found.four.moved, found.four.moves) == (1 << 24, 0, ())
        assert (found.six.same, found.six.moved, found.six.moves) == (1 << 48, 0, ())


def test_a_record_without_a_country_is_like_no_record() -> None:
    """Engines find no country either way; an empty record that becomes one is a gain."""
    found = _countries({"10.0.0.0/24": {"location": {}}}, {"10.0.0.0/24": "DE"})
    assert (found.four.gained, found.four.known) == (256, 256)


def test_networks_smaller_than_a_64_count_as_a_part_of_one() -> None:
    """A single address of IPv6 is a part of one /64; half of one and half of it are one."""
    found = _countries({"2a00::/65": "DE"}, {"2a00::/65": "FR", "2a00::8000:0:0:0/65": "FR"})
    assert (found.six.changed, found.six.gained, found.six.moves[0].amount) == (1, 1, 1)


def test_ipv4_seen_through_an_alias_counts_as_ipv4_alone() -> None:
    """A database with the 6to4 alias and one without have the same IPv6."""
    said = {"10.0.0.0/24": "DE", "2a00::/64": "DE"}
    body = mmdb("GeoLite2-City", {ip_network(net): _country(code) for net, code in said.items()}, build_epoch=1)
    aliased = mmdb(
        "GeoLite2-City",
        {ip_network(net): _country(code) for net, code in {**said, "2002::/16": "DE"}.items()},
        build_epoch=1,
    )
    four = value_at(aliased, place_of(aliased, ip_network("0.0.0.0/0")))
    aliased = with_value(aliased, place_of(aliased, ip_network("2002::/16")), four)
    (found,) = difference(read_layout(body), read_layout(aliased)).movements
    assert (found.four.same, found.four.moved) == (256, 0)
    assert (found.six.same, found.six.moved) == (1, 0)


def test_systems_are_compared_by_number() -> None:
    """An ASN database is compared by system; another name for the same number is no difference."""
    old = {"10.0.0.0/24": _system(64496, "A"), "10.0.1.0/24": _system(64497, "B")}
    new = {"10.0.0.0/24": _system(64496, "A renamed"), "10.0.1.0/24": _system(64498, "B")}
    (found,) = difference(_made("GeoLite2-ASN", old), _made("GeoLite2-ASN", new)).movements
    assert found.measure is Measure.SYSTEM
    assert (found.four.same, found.four.moves) == (256, (Move("64497", "64498", 256),))


def test_a_database_of_both_is_compared_by_both() -> None:
    """Enterprise says the country, and the system among its traits."""
    old = {"10.0.0.0/24": {**_country("DE"), "traits": _system(64496, "A")}}
    new = {"10.0.0.0/24": {**_country("FR"), "traits": _system(64496, "A")}}
    country, system = difference(_made("GeoIP2-Enterprise", old), _made("GeoIP2-Enterprise", new)).movements
    assert (country.measure, country.four.changed) == (Measure.COUNTRY, 256)
    assert (system.measure, system.four.same) == (Measure.SYSTEM, 256)


def test_flat_records_of_other_vendors_are_understood() -> None:
    """`country_code` and `asn` at the top of a record."""
    old = {"10.0.0.0/24": {"country": "Germany", "country_code": "DE", "asn": "AS64496"}}
    new = {"10.0.0.0/24": {"country": "France", "country_code": "FR", "asn": "AS64497"}}
    country, system = difference(_made("ipinfo_lite", old), _made("ipinfo_lite", new)).movements
    assert (country.four.moves, system.four.moves) == (
        (Move("DE", "FR", 256),),
        (Move("AS64496", "AS64497", 256),),
    )


def test_systems_in_the_place_of_countries_are_a_total_loss() -> None:
    """City replaced by ASN: every country is gone, and there are systems where there was nothing."""
    found = difference(
        _made("GeoLite2-City", {"10.0.0.0/24": "DE"}), _made("GeoLite2-ASN", {"10.0.0.0/24": _system(64496, "A")})
    )
    country, system = found.movements
    assert (country.four.lost, country.displaced) == (256, 1.0)
    assert (system.four.gained, system.displaced) == (256, 0.0)
    assert found.displaced == 1.0


def test_databases_that_say_neither_differ_in_nothing() -> None:
    """A database of another sort has no country to compare: nothing is claimed of it."""
    found = difference(_made("Test", {"10.0.0.0/8": {"a": "b"}}), _made("Test", {}))
    assert (found.movements, found.displaced) == ((), 0.0)


def test_a_gain_displaces_nobody() -> None:
    """Of what was known, nothing changed: a new allocation is no reason to hold a release."""
    found = _countries({"10.0.0.0/24": "DE"}, {"10.0.0.0/24": "DE", "11.0.0.0/8": "FR"})
    assert found.displaced == 0.0
    assert found.four.part(found.four.gained) > 0.99


def test_the_largest_moves_are_told_and_the_rest_counted() -> None:
    """Twenty of twenty-five moves, the largest first; equals by name."""
    nets = {f"10.{index}.0.0/{24 if index < 5 else 25}": index for index in range(25)}
    found = _countries(
        {net: f"A{index:02}" for net, index in nets.items()}, {net: f"B{index:02}" for net, index in nets.items()}
    )
    assert (len(found.four.moves), found.four.move_count) == (20, 25)
    assert [move.amount for move in found.four.moves] == [256] * 5 + [128] * 15
    assert [move.old for move in found.four.moves] == [f"A{index:02}" for index in range(20)]


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("dense", [1 << 22, 0], ids=["dense", "sparse"])
def test_random_databases_differ_as_a_count_of_every_address_says(
    seed: int, dense: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Against look-ups of each of 4,096 addresses, one by one, in both databases; on one thread and on two."""
    monkeypatch.setattr(module, "_DENSE", dense)
    rng = random.Random(seed)
    old, new = (_random_cut(rng, ip_network("10.0.0.0/20")) for _ in range(2))
    expected: Counter[tuple[str, str]] = Counter()
    for address in ip_network("10.0.0.0/20"):
        expected[_said(old, address), _said(new, address)] += 1
    said = [{str(net): code for net, code in cut.items()} for cut in (old, new)]
    found = _countries(*said)
    (again,) = difference(*(_made("GeoLite2-City", each) for each in said), threads=2).movements
    assert again == found
    moved = {pair: times for pair, times in expected.items() if pair[0] != pair[1]}
    assert found.four.same == sum(times for pair, times in expected.items() if pair[0] == pair[1] != "")
    assert {(move.old, move.new): move.amount for move in found.four.moves} == moved
    assert found.four.changed == sum(times for (was, now), times in moved.items() if was and now)
    assert found.four.gained == sum(times for (was, _), times in moved.items() if not was)
    assert found.four.lost == sum(times for (_, now), times in moved.items() if not now)


@needs_real
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("GeoLite2-City-Test", "GeoLite2-Country-Test"),
        ("GeoLite2-Country-Test", "GeoIP2-Enterprise-Test"),
        ("GeoIP2-Enterprise-Test", "GeoLite2-City-Test"),
    ],
)
def test_real_databases_differ_as_a_slow_count_of_networks_says(old: str, new: str) -> None:
    """Every network of both, cut at each other's edges, looked up one by one with the pure Python reader."""
    paths = [MMDB / "good" / f"{name}.mmdb" for name in (old, new)]
    found = difference(*(read_layout(path.read_bytes()) for path in paths))
    movement = next(each for each in found.movements if each.measure is Measure.COUNTRY)
    four, six = _slow_count(*paths)
    for shift, expected, unit in ((movement.four, four, 0), (movement.six, six, 64)):
        moved = {pair: -(-n >> unit) for pair, n in expected.items() if pair[0] != pair[1]}
        assert shift.move_count == len(moved)
        assert {(move.old, move.new): move.amount for move in shift.moves}.items() <= moved.items()
        assert shift.same == -(-sum(n for pair, n in expected.items() if pair[0] == pair[1] != "") >> unit)


@pytest.fixture(scope="module")
def seven_years() -> GeoDifference:
    """The difference between the real databases of 2019 and 2026."""
    return difference(*(read_layout(path.read_bytes()) for path in (old_city_database(), real_city_database())))


def test_two_real_city_databases_differ_as_look_ups_of_random_addresses_say(seven_years: GeoDifference) -> None:
    """Of 30,000 addresses, as many moved as the exact count says, within four standard deviations."""
    rng = random.Random(4)
    sample = 30_000
    moved = known = lost = 0
    with (
        maxminddb.open_database(old_city_database(), maxminddb.MODE_MMAP) as old,
        maxminddb.open_database(real_city_database(), maxminddb.MODE_MMAP) as new,
    ):
        for _ in range(sample):
            address = str(IPv4Address(rng.getrandbits(32)))
            was, now = _iso(old.get(address)), _iso(new.get(address))
            known += bool(was or now)
            moved += was != now
            lost += bool(was) and not now
    (movement,) = seven_years.movements
    for seen, amount in ((moved, movement.four.moved), (known, movement.four.known), (lost, movement.four.lost)):
        share = amount / (1 << 32)
        assert abs(seen / sample - share) < 4 * (share * (1 - share) / sample) ** 0.5


@pytest.fixture(scope="module")
def edges_of_both() -> tuple[list[str], dict[int, list[Any]], int]:
    """Give countries, for each family the edges of both databases' networks, and how many are parts of a /64."""
    labels, edges, parts = [""], {4: [], 6: []}, 0  # type: ignore[var-annotated]
    for path in (old_city_database(), real_city_database()):
        layout = read_layout(path.read_bytes())
        found = networks(layout)
        whole = found.six.length <= 64
        parts += int(np.count_nonzero(~whole))
        four, six = found.four.first.astype(np.int64), found.six.high[whole].astype(np.int64)
        for family, first, length, offset in (
            (4, four, 32 - found.four.length.astype(np.int64), found.four.offset),
            (6, six, 64 - found.six.length[whole].astype(np.int64), found.six.offset[whole]),
        ):
            countries = column(layout, offset, PATHS)
            labels += [label for label in countries.labels if label not in labels]
            own = np.array([labels.index(label) for label in countries.labels])[countries.codes]
            at = np.concatenate([first + (np.int64(1) << length), first])
            # Where a network ends and no other begins there is nothing; of two at one edge what begins counts.
            order = np.argsort(at, kind="stable")
            edges[family].append((at[order], np.concatenate([np.zeros_like(own), own])[order]))
    return labels, edges, parts


@pytest.mark.parametrize("family", [4, 6])
def test_two_real_city_databases_differ_as_a_sort_of_all_edges_says(
    seven_years: GeoDifference, edges_of_both: tuple[list[str], dict[int, list[Any]], int], family: int
) -> None:
    """All networks of both as intervals, cut at each other's edges: IPv4 exactly, IPv6 but for parts of a /64."""
    labels, edges, parts = edges_of_both
    (movement,) = seven_years.movements
    shift, spare = (movement.four, 0) if family == 4 else (movement.six, parts)
    cuts = np.sort(np.concatenate([at for at, _ in edges[family]]), kind="stable")  # most are there twice: of no width
    widths = np.diff(cuts)
    was, now = (_standing(at, country, cuts[:-1]) for at, country in edges[family])
    for amount, which in (
        (shift.same, (was == now) & (was > 0)),
        (shift.changed, (was != now) & (was > 0) & (now > 0)),
        (shift.gained, (was == 0) & (now > 0)),
        (shift.lost, (was > 0) & (now == 0)),
    ):
        assert abs(amount - int(widths[which].sum())) <= spare
    moved = np.bincount(was * len(labels) + now, weights=widths, minlength=len(labels) ** 2)
    for move in shift.moves:
        assert abs(move.amount - moved[labels.index(move.old) * len(labels) + labels.index(move.new)]) <= spare


def _standing(edges: Any, values: Any, at: Any) -> Any:
    """Return the value that holds at each of `at`: that of the last edge before or on it."""
    index = np.searchsorted(edges, at, side="right") - 1
    return np.where(index >= 0, values[np.maximum(index, 0)], 0)


@pytest.mark.parametrize("which", [0, 1])
def test_trees_that_never_end_are_given_up(which: int) -> None:
    """A node that leads back to itself, in the old database or in the new."""
    body = mmdb("GeoLite2-City", {ip_network("10.0.0.0/24"): _country("DE")}, build_epoch=1)
    place = place_of(body, ip_network("10.0.0.0/24"))
    pair = [read_layout(body), read_layout(body)]
    pair[which] = read_layout(with_value(body, place, place[0]))
    with pytest.raises(Malformed):
        difference(*pair)


@pytest.mark.parametrize("which", [0, 1])
def test_trees_that_double_with_every_level_are_given_up(which: int) -> None:
    """Both records of every node lead to the next: 2**89 ways through ninety nodes, in the old or in the new."""
    body = mmdb("GeoLite2-City", {ip_network("2001:db8::/100"): _country("DE")}, build_epoch=1)
    foul = body
    for depth in range(10, 99):
        place = place_of(foul, IPv6Network((0x20010DB8 << 96, depth), strict=False))
        following = value_at(foul, place)
        foul = with_value(with_value(foul, (place[0], 0), following), (place[0], 1), following)
    pair = [read_layout(body), read_layout(body)]
    pair[which] = read_layout(foul)
    with pytest.raises(Malformed) as caught:
        difference(*pair)
    assert caught.value.problem == "tree-shared"


@pytest.mark.parametrize("beyond", [1, 15, 4_000_000])
def test_a_record_outside_the_data_is_not_read(beyond: int) -> None:
    """A value that points into the separator, or behind the data, names no record."""
    body = mmdb("GeoLite2-City", {ip_network("10.0.0.0/24"): _country("DE")}, build_epoch=1)
    count = read_layout(body).metadata.node_count
    foul = with_value(body, place_of(body, ip_network("10.0.0.0/24")), count + beyond)
    with pytest.raises(Malformed) as caught:
        difference(read_layout(body), read_layout(foul))
    assert caught.value.problem == "tree-data"


def _system(number: int, name: str) -> dict[str, Any]:
    return {"autonomous_system_number": number, "autonomous_system_organization": name}


def _random_cut(rng: random.Random, net: Any) -> dict[Any, str]:
    """Return random networks of `net` with random countries, some left out."""
    if net.prefixlen < 30 and rng.random() < 0.8:
        low, high = net.subnets(1)
        return {**_random_cut(rng, low), **_random_cut(rng, high)}
    code = rng.choice(["DE", "FR", "US", ""])
    return {net: code} if code else {}


def _said(cut: Mapping[Any, str], address: Any) -> str:
    return next((code for net, code in cut.items() if address in net), "")


def _slow_count(old: Path, new: Path) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
    with (
        maxminddb.open_database(old, maxminddb.MODE_MEMORY) as a,
        maxminddb.open_database(new, maxminddb.MODE_MEMORY) as b,
    ):
        nets = [net if net.version == 6 else _mapped(net) for reader in (a, b) for net, _ in reader]
        edges = sorted({int(n.network_address) for n in nets} | {int(n.broadcast_address) + 1 for n in nets})
        four: Counter[tuple[str, str]] = Counter()
        six: Counter[tuple[str, str]] = Counter()
        for start, end in pairwise(edges):
            address = str(IPv6Network((start, 128)).network_address)
            pair = (_iso(a.get(address)), _iso(b.get(address)))
            (four if end <= 1 << 32 else six)[pair] += end - start
    # An alias of IPv4 answers too; it lies outside of every network that the readers yield.
    return four, six


def _mapped(net: Any) -> IPv6Network:
    return IPv6Network((int(net.network_address), net.prefixlen + 96))


def _iso(record: Any) -> str:
    for key in ("country", "registered_country"):
        code = (record or {}).get(key, {}).get("iso_code")
        if code:
            return str(code)
    return ""
