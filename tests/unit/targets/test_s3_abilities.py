"""What a store can do is found out once, by requests that it must refuse, and what it cannot is done without."""

import itertools
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from hubdata.errors import Conflict, TargetError
from hubdata.model.inventory import Stored
from hubdata.targets.s3 import S3Target
from hubdata.targets.s3.abilities import KEY, Abilities, Answers, decided
from tests.support.moto_server import CREDENTIALS, shared
from tests.support.strict_s3 import S3_BUCKET, Fault, Object, StrictS3

ALL = Abilities(versions=False)


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def store() -> Iterator[StrictS3]:
    """Give a strict store, that may be told to be less so."""
    with StrictS3() as running:
        yield running


def target_at(store: StrictS3) -> S3Target:
    """Return a new target, as each run builds one."""
    return S3Target("s3", S3Target.Options(bucket=S3_BUCKET, endpoint_url=store.url))


def kept(store: StrictS3) -> Abilities | None:
    """Return the abilities that the store keeps a record of."""
    return Abilities.from_bytes(store.objects[KEY].body)


def write(target: S3Target, body: bytes, if_etag: str | None) -> Stored:
    """Write a small object."""
    return target.write("m.json", body, content_type="application/json", cache_control="", if_etag=if_etag)


# --- Deciding ---------------------------------------------------------------------------------------------------------

REFUSED = Answers(412, 412, 412, 400, versioned=False)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (REFUSED, ALL),
        (replace(REFUSED, replaced_wrongly=404, deleted_wrongly=404), ALL),
        (replace(REFUSED, versioned=True), Abilities()),
        (replace(REFUSED, created_again=200), replace(ALL, creates=False)),
        (replace(REFUSED, created_again=501), replace(ALL, creates=False)),
        (replace(REFUSED, replaced_wrongly=200), replace(ALL, replaces=False)),
        (replace(REFUSED, deleted_wrongly=200), replace(ALL, deletes=False)),
        (replace(REFUSED, deleted_wrongly=403), replace(ALL, deletes=False)),
        (replace(REFUSED, wrong_checksum=200), replace(ALL, checksums=False)),
        (replace(REFUSED, wrong_checksum=501), replace(ALL, checksums=False)),
    ],
)
def test_only_a_refusal_for_the_right_reason_shows_an_ability(answers: Answers, expected: Abilities) -> None:
    """What succeeds, or is refused as unknown, shows that the store does not enforce it."""
    assert decided(answers) == expected


def test_every_record_is_read_back_and_known_by_its_etag() -> None:
    """All 64 are told apart by the MD5 that a listing shows; anything else is no record."""
    for values in itertools.product((False, True), repeat=6):
        able = Abilities(*values)
        assert Abilities.from_bytes(able.to_bytes()) == able
        assert Abilities.of_etag(Object(able.to_bytes(), {}).etag) == able
    assert Abilities.of_etag("0" * 32) is None
    data = json.loads(ALL.to_bytes())
    for wrong in ({**data, "schema": 2}, {**data, "creates": 1}, {**data, "more": True}, [data], None):
        assert Abilities.from_bytes(json.dumps(wrong).encode()) is None
    assert Abilities.from_bytes(b"[" * 100_000) is None


@pytest.mark.parametrize(
    ("able", "words"),
    [
        (ALL, ()),
        (replace(ALL, creates=False, replaces=False), ("If-None-Match nor If-Match on a put", "only the lease")),
        (replace(ALL, replaces=False), ("enforce If-Match on a put",)),
        (replace(ALL, deletes=False), ("If-Match on a delete",)),
        (replace(ALL, checksums=False), ("SHA-256", "Content-MD5")),
    ],
)
def test_what_a_run_does_without_is_said_in_a_line(able: Abilities, words: tuple[str, ...]) -> None:
    """A store that enforces everything has nothing said of it."""
    said = able.without()
    assert len(said) == bool(words)
    assert all(word in said[0] for word in words)


# --- Finding out ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "unlike", "expected"),
    [
        ((), "", ALL),
        (("creates",), "", replace(ALL, creates=False)),
        (("replaces",), "", replace(ALL, replaces=False)),
        (("deletes",), "quoted", replace(ALL, deletes=False)),
        ((), "bare", replace(ALL, quotes=True)),
        (("checksums", "deletes"), "", replace(ALL, checksums=False, deletes=False)),
        (("creates", "replaces", "deletes", "checksums"), "", Abilities(*[False] * 6)),
    ],
)
def test_store_is_tried_once_and_what_it_enforces_is_kept_in_it(
    store: StrictS3, lacks: tuple[str, ...], unlike: str, expected: Abilities
) -> None:
    """A handful of small requests; a later run that has listed the store asks nothing more."""
    store.lacks, store.unlike = frozenset(lacks), unlike
    first = target_at(store)
    first.probe()
    assert kept(store) == expected
    assert store.objects.keys() == {KEY}
    assert len(store.seen) <= 12
    first.probe()
    asked = len(store.seen)

    later = target_at(store)
    later.listing()
    later.probe()
    assert len(store.seen) == asked + 1
    assert (first.without(), later.without()) == (expected.without(), expected.without())


