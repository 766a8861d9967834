"""What a signed delivery asks for: that the configured jobs run, or nothing at all."""

import pytest

from hubdata.config.http_table import GithubSpec
from hubdata.worker.web.pushes import Sense, Unreadable, sense
from tests.support.worker_surface import REF, REPOSITORY, push

SPEC = GithubSpec(REPOSITORY, REF, ("daily",))


@pytest.mark.parametrize(
    ("event", "body", "found"),
    [
        ("push", push(), Sense.PUSH),
        ("push", push(repository=REPOSITORY.upper()), Sense.PUSH),
        ("push", push(repository="example/lists2"), Sense.OTHER_REPOSITORY),
        ("push", push(ref="refs/heads/main2"), Sense.OTHER_REF),
        ("push", push(ref="refs/tags/main"), Sense.OTHER_REF),
        ("push", push(ref="main"), Sense.OTHER_REF),
        ("push", push(deleted=True), Sense.DELETED),
        ("ping", b'{"zen": "Keep it logically awesome."}', Sense.PING),
        ("pull_request", b"{}", Sense.OTHER_EVENT),
        ("workflow_run", push(), Sense.OTHER_EVENT),
    ],
)
def test_only_a_push_to_the_configured_ref_counts(event: str, body: bytes, found: Sense) -> None:
    """Repository and ref are the settings' own, to the letter; a ref that is gone has nothing to be fetched."""
    assert sense(event, body, SPEC) is found


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"null", b"{", b"\xff", b"[" * 200_000, b"9" * 10_000, b"{}"),
        b'{"ref": 1, "repository": {}}',
        b'{"ref": "x", "repository": "y"}',
        b'{"ref": "x", "repository": {"full_name": null}}',
    ],
)
def test_what_github_never_sends_is_unreadable(body: bytes) -> None:
    """Even signed; and its words are nobody's business."""
    with pytest.raises(Unreadable, match="expected"):
        sense("push", body, SPEC)


@pytest.mark.parametrize("event", ["push", "ping", "issues"])
def test_no_event_comes_without_an_object(event: str) -> None:
    """What is not even that was made by somebody else."""
    with pytest.raises(Unreadable, match="object"):
        sense(event, b"[]", SPEC)
