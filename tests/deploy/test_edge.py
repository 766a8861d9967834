"""What arrives where: requests replayed through the complete example as planned, from the resolver to the origin."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.support.edge import (
    Answer,
    Arrival,
    Edge,
    Origin,
    Refused,
    Resource,
    accepting,
    normalised,
    planned_resources,
)
from tests.support.edge_stories import (
    ADDRESS,
    API_STORIES,
    DATA_STORIES,
    HUB_STORIES,
    LOCK,
    NOT_FOUND,
    SECRETS,
    V6,
    Story,
    api_gateway,
    git_host,
    s3,
    told,
)
from tests.support.terraform import MODULES, TERRAFORM, needs_terraform, standing_provider, terraform

pytestmark = needs_terraform

Plan = tuple[Resource, ...]


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Return the resources of the complete example with its three fronts, as planned."""
    home = tmp_path_factory.mktemp("edge") / "terraform"
    shutil.copytree(TERRAFORM, home, ignore=shutil.ignore_patterns(".terraform", ".home", "tests"))
    root = home / "examples" / "complete"
    shutil.copy(Path(__file__).with_name("complete.tftest.hcl"), root)
    got = terraform("get", "-no-color", cwd=root)
    assert got.code == 0, got.said
    with standing_provider() as env:
        done = terraform("test", "-json", "-verbose", cwd=root, env=env)
    assert done.code == 0, done.said[-3000:]
    (event,) = (json.loads(line) for line in done.stdout.splitlines() if '"type":"test_plan"' in line)
    return planned_resources(event["test_plan"])


@pytest.fixture
def api(plan: Plan) -> Edge:
    """Return the edge with an empty cache."""
    return Edge(plan)


@pytest.mark.parametrize("story", API_STORIES, ids=lambda story: story.name)
def test_the_api_front(story: Story, api: Edge) -> None:
    """Each request comes to its API, for the viewer who made it, or is answered at the edge."""
    assert told(api, story, api_gateway) == story.gets


@pytest.fixture(scope="module")
def hub(plan: Plan) -> Edge:
    """Return an edge whose cache fills as the stories of the hub go."""
    return Edge(plan)


@pytest.mark.parametrize("story", HUB_STORIES, ids=lambda story: story.name)
def test_the_hub_front(story: Story, hub: Edge) -> None:
    """Each request comes to a file of the repository, once, or is answered at the edge."""
    assert told(hub, story, git_host) == story.gets


@pytest.fixture(scope="module")
def data(plan: Plan) -> tuple[Edge, Origin]:
    """Return an edge whose cache fills as the stories of the data go, and S3 with the planned bucket's policy."""
    (policy,) = (each["values"]["policy"] for each in plan if each["type"] == "aws_s3_bucket_policy")
    return Edge(plan), s3("hub-data-test", json.loads(policy), _distribution(plan, "data.example.net")["arn"])


@pytest.mark.parametrize("story", DATA_STORIES, ids=lambda story: story.name)
def test_the_data(story: Story, data: tuple[Edge, Origin]) -> None:
    """Published objects are read over both families, and what is private by nobody, however it is spelt."""
    assert told(data[0], story, data[1]) == story.gets


def test_without_its_policy_the_bucket_would_hand_out_what_is_private(data: tuple[Edge, Origin]) -> None:
    """An escaped slash passes the behaviours: it is the policy that says no, and the story above would notice."""
    anybody = {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}]}
    url = "https://data.example.net/.hubdata%2Flease.json"
    assert data[0].ask(url, origin=s3("hub-data-test", anybody, "")).body == "bytes of .hubdata/lease.json"


