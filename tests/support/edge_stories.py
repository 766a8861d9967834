"""What a viewer must get of each front, replayed against a plan: the same stories for the plan and for its mutants.

A story is one request and what must become of it. Behind the API front stand doubles of API Gateway, which do what the
real ones do to requests that were sent on badly: 403 for another's Host, for a stage that is not theirs, and without
the secret (which the API's own authorizer checks); behind the hub's, a git host that has more than one repository.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from tests.support.edge import Answer, Arrival, Edge, NoRoute, Refused
from tests.support.iam import Request, allowed

ADDRESS = "x-viewer-address"
LOCK = "x-origin-lock"
SECRETS = ("the-secret-that-is-sent-now-0123456789", "the-secret-that-comes-next-0123456789")
STAGES = {
    "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com": "v2",
    "f6g7h8i9j0.execute-api.eu-west-1.amazonaws.com": "v3",
    "k1l2m3n4o5.execute-api.eu-west-1.amazonaws.com": "prod",
}
"""The APIs of the module's own tests, and the stage that each has."""

V6 = "2001:db8:2e::7"
V4 = "192.0.2.7"


def api_gateway(arrival: Arrival) -> Answer:
    """Answer as the API behind that name would: with the viewer's address, which it believes once the lock fits."""
    stage = STAGES.get(arrival.host)
    if stage is None:
        return Answer(502, "origin", body=f"{arrival.host}: no such host", arrival=arrival)
    if arrival.scheme != "https":
        return Answer(502, "origin", body="API Gateway listens on 443 alone", arrival=arrival)
    if arrival.headers["host"] != arrival.host:
        return Answer(403, "origin", body=f"Forbidden: {arrival.headers['host']}", arrival=arrival)
    if arrival.path.split("/")[1] != stage:
        return Answer(403, "origin", body=f"Forbidden: {arrival.path}", arrival=arrival)
    if arrival.headers.get(LOCK) not in SECRETS:
        return Answer(403, "origin", body="Forbidden: not through the front", arrival=arrival)
    # As servers that speak CGI do: a hyphen and an underscore are one, and what is named twice is joined.
    told = [value for name, value in arrival.headers.items() if name.replace("_", "-") == ADDRESS]
    return Answer(200, "origin", body=f"{stage} {arrival.path} {arrival.query} for {', '.join(told)}", arrival=arrival)


def git_host(arrival: Arrival) -> Answer:
    """Answer as a host of raw content does: dot segments are resolved, and any public repository is served."""
    if arrival.host != "raw.githubusercontent.com" or arrival.headers["host"] != arrival.host:
        return Answer(502, "origin", arrival=arrival)
    if arrival.scheme != "https":
        return Answer(301, "origin", {"location": f"https://{arrival.host}{arrival.path}"}, arrival=arrival)
    return Answer(200, "origin", body=f"{arrival.path}?{arrival.query}".rstrip("?"), arrival=arrival)


def s3(bucket: str, policy: Mapping[str, Any], arn: str) -> Callable[[Arrival], Answer]:
    """Return what S3 does for a distribution (`arn`): escapes decoded, the policy asked, 403 for what is not there."""
    public = ("manifest.json", "index.html", "lists/a.txt", "404.txt")
    objects = (*public, ".hubdata/lease.json", "data/.hubdata/runs/1.json")

    def answer(arrival: Arrival) -> Answer:
        key = unquote(arrival.path.removeprefix("/"))
        context = {"AWS:SourceArn": arn, "aws:SecureTransport": str(arrival.scheme == "https").lower()}
        principal = ("Service", "cloudfront.amazonaws.com")
        asked = Request("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}", principal, context)
        if arrival.host != f"{bucket}.s3.eu-west-1.amazonaws.com" or arrival.headers["host"] != arrival.host:
            return Answer(502, "origin", arrival=arrival)
        if not arrival.signed or not allowed(asked, policy) or key not in objects:
            return Answer(403, "origin", body="AccessDenied", arrival=arrival)
        return Answer(200, "origin", body=f"bytes of {key}", arrival=arrival)

    return answer


@dataclass(frozen=True, slots=True)
class Story:
    """One request, and `gets`: "STATUS BY BODY" as the viewer gets it, or why there is no answer at all."""

    name: str
    url: str
    gets: str
    viewer: str = V6
    method: str = "GET"
    headers: tuple[tuple[str, str], ...] = ()
    tls: float = 1.3


NOT_FOUND = '404 function {"message":"Not Found"}'

