"""A mistake in the fronts is noticed: in a module by its tests and by viewers, in a function by the table of events."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.deploy.function_events import FILES, HUB, ROWS, STAGE, STRIP
from tests.deploy.test_functions import code_of, event_of, wrong
from tests.support.edge import Answer, Arrival
from tests.support.edge_functions import run_in_quickjs
from tests.support.edge_stories import API_STORIES, HUB_STORIES, Story, api_gateway, broken, git_host
from tests.support.terraform import TERRAFORM, Mutant, Verdict, judged, mutants, needs_terraform

API = mutants("api-front")
HUB_MUTANTS = mutants("hub-front")
UNSEEN = {
    "HTTP/2 alone",
    "an older runtime",
    "the default before an API",
    "the next secret sent before its time",
    "a pattern without its slash",
    "no log",
    "the certificate outside us-east-1",
    "logs delivered outside us-east-1",
    "a certificate of yours ignored",
    "an origin path for the default stage",
    "the git host asked from every edge",
    "no security headers",
    "an empty secret accepted",
    "the custom domain with IPv4 alone",
    "prefixes within each other taken",
    "a short secret taken",
    "the secret in the address's place taken",
    "files kept for a day",
    "errors kept",
    "pull requests taken as refs",
}
"""What no viewer notices at once: only the module's own tests can."""


PLANS = {
    "api-front": """nonsensitive(jsonencode({
        aws_cloudfront_distribution = aws_cloudfront_distribution.api
        aws_cloudfront_function     = concat(values(aws_cloudfront_function.route), aws_cloudfront_function.default)
        aws_route53_record = [
            for one in aws_route53_record.address : { name = one.name, type = one.type, alias = one.alias }
        ]
    }))""",
    "hub-front": """jsonencode({
        aws_cloudfront_cache_policy = aws_cloudfront_cache_policy.hub
        aws_cloudfront_distribution = [aws_cloudfront_distribution.hub]
        aws_cloudfront_function     = [aws_cloudfront_function.path]
        aws_route53_record = [
            for one in aws_route53_record.address : { name = one.name, type = one.type, alias = one.alias }
        ]
    })""",
}
"""What the simulator must know of a module, as an expression of Terraform: lists of resources by their types."""


def judge(module: str, hurt: tuple[Mutant, ...], home: Path) -> Mapping[str, Verdict]:
    """Return what the module's tests say of it and of its mutants; the functions lie where modules look for them."""
    shutil.copytree(TERRAFORM / "functions", home / "functions")
    return judged(module, hurt, home, tell=PLANS[module])


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict]:
    """Return the verdicts on the API front and its mutants."""
    return judge("api-front", API, tmp_path_factory.mktemp("api"))


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Verdict]:
    """Return the verdicts on the hub front and its mutants."""
    return judge("hub-front", HUB_MUTANTS, tmp_path_factory.mktemp("hub"))


def seen_by_viewers(verdict: Verdict, stories: tuple[Story, ...], origin: Callable[[Arrival], Answer]) -> list[str]:
    """Return which stories do not hold for the plan that the first run made."""
    plan = [{"type": kind, "values": each} for kind, found in json.loads(verdict.told).items() for each in found]
    return broken(plan, stories, origin)


def test_what_no_viewer_sees_is_a_mistake_that_is_made() -> None:
    """Nothing is excused that is no longer in the lists."""
    assert {mutant.name for mutant in (*API, *HUB_MUTANTS)} >= UNSEEN


@needs_terraform
def test_the_modules_keep_their_promises(api: Mapping[str, Verdict], hub: Mapping[str, Verdict]) -> None:
    """Every run of their own tests passes, and every story holds."""
    assert (api[""].failures, hub[""].failures) == ((), ())
    assert seen_by_viewers(api[""], API_STORIES, api_gateway) == []
    assert seen_by_viewers(hub[""], HUB_STORIES, git_host) == []