def test_a_decision_stream_arrives_from_an_ipv6_viewer_in_every_particular(api: Edge) -> None:
    """The right origin, path, Host, secret and address, over TLS, with what the viewer sent."""
    answer = api.ask(
        "https://api.example.net/v2/decisions/stream?startup=true&scopes=ip&scopes=range",
        viewer=V6,
        headers=(
            ("X-Api-Key", "k"),
            ("User-Agent", "bouncer/1"),
            ("Cookie", "a=1; b=2"),
            ("X-Forwarded-For", "192.0.2.66"),
        ),
        origin=api_gateway,
    )
    assert answer.arrival == Arrival(
        scheme="https",
        host="a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
        method="GET",
        path="/v2/decisions/stream",
        query="startup=true&scopes=ip&scopes=range",
        headers={
            "host": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
            "x-api-key": "k",
            "user-agent": "bouncer/1",
            "cookie": "a=1; b=2",
            "x-forwarded-for": f"192.0.2.66, {V6}",
            ADDRESS: V6,
            LOCK: SECRETS[0],
        },
        signed=False,
    )
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_behind_a_second_distribution_the_header_still_names_the_viewer(api: Edge, plan: Plan) -> None:
    """An API with a distribution of its own sees our edge as its viewer, and still learns who asked."""
    host = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
    outer_edge = "2001:db8:c10d::1"
    inner = Edge(_plain_proxy(plan, host))
    arrived: list[Arrival] = []

    def behind(arrival: Arrival) -> Answer:
        asked = [(name, value) for name, value in arrival.headers.items() if name != "host"]
        return inner.ask(f"https://{arrival.host}{arrival.path}", viewer=outer_edge, headers=asked, origin=last)

    def last(arrival: Arrival) -> Answer:
        arrived.append(arrival)
        return accepting(arrival)

    api.ask("https://api.example.net/v2/a", viewer=V6, headers=(("X-Forwarded-For", "192.0.2.66"),), origin=behind)
    (arrival,) = arrived
    assert arrival.headers["x-forwarded-for"] == f"192.0.2.66, {V6}, {outer_edge}"
    assert arrival.headers[ADDRESS] == V6
    assert arrival.headers[LOCK] == SECRETS[0]


def test_the_readmes_paths_arrive_where_it_says(api: Edge, hub: Edge) -> None:
    """Every path in the tables of the modules' READMEs, asked of the plan."""
    readme = (MODULES / "api-front" / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`/.+) \| (.+) \|$", readme, re.MULTILINE)
    assert len(rows) == 4
    for asked, said in rows:
        for path in re.findall(r"`(/[^`]*)`", asked):
            answer = api.ask(f"https://api.example.net{path}", origin=api_gateway)
            ends = re.findall(r"`(/[^`]*)`", said)
            if said.startswith("404"):
                assert (answer.status, answer.by) == (404, "function")
            else:
                assert answer.arrival is not None
                assert [answer.arrival.path] == ends[:1]
    text = (MODULES / "hub-front" / "README.md").read_text(encoding="utf-8")
    ((here, there),) = re.findall(r"`(https://hub\S+)` is then `(https://\S+)`", text)
    arrival = hub.ask(here.replace(".index", ".other"), origin=git_host).arrival
    assert arrival is not None
    assert f"{arrival.scheme}://{arrival.host}{arrival.path}" == there.replace(".index", ".other")


def test_nothing_of_an_api_is_cached(api: Edge) -> None:
    """Two viewers who ask the same get an answer each."""
    url = "https://api.example.net/v2/decisions"
    assert api.ask(url, viewer="2001:db8::1", origin=api_gateway).body.endswith("2001:db8::1")
    assert api.ask(url, viewer="2001:db8::2", origin=api_gateway).body.endswith("2001:db8::2")


def test_an_api_that_is_called_past_the_front_refuses(api: Edge) -> None:
    """Whoever calls the API's own host has no secret, so that the address that he claims is not believed."""
    through = api.ask("https://api.example.net/v2/decisions", origin=api_gateway).arrival
    assert through is not None
    without = {name: value for name, value in through.headers.items() if name != LOCK}
    past = Arrival("https", through.host, "GET", through.path, "", {**without, ADDRESS: "192.0.2.66"}, signed=False)
    assert api_gateway(past).status == 403


def test_the_default_origin_is_asked_nothing(api: Edge, plan: Plan) -> None:
    """Not even with the function gone would a request that belongs to no route reach anybody, or carry the secret."""
    bare = [_without_functions(each) for each in plan]
    lost = Edge(bare).ask("https://api.example.net/admin", origin=accepting).arrival
    assert lost is not None
    assert lost.host == "nowhere.api.example.net"
    assert LOCK not in lost.headers
    assert api.ask("https://api.example.net/admin", origin=_unreachable).by == "function"


@pytest.mark.parametrize(
    "story", [each for each in API_STORIES + HUB_STORIES if each.gets == NOT_FOUND], ids=lambda s: s.name
)
def test_what_is_refused_stays_within_its_route_whatever_functions_see(story: Story, plan: Plan) -> None:
    """Should CloudFront show functions normalised paths, what it then sends on still lies below the route's own."""
    edge = Edge(plan, functions_see_raw_paths=False)
    answer = edge.ask(story.url, viewer=story.viewer, headers=story.headers, method=story.method)
    if answer.arrival is not None:
        path = normalised(answer.arrival.path.replace("%2f", "/").replace("%2F", "/"))
        stage = {"k": "/prod/", "a": "/v2/", "f": "/v3/", "r": "/example/hub/master/"}[answer.arrival.host[0]]
        assert path.startswith(stage)


def test_errors_of_an_api_come_through_as_they_are(api: Edge) -> None:
    """A client must see what its API said: the front maps no status."""
    answer = api.ask("https://api.example.net/v2/x", origin=lambda arrival: Answer(403, "origin", body="no key"))
    assert (answer.status, answer.body) == (403, "no key")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"publish": False}, "not published"),
        ({"arn": "arn:aws:cloudfront::123456789012:function/another"}, "no function"),
    ],
)
def test_a_plan_that_cloudfront_would_refuse_is_refused(change: dict[str, Any], reason: str, plan: Plan) -> None:
    """A function must be there, and published, before a behaviour may name it."""
    changed = [
        {**each, "values": {**each["values"], **change}} if each["type"] == "aws_cloudfront_function" else each
        for each in plan
    ]
    with pytest.raises(Refused, match=reason):
        Edge(changed)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("function handler(e) { e.request.headers['x-real-ip'] = {value: '::1'}; return e.request; }", 502),
        ("function handler(e) { e.request.headers['X-Mine'] = {value: '::1'}; return e.request; }", 502),
        ("function handler(e) { e.request.headers.host = {value: 'x'}; return e.request; }", 502),
        ("function handler(e) { delete e.request.headers.host; return e.request; }", 502),
        ("function handler(e) { e.request.uri = 'a'; return e.request; }", 502),
        ("function handler(e) { e.request.headers['x-mine'] = {value: 1}; return e.request; }", 502),
        ("function handler(e) { return 'no'; }", 502),
        ("function handler(e) { return {statusCode: 99}; }", 502),
        ("function handler(e) { return nothing; }", 503),
        ("function handler(e) { for (;;) {} }", 503),
        ("function handler(e) { return {statusCode: 410}; }", 410),
        ("function handler(e) { e.request.headers['x-mine'] = {value: '1'}; return e.request; }", 200),
    ],
)
def test_a_function_that_breaks_a_rule_fails_as_at_cloudfront(code: str, status: int, plan: Plan) -> None:
    """Headers that are not a function's to set, and values that are none, are 502 to viewers; what it throws is 503."""
    changed = [
        {**each, "values": {**each["values"], "code": code}} if each["type"] == "aws_cloudfront_function" else each
        for each in plan
    ]
    assert Edge(changed).ask("https://hub.example.net/master/a", origin=git_host).status == status


