"""What is remembered, how often something may happen, and how much may lie here at once: all of it has an end."""

from hubdata.worker.web.bucket import Bucket, Store
from hubdata.worker.web.repeats import Repeats


def test_a_bucket_gives_a_burst_and_then_so_many_a_second() -> None:
    """It says how long to wait, fills up to its burst and no further, and a clock that goes back gives nothing."""
    at = 100.0
    bucket = Bucket(2, 0.5, lambda: at)
    assert [bucket.take() for _ in range(3)] == [0, 0, 2.0]
    at += 2
    assert [bucket.take() for _ in range(2)] == [0, 2.0]
    at += 1000
    assert [bucket.take() == 0 for _ in range(3)] == [True, True, False]
    at -= 500
    assert bucket.take() > 0


def test_a_delivery_is_known_by_its_id_and_by_its_signature() -> None:
    """The id is a header that nobody has signed: another one does not make another delivery."""
    seen = Repeats()
    assert ("a", b"1") not in seen
    seen.remember(("a", b"1"))
    assert ("a", b"2") in seen
    assert ("b", b"1") in seen
    assert ("b", b"2") not in seen
    seen.forget(("a", b"1"))
    assert ("a", b"1") not in seen


def test_the_memory_of_deliveries_is_bounded() -> None:
    """The oldest are forgotten first."""
    seen = Repeats(most=100)
    for number in range(1000):
        seen.remember((f"{number}", b"%d" % number))
    assert len(seen) == 200
    assert ("999", b"") in seen
    assert ("900", b"") in seen
    assert ("899", b"") not in seen


def test_room_for_bodies_is_shared_and_given_back() -> None:
    """Whatever becomes of them."""
    store = Store(100)
    with store.share() as one, store.share() as other:
        assert one.take(60)
        assert not other.take(41)
        assert other.take(40)
        assert not one.take(1)
    assert store.held == 0