def test_store_that_enforces_all_costs_seven_small_requests(store: StrictS3) -> None:
    """One more reads that nothing is known yet; nothing else is asked."""
    target_at(store).probe()
    assert [store.count(method) for method in ("GET", "PUT", "DELETE", "HEAD", "LIST")] == [1, 5, 1, 1, 0]
    assert sum(one.size for one in store.seen) < 1000


def test_store_whose_listing_tells_of_no_record_is_not_asked_for_one(store: StrictS3) -> None:
    """A first run has listed it just now; what another run has written since is tried and kept just the same."""
    target = target_at(store)
    target.listing()
    target.probe()
    assert [store.count(method) for method in ("GET", "PUT", "DELETE", "HEAD", "LIST")] == [0, 5, 1, 1, 1]

    told = kept(store)
    late = target_at(store)
    late._looked = True
    late.probe()
    assert kept(store) == told


def test_aws_is_not_tried(store: StrictS3) -> None:
    """What AWS enforces is written in its manual; and a policy there may well allow less than a trial needs."""
    target = S3Target("s3", S3Target.Options(bucket="b-1", region="eu-west-1"))
    target.probe()
    assert target.without() == ()
    assert set(target.requests().values()) == {0}


def test_moto_enforces_conditions_and_no_checksums() -> None:
    """As its record says, in a versioned bucket too."""
    server = shared()
    bucket = server.bucket(versioned=True)
    S3Target("s3", S3Target.Options(bucket=bucket, endpoint_url=server.url)).probe()
    able = Abilities.from_bytes(server.objects(bucket)[KEY])
    assert able == Abilities(checksums=False)


def test_trial_that_is_refused_is_an_error(store: StrictS3) -> None:
    """Without permission to write nothing is concluded, and nothing kept."""
    store.faults.extend([Fault("PUT", 403, "AccessDenied")] * 9)
    with pytest.raises(TargetError, match="PutObject was denied"):
        target_at(store).probe()
    assert store.objects == {}


def test_who_may_not_delete_looks_before(store: StrictS3) -> None:
    """A policy without deletes is no trouble for a job that never deletes."""
    store.faults.append(Fault("DELETE", 403, "AccessDenied"))
    target_at(store).probe()
    assert kept(store) == replace(ALL, deletes=False)


def test_trial_whose_answers_get_lost_comes_to_the_same(store: StrictS3) -> None:
    """Also of the record itself."""
    store.faults.extend([Fault("PUT", drop=True)] * 2 + [Fault("DELETE", drop=True)])
    target_at(store).probe()
    assert kept(store) == ALL
    store.objects.clear()
    store.faults.extend(Fault("PUT", 503, "SlowDown") for _ in range(2))
    target_at(store).probe()
    assert kept(store) == ALL


@pytest.mark.parametrize("unlike", ["", "quoted", "bare"])
def test_runs_that_try_a_store_at_the_same_time_agree(store: StrictS3, unlike: str) -> None:
    """None takes another's writes for the store's lack of an ability."""
    store.unlike = unlike
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: target_at(store).probe(), range(6)))
    assert kept(store) == replace(ALL, quotes=unlike == "bare")


# --- Doing without ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lacks", "unlike"),
    [
        ((), ""),
        ((), "bare"),
        ((), "quoted"),
        (("creates",), "bare"),
        (("replaces",), ""),
        (("deletes",), "quoted"),
        (("creates", "replaces", "deletes", "checksums"), ""),
    ],
)
def test_at_any_store_nobody_elses_object_is_overwritten_or_deleted(
    store: StrictS3, lacks: tuple[str, ...], unlike: str
) -> None:
    """Where the store does not look, the run does, right before."""
    store.lacks, store.unlike = frozenset(lacks), unlike
    target = target_at(store)
    target.probe()
    first = write(target, b"1", None)
    with pytest.raises(Conflict):
        write(target, b"2", None)
    second = write(target, b"2", first.etag)
    with pytest.raises(Conflict):
        write(target, b"3", first.etag)
    with pytest.raises(Conflict):
        target.delete("m.json", if_etag=first.etag)
    assert store.objects["m.json"].body == b"2"
    target.delete("m.json", if_etag=second.etag)
    target.delete("m.json", if_etag=second.etag)
    assert "m.json" not in store.objects


def test_uploads_carry_the_checksum_that_the_store_compares(store: StrictS3) -> None:
    """The whole SHA-256 where it is looked at, Content-MD5 elsewhere."""
    for lacks, header in ((frozenset[str](), "x-amz-checksum-sha256"), (frozenset({"checksums"}), "content-md5")):
        store.lacks = lacks
        store.objects.clear()
        target = target_at(store)
        target.probe()
        write(target, b"1", None)
        (sent,) = (one for one in store.seen[-1:] if one.key == "m.json")
        assert {"x-amz-checksum-sha256", "content-md5"} & sent.headers.keys() == {header}