@pytest.mark.parametrize(
    ("path", "becomes"),
    [
        ("/x/../.well-known/a", "/.well-known/a"),
        ("/%2Ewell-known/a", "/.well-known/a"),
        ("/.well-known//a", "/.well-known/a"),
        ("/a/./b/..", "/a/"),
        ("/../../a", "/a"),
        ("/a%2Fb", "/a%2Fb"),
        ("/%61%20", "/a%20"),
        ("/", "/"),
        ("/a/", "/a/"),
    ],
)
def test_behaviours_are_matched_by_the_normalised_path(path: str, becomes: str) -> None:
    """As RFC 3986 normalises, and with empty segments gone, but no reserved character decoded."""
    assert normalised(path) == becomes


def _unreachable(arrival: Arrival) -> Answer:
    raise AssertionError(f"asked for {arrival.path}")


def _without_functions(resource: Mapping[str, Any]) -> dict[str, Any]:
    if resource["type"] != "aws_cloudfront_distribution":
        return dict(resource)
    default = {**resource["values"]["default_cache_behavior"][0], "function_association": []}
    return {**resource, "values": {**resource["values"], "default_cache_behavior": [default]}}


def _plain_proxy(plan: Plan, host: str) -> Plan:
    """Return a distribution at `host` that sends everything on, with no function: what stands before some APIs."""
    distribution = _distribution(plan, "api.example.net")
    behavior = {**distribution["ordered_cache_behavior"][0], "function_association": []}
    origin = {**next(each for each in distribution["origin"] if each["origin_id"] == "v2"), "custom_header": []}
    proxy = {
        **distribution,
        "aliases": [host],
        "origin": [origin],
        "ordered_cache_behavior": [],
        "default_cache_behavior": [{**behavior, "target_origin_id": "v2"}],
    }
    record = {"name": host, "type": "AAAA", "alias": [{"name": distribution["domain_name"]}]}
    return (
        {"type": "aws_cloudfront_distribution", "values": proxy},
        {"type": "aws_route53_record", "values": record},
    )


def _distribution(plan: Plan, host: str) -> Mapping[str, Any]:
    """Return the distribution that answers to a host name."""
    kind = "aws_cloudfront_distribution"
    return next(each["values"] for each in plan if each["type"] == kind and host in each["values"]["aliases"])
