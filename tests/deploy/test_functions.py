"""The functions at the edge do the same on two engines, keep CloudFront's rules, and refuse what is not plain."""

import itertools
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from tests.deploy.function_events import CODE, FILES, GONE, HUB, ROWS, STAGE, STRIP, V6, Row
from tests.support.edge_functions import (
    DISALLOWED,
    MOST_BYTES,
    READ_ONLY,
    Edge502,
    Outcome,
    beyond_runtime,
    held_to_rules,
    is_disallowed,
    run_in_node,
    run_in_quickjs,
    values_of,
    viewer_request,
)
from tests.support.terraform import TERRAFORM

FUNCTIONS = TERRAFORM / "functions"
ADDRESS = "x-viewer-address"


def code_of(function: str, file: str | None = None) -> str:
    """Return a function as Terraform sends it to CloudFront: the line with its settings, the paths, the function."""
    parts = (FUNCTIONS / "strict-path.js", FUNCTIONS / (file or FILES[function]))
    return "\n".join([CODE[function], *(part.read_text(encoding="utf-8") for part in parts)])


def event_of(row: Row) -> dict[str, Any]:
    """Return the event that CloudFront would hand to the row's function."""
    host = (("host", "api.example.net"),)
    return viewer_request(row.uri, ip=row.ip, method=row.method, query=row.query, headers=(*row.headers, *host))


@pytest.fixture(scope="module", params=["quickjs-ng", "node"])
def outcomes(request: pytest.FixtureRequest) -> dict[Row, Outcome]:
    """Return what each row's function makes of it, on one of the engines; each engine is started once."""
    rows = {function: [row for row in ROWS if row.function == function] for function in FILES}
    work = [(code_of(function), [event_of(row) for row in mine]) for function, mine in rows.items()]
    results = run_in_node(work) if request.param == "node" else [run_in_quickjs(*each) for each in work]
    return {
        row: got
        for mine, heard in zip(rows.values(), results, strict=True)
        for row, got in zip(mine, heard, strict=True)
    }


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.function}: {row.what}")
def test_each_event_comes_to_what_the_table_says(row: Row, outcomes: dict[Row, Outcome]) -> None:
    """Sent on with the viewer's address and everything else as it was, or answered with 404."""
    assert wrong(row, outcomes[row]) == []


def wrong(row: Row, outcome: Outcome) -> list[str]:
    """Return what the function did otherwise than the row says."""
    if outcome.error is not None:
        return [f"threw {outcome.error}"]
    event = viewer_request(
        row.uri, ip=row.ip, method=row.method, query=row.query, headers=(*row.headers, ("host", "api.example.net"))
    )
    try:
        got = held_to_rules(event, outcome.value)
    except Edge502 as broken:
        return [f"502: {broken}"]
    if row.then == GONE:
        told = (got.get("statusCode"), got.get("body", {}).get("data"), got.get("headers", {}).get("cache-control"))
        return [] if told == (404, '{"message":"Not Found"}', {"value": "no-store"}) else [f"answered {got}"]
    if "statusCode" in got:
        return [f"answered {got['statusCode']}"]
    asked = event["request"]
    found = [] if got["uri"] == row.then else [f"sent on to {got['uri']}"]
    found += [f"{part} changed" for part in ("method", "querystring", "cookies") if got[part] != asked[part]]
    headers = dict(got["headers"])
    if row.function != HUB and headers.pop(ADDRESS, None) != {"value": row.ip}:
        found.append("the address is not the viewer's")
    kept = {name: values_of(header) for name, header in headers.items()}
    expected = {"host": ("api.example.net",), **dict(row.kept)}
    return found if kept == expected else [*found, f"headers sent on: {kept}"]


def test_the_table_has_enough_rows_and_none_twice() -> None:
    """At least sixty events, each with a name of its own."""
    assert len(ROWS) >= 60
    assert len({(row.function, row.what) for row in ROWS}) == len(ROWS)


def test_no_function_is_left_out() -> None:
    """Every file beside the modules is in the table, or comes before those that are."""
    assert {file.name for file in FUNCTIONS.iterdir()} == {*FILES.values(), "strict-path.js"}


@pytest.mark.parametrize("file", sorted(TERRAFORM.glob("modules/*/functions/*.js")), ids=lambda file: file.stem)
def test_modules_own_functions_answer_by_the_rules(file: Path) -> None:
    """A function of one module alone is held to CloudFront's rules as well: size, language, and what it gives back."""
    code = file.read_text(encoding="utf-8")
    event = viewer_request("/.hubdata/lease.json", ip=V6, headers=(("host", "data.example.net"),))
    ((in_node,),) = run_in_node([(code, [event])])
    (in_quickjs,) = run_in_quickjs(code, [event])
    assert len(code.encode()) < MOST_BYTES
    assert beyond_runtime(code) == ()
    assert in_node == in_quickjs
    assert held_to_rules(event, in_quickjs.value)["statusCode"] == 404