_API = "https://api.example.net"
API_STORIES = (
    Story("over IPv6", f"{_API}/v2/decisions/stream", f"200 origin v2 /v2/decisions/stream  for {V6}"),
    Story("over IPv4", f"{_API}/v2/decisions/stream", f"200 origin v2 /v2/decisions/stream  for {V4}", viewer=V4),
    Story("another API", f"{_API}/v3/signals", f"200 origin v3 /v3/signals  for {V6}", method="POST"),
    Story("queries stay", f"{_API}/v2/d?ip=::1&a=1&a=2", f"200 origin v2 /v2/d ip=::1&a=1&a=2 for {V6}"),
    Story("the stage's root", f"{_API}/v2/", f"200 origin v2 /v2/  for {V6}"),
    Story("well-known", f"{_API}/.well-known/jwks.json", f"200 origin prod /prod/jwks.json  for {V6}"),
    Story("well-known root", f"{_API}/.well-known/", f"200 origin prod /prod/  for {V6}"),
    Story("well-known over IPv4", f"{_API}/.well-known/a/b", f"200 origin prod /prod/a/b  for {V4}", viewer=V4),
    Story(
        "address pretended",
        f"{_API}/v2/d",
        f"200 origin v2 /v2/d  for {V6}",
        headers=(("X-Viewer-Address", "192.0.2.66"),),
    ),
    Story(
        "address pretended before well-known",
        f"{_API}/.well-known/a",
        f"200 origin prod /prod/a  for {V6}",
        headers=(("X-VIEWER-ADDRESS", "192.0.2.66"), ("x-viewer-address", "::66")),
    ),
    Story(
        "address pretended with underscores",
        f"{_API}/v3/d",
        f"200 origin v3 /v3/d  for {V6}",
        headers=(("X_Viewer_Address", "192.0.2.66"), ("x-viewer_address", "192.0.2.67")),
    ),
    Story("lock pretended", f"{_API}/v2/d", f"200 origin v2 /v2/d  for {V6}", headers=(("X-Origin-Lock", "guess"),)),
    Story("no slash after the stage", f"{_API}/v2", NOT_FOUND),
    Story("no slash after well-known", f"{_API}/.well-known", NOT_FOUND),
    Story("a longer name", f"{_API}/.well-knownX", NOT_FOUND),
    Story("a longer name with a path", f"{_API}/.well-knownX/a", NOT_FOUND),
    Story("in by dot segments", f"{_API}/x/../.well-known/a", NOT_FOUND),
    Story("in by an escaped dot", f"{_API}/%2Ewell-known/a", NOT_FOUND),
    Story("an empty segment", f"{_API}/.well-known//a", NOT_FOUND),
    Story("an empty segment before", f"{_API}//v2/a", NOT_FOUND),
    Story("out by dot segments", f"{_API}/v2/../v3/a", NOT_FOUND),
    Story("out by escaped dot segments", f"{_API}/v2/%2e%2E/admin", NOT_FOUND),
    Story("out by an escaped slash", f"{_API}/v2/..%2fadmin", NOT_FOUND),
    Story("an escaped letter", f"{_API}/%762/a", NOT_FOUND),
    Story("the name of the stripped stage", f"{_API}/prod/jwks.json", NOT_FOUND),
    Story("another case", f"{_API}/.WELL-KNOWN/a", NOT_FOUND),
    Story("no route", f"{_API}/v1/decisions", NOT_FOUND),
    Story("nothing", f"{_API}/", NOT_FOUND),
    Story("no route, posted to", f"{_API}/admin", NOT_FOUND, method="POST"),
    Story("without TLS", "http://api.example.net/v2/d?a=1", "301 edge https://api.example.net/v2/d?a=1"),
    Story("without TLS, no route", "http://api.example.net/a", "301 edge https://api.example.net/a"),
    Story("with old TLS", f"{_API}/v2/d", "api.example.net: TLS 1.1 is refused", tls=1.1),
)