@needs_terraform
@pytest.mark.parametrize("mutant", API, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_api_front_is_noticed(mutant: Mutant, api: Mapping[str, Verdict]) -> None:
    """By the module's own tests, and by a viewer wherever one could."""
    verdict = api[mutant.name]
    assert verdict.failures
    assert mutant.name in UNSEEN or seen_by_viewers(verdict, API_STORIES, api_gateway)


@needs_terraform
@pytest.mark.parametrize("mutant", HUB_MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_the_hub_front_is_noticed(mutant: Mutant, hub: Mapping[str, Verdict]) -> None:
    """By the module's own tests, and by a viewer wherever one could."""
    verdict = hub[mutant.name]
    assert verdict.failures
    assert mutant.name in UNSEEN or seen_by_viewers(verdict, HUB_STORIES, git_host)


@dataclass(frozen=True, slots=True)
class Slip:
    """A function with one mistake: `old`, which stands once in its code, became `new`."""

    function: str
    name: str
    old: str
    new: str


SLIPS = (
    Slip(STAGE, "the viewer's own value kept", "            delete request.headers[name];\n", ""),
    Slip(STAGE, "underscores forgotten", ".replace(/_/g, '-')", ""),
    Slip(STAGE, "only the first underscore", ".replace(/_/g, '-')", ".replace('_', '-')"),
    Slip(STAGE, "the lock forgotten", " || read === ROUTE.lock", ""),
    Slip(STAGE, "no address", "request.headers[ROUTE.address] = { value: event.viewer.ip };", ""),
    Slip(
        STAGE,
        "the address of whom the viewer names",
        "{ value: event.viewer.ip }",
        "request.headers['x-forwarded-for'] || { value: event.viewer.ip }",
    ),
    Slip(STAGE, "the address in a header that is CloudFront's", "headers[ROUTE.address]", "headers['x-real-ip']"),
    Slip(STAGE, "the address in capitals", "headers[ROUTE.address]", "headers['X-Viewer-Address']"),
    Slip(STAGE, "the address as no string", "{ value: event.viewer.ip }", "{ value: [event.viewer.ip] }"),
    Slip(STAGE, "a prefix without its slash", "ROUTE.prefix + '/'", "ROUTE.prefix"),
    Slip(STAGE, "a prefix anywhere", ".startsWith(ROUTE.prefix", ".includes(ROUTE.prefix"),
    Slip(STAGE, "any path", " || !isPlain(request.uri)", ""),
    Slip(STRIP, "any path", " || !isPlain(request.uri)", ""),
    Slip(STRIP, "nothing stripped", "request.uri.slice(ROUTE.prefix.length)", "request.uri"),
    Slip(STRIP, "stripped with its slash", "slice(ROUTE.prefix.length)", "slice(ROUTE.prefix.length + 1)"),
    Slip(
        STRIP,
        "every prefix stripped",
        "request.uri.slice(ROUTE.prefix.length)",
        "request.uri.split(ROUTE.prefix).join('')",
    ),
    Slip(STAGE, "escaped dots", ".replace(/%2e/gi, '.')", ""),
    Slip(STAGE, "escaped dots in capitals", "/%2e/gi", "/%2e/g"),
    Slip(STAGE, "only the first escaped dot", "/%2e/gi", "/%2e/i"),
    Slip(STAGE, "escaped slashes", "/%2f|%5c|", "/%5c|"),
    Slip(STAGE, "escaped backslashes", "%2f|%5c|", "%2f|"),
    Slip(STAGE, "backslashes", "|\\\\/gi", "/gi"),
    Slip(STAGE, "escaped semicolons", ".replace(/%3b/gi, ';')", ""),
    Slip(STAGE, "semicolons", "\\.{1,2}(?:[;/]|$)", "\\.{1,2}(?:[/]|$)"),
    Slip(STAGE, "empty segments", "!/\\/(?:[;/]|", "!/\\/(?:"),
    Slip(STAGE, "one dot", "\\.{1,2}", "\\.{2}"),
    Slip(STAGE, "a dot segment last", "(?:[;/]|$))/", "(?:[;/]))/"),
    Slip(STAGE, "three dots", "\\.{1,2}", "\\.+"),
    Slip(STAGE, "escaped control characters", "%[2-9a-f][0-9a-f]", "%[0-9a-f][0-9a-f]"),
    Slip(STAGE, "escapes that are none", "[!-$&-~]", "[!-~]"),
    Slip(STAGE, "an escaped delete", " || /%7f/i.test(uri)", ""),
    Slip(STAGE, "sent on as read", "return request;", "request.uri = decodeURIComponent(request.uri); return request;"),
    Slip(STAGE, "403", "statusCode: 404", "statusCode: 403"),
    Slip(STAGE, "cached by viewers", "'no-store'", "'max-age=60'"),
    Slip(HUB, "a longer ref", "'/' + ref + '/'", "'/' + ref"),
    Slip(HUB, "only when all refs fit", "REFS.some", "REFS.every"),
    Slip(HUB, "any path", "!isPlain(request.uri) || ", ""),
    Slip(HUB, "any ref", " || !REFS.some((ref) => request.uri.startsWith('/' + ref + '/'))", ""),
)


def noticed(function: str, code: str) -> list[str]:
    """Return what the table of events finds in a function's code."""
    rows = [row for row in ROWS if row.function == function]
    outcomes = run_in_quickjs(code, [event_of(row) for row in rows])
    return [found for row, outcome in zip(rows, outcomes, strict=True) for found in wrong(row, outcome)]


@pytest.mark.parametrize("function", FILES)
def test_the_functions_as_they_are_have_no_mistake(function: str) -> None:
    """What follows would mean nothing if the table found fault with everything."""
    assert noticed(function, code_of(function)) == []


@pytest.mark.parametrize("slip", SLIPS, ids=lambda slip: f"{slip.function}: {slip.name}")
def test_a_mistake_in_a_function_is_noticed(slip: Slip) -> None:
    """At least one event comes to something else than the table says."""
    code = code_of(slip.function)
    assert code.count(slip.old) == 1
    assert noticed(slip.function, code.replace(slip.old, slip.new))