@pytest.mark.parametrize("function", FILES)
def test_every_function_is_small_and_speaks_the_runtimes_language(function: str) -> None:
    """Under CloudFront's 10 KB, and without a feature that its runtime 2.0 lacks."""
    assert len(code_of(function).encode()) < MOST_BYTES / 2
    assert beyond_runtime(code_of(function)) == ()


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ("class A {}", "a class"),
        ("for (const a of b) {}", "for ... of"),
        ("const f = (a = 1) => a;", "a default for a parameter"),
        ("function f(a, b = {}) { return a; }", "a default for a parameter"),
        ("const {uri} = event.request;", "destructuring"),
        ("const a = [...b];", "spread"),
        ("f(...b);", "spread"),
        ("a?.b", "optional chaining"),
        ("a ?? b", "nullish coalescing"),
        ("function* f() {}", "a generator"),
        ("/(?<=a)b/", "a lookbehind"),
        ("/(?<year>a)b/", "a named group"),
        ("const a = 1n;", "a BigInt"),
        ("eval('1')", "eval"),
        ("setTimeout(f, 1)", "a timer"),
        ("fetch('https://example.org')", "the network"),
        ("process.exit()", "a name of Node"),
    ],
)
def test_language_beyond_the_runtime_is_noticed(code: str, what: str) -> None:
    """What would be refused at CloudFront, or fail for every viewer, is named here."""
    assert what in beyond_runtime(code)


@pytest.mark.parametrize(
    "name", [*(rule.replace("*", "thing") for rule in DISALLOWED), *(n.upper() for n in ("x-real-ip",))]
)
def test_headers_that_are_cloudfronts_are_neither_shown_to_functions_nor_taken_from_them(name: str) -> None:
    """A function that sets one of the published names fails with 502; what a viewer sends under it is not seen."""
    event = viewer_request("/v2/a", ip=V6, headers=((name, "mine"),))
    assert event["request"]["headers"] == {}
    with pytest.raises(Edge502):
        held_to_rules(event, {**event["request"], "headers": {name: {"value": "mine"}}})


@pytest.mark.parametrize("name", READ_ONLY)
@pytest.mark.parametrize("change", ["add", "change", "delete"])
def test_headers_that_are_read_only_may_not_be_touched(name: str, change: str) -> None:
    """A function may neither add, nor change, nor delete what it is only to read."""
    event = viewer_request("/v2/a", ip=V6, headers=() if change == "add" else ((name, "1"),))
    headers = {} if change == "delete" else {name: {"value": "2"}}
    with pytest.raises(Edge502):
        held_to_rules(event, {**event["request"], "headers": headers})


def test_the_names_that_terraform_refuses_are_the_published_ones() -> None:
    """The module lets nobody choose a header for the address that CloudFront would refuse from a function."""
    text = (TERRAFORM / "modules" / "api-front" / "variables.tf").read_text(encoding="utf-8")
    found = re.search(r'!can\(regex\("(\^x-\(.*\))", var\.viewer_address_header\)\)', text)
    assert found is not None
    refused = re.compile(found[1])
    names = [rule.replace("*", "thing") for rule in DISALLOWED if rule.startswith("x-")]
    assert [name for name in names if not refused.search(name)] == []
    assert [name for name in names if not is_disallowed(name)] == []
    assert not refused.search(ADDRESS)


_PIECES = ("/", "//", ".", "..", "%2e", "%2E%2e", "%2f", "%5C", "\\", ";", "%3b", "a", "v2", ".well-known", "%25", "%")


@pytest.mark.parametrize(("function", "prefix"), [(STAGE, "/v2/"), (STRIP, "/.well-known/"), (HUB, "/master/")])
def test_no_path_leads_out_of_its_prefix_however_often_it_is_read(function: str, prefix: str) -> None:
    """Of all paths of three pieces, what is sent on stays below the prefix for servers that decode and resolve."""
    uris = [
        start + "".join(pieces)
        for start in (prefix, prefix[:-1], "/")
        for count in range(4)
        for pieces in itertools.product(_PIECES, repeat=count)
    ]
    events = [viewer_request(uri, ip=V6) for uri in uris]
    heard = run_in_quickjs(code_of(function), events)
    sent = [(uri, got.value["uri"]) for uri, got in zip(uris, heard, strict=True) if "uri" in got.value]
    assert 100 < len(sent) < len(uris) / 2
    for uri, onward in sent:
        assert uri.startswith(prefix)
        assert onward == (uri[len(prefix) - 1 :] if function == STRIP else uri)
        read = re.sub(r";[^/]*", "", unquote(uri).replace("\\", "/"))
        assert "//" not in read
        assert not {".", ".."} & set(read.split("/"))