_HUB = "https://hub.example.net"
_FILE = "200 origin /example/hub/master/.index.json"
HUB_STORIES = (
    Story("over IPv6", f"{_HUB}/master/.index.json", _FILE),
    Story("over IPv4", f"{_HUB}/master/.index.json", _FILE.replace("origin", "cache"), viewer=V4),
    Story("a query is dropped", f"{_HUB}/v1.6/a.yaml?token=1", "200 origin /example/hub/v1.6/a.yaml"),
    Story("a name with an escape", f"{_HUB}/master/a%20b.yaml", "200 origin /example/hub/master/a%20b.yaml"),
    Story("another ref", f"{_HUB}/main/.index.json", NOT_FOUND),
    Story("a stranger's commit", f"{_HUB}/0123456789abcdef0123456789abcdef01234567/evil.yaml", NOT_FOUND),
    Story("a pull request", f"{_HUB}/refs/pull/1/head/evil.yaml", NOT_FOUND),
    Story("another repository", f"{_HUB}/master/../../../someone/else/main/evil.yaml", NOT_FOUND),
    Story("another repository, escaped", f"{_HUB}/master/%2e%2e/%2e%2e/evil/main/a", NOT_FOUND),
    Story("another repository, half escaped", f"{_HUB}/master/..%2f..%2fevil/main/a", NOT_FOUND),
    Story("another repository, backslashes", f"{_HUB}/master/..\\..\\evil/main/a", NOT_FOUND),
    Story("another repository, semicolon", f"{_HUB}/master/..;/..;/evil/main/a", NOT_FOUND),
    Story("an empty segment", f"{_HUB}//master/a", NOT_FOUND),
    Story("an address within", f"{_HUB}/https://example.org/a", NOT_FOUND),
    Story("nothing", f"{_HUB}/", NOT_FOUND),
    Story("a longer ref", f"{_HUB}/master2/a", NOT_FOUND),
    Story("writing", f"{_HUB}/master/a", "403 edge", method="POST"),
    Story("asking what is allowed", f"{_HUB}/master/a", "403 edge", method="OPTIONS"),
    Story("without TLS", "http://hub.example.net/master/a", "301 edge https://hub.example.net/master/a"),
    Story("with old TLS", f"{_HUB}/master/a", "hub.example.net: TLS 1.1 is refused", tls=1.1),
)

_DATA = "https://data.example.net"
_PRIVATE = "404 function Not found"
_MISSING = "404 origin bytes of 404.txt"
DATA_STORIES = (
    Story("over IPv6", f"{_DATA}/manifest.json", "200 origin bytes of manifest.json"),
    Story("over IPv4", f"{_DATA}/manifest.json", "200 cache bytes of manifest.json", viewer=V4),
    Story("a query is dropped", f"{_DATA}/lists/a.txt?x=1", "200 origin bytes of lists/a.txt"),
    Story("missing", f"{_DATA}/lists/b.txt", _MISSING),
    Story("the status page", f"{_DATA}/index.html", "200 origin bytes of index.html"),
    Story("the root is the status page", f"{_DATA}/", "200 origin bytes of index.html"),
    Story("no page below the root", f"{_DATA}/lists/", _MISSING),
    Story("private", f"{_DATA}/.hubdata/lease.json", _PRIVATE),
    Story("private below a prefix", f"{_DATA}/data/.hubdata/runs/1.json", _PRIVATE),
    Story("private, dot escaped", f"{_DATA}/%2Ehubdata/lease.json", _PRIVATE),
    Story("private, a letter escaped", f"{_DATA}/.%68ubdata/lease.json", _PRIVATE),
    Story("private, by dot segments", f"{_DATA}/lists/../.hubdata/lease.json", _PRIVATE),
    Story("private, by empty segments", f"{_DATA}//.hubdata//lease.json", _PRIVATE),
    Story("private, with a query", f"{_DATA}/.hubdata/lease.json?versionId=1", _PRIVATE),
    Story("private, another method", f"{_DATA}/.hubdata/lease.json", "403 edge", method="PUT"),
    # Behaviours cannot name an escaped slash, which S3 decodes: these arrive, and the bucket's policy denies them.
    Story("private, slash escaped", f"{_DATA}/.hubdata%2Flease.json", _MISSING),
    Story("private below a prefix, slashes escaped", f"{_DATA}/data%2f.hubdata%2fruns%2f1.json", _MISSING),
    Story("writing", f"{_DATA}/manifest.json", "403 edge", method="PUT"),
    Story("without TLS", "http://data.example.net/manifest.json", "301 edge https://data.example.net/manifest.json"),
    Story("with old TLS", f"{_DATA}/manifest.json", "data.example.net: TLS 1.1 is refused", tls=1.1),
)


def told(edge: Edge, story: Story, origin: Callable[[Arrival], Answer]) -> str:
    """Return what becomes of the story's request, in the words of `Story.gets`."""
    try:
        answer = edge.ask(
            story.url, viewer=story.viewer, method=story.method, headers=story.headers, tls=story.tls, origin=origin
        )
    except NoRoute as reason:
        return str(reason)
    return f"{answer.status} {answer.by} {answer.body or answer.headers.get('location', '')}".rstrip()


def broken(
    resources: Iterable[Mapping[str, Any]], stories: Iterable[Story], origin: Callable[[Arrival], Answer]
) -> list[str]:
    """Return what each story that does not hold for a plan says instead; for a plan that is refused, why."""
    try:
        edge = Edge(resources)
        heard = [(story, told(edge, story, origin)) for story in stories]
    except Refused as reason:
        return [f"refused: {reason}"]
    return [f"{story.name}: {got!r}, expected {story.gets!r}" for story, got in heard if got != story.gets]
