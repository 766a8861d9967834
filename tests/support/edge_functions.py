"""Run CloudFront Functions on two JavaScript engines, by CloudFront's rules for what a function may give back.

A function sees one event and returns a request (sent on), or a response (sent back). Breaking a rule is no detail:
CloudFront answers 502 to every viewer then, and 503 when the function throws. What cannot be had here is CloudFront's
own engine, so `beyond_runtime` also looks for language that it does not speak.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
import quickjs

MOST_BYTES = 10 * 1024
"""CloudFront's quota for a function's code: "CloudFront Functions: maximum function size", 10 KB."""

DISALLOWED = (
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amz-cf-*",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-edge-*",
    "x-forwarded-proto",
    "x-real-ip",
)
"""Headers that functions neither see nor may add ("Restrictions on all edge functions", Disallowed headers)."""

READ_ONLY = ("content-length", "host", "transfer-encoding", "via")
"""Headers that a viewer request's function sees and may not add, change or delete (ibid., Read-only headers)."""

_NODE = """
const vm = require('vm');
const work = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const results = work.map(({code, events}) => {
  const realm = vm.createContext({});
  vm.runInContext(code, realm, {timeout: 1000});
  return events.map((event) => {
    realm.given = JSON.stringify(event);
    try {
      return {value: JSON.parse(vm.runInContext('JSON.stringify(handler(JSON.parse(given)))', realm, {timeout: 1000}))};
    } catch (error) {
      return {error: String(error)};
    }
  });
});
process.stdout.write(JSON.stringify(results));
"""

# Runtime 2.0 is ECMAScript 5.1 with some of what came later: const, let, arrow functions, templates, async. Not these.
_BEYOND = {
    "a class": r"\bclass\b",
    "for ... of": r"\bfor\s*\([^;)]*\bof\b",
    "a default for a parameter": r"(?:function\b[^(]*|[=(,]\s*)\([^()]*=[^()>][^()]*\)\s*(?:=>|\{)",
    "destructuring": r"(?:const|let|var)\s*[\[{]",
    "spread": r"[\[{(,]\s*\.\.\.",
    "optional chaining": r"\?\.(?!\d)",
    "nullish coalescing": r"\?\?",
    "a generator": r"function\s*\*|\byield\b",
    "a lookbehind": r"\(\?<[=!]",
    "a named group": r"\(\?<[A-Za-z]",
    "a BigInt": r"\b\d+n\b",
    "eval": r"\beval\s*\(|\bnew\s+Function\b",
    "a timer": r"\bset(?:Timeout|Interval|Immediate)\b",
    "the network": r"\bfetch\s*\(|\bXMLHttpRequest\b",
    "a name of Node": r"\b(?:process|module|exports|global|globalThis|__dirname)\b",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one event: a value that the function returned, or what it threw."""

    value: Any = None
    error: str | None = None


class Edge502(Exception):
    """The function gave back what CloudFront refuses: the viewer gets 502."""


def run_in_quickjs(code: str, events: Sequence[Mapping[str, Any]]) -> tuple[Outcome, ...]:
    """Return what the handler in `code` makes of each event, in quickjs-ng, in this process."""
    realm = quickjs.Context()
    realm.set_memory_limit(16 * 1024 * 1024)
    realm.set_time_limit(0.25)
    realm.eval(code)
    realm.eval("function judge(text) { return JSON.stringify(handler(JSON.parse(text))); }")
    judge = realm.get("judge")
    outcomes = []
    for event in events:
        try:
            outcomes.append(Outcome(json.loads(judge(json.dumps(event)))))
        except quickjs.JSException as thrown:
            outcomes.append(Outcome(error=str(thrown)))
    return tuple(outcomes)


def run_in_node(work: Sequence[tuple[str, Sequence[Mapping[str, Any]]]]) -> tuple[tuple[Outcome, ...], ...]:
    """Return for each (code, events) what its handler makes of each event; one Node for all of them."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("NOT TESTED ON A SECOND ENGINE: node is absent; install the package nodejs and run again")
    given = json.dumps([{"code": code, "events": list(events)} for code, events in work])
    done = subprocess.run([node, "-e", _NODE], input=given, capture_output=True, text=True, timeout=60, check=True)
    return tuple(tuple(Outcome(**outcome) for outcome in outcomes) for outcomes in json.loads(done.stdout))


def viewer_request(
    uri: str,
    *,
    ip: str,
    method: str = "GET",
    query: str = "",
    headers: Sequence[tuple[str, str]] = (),
) -> dict[str, Any]:
    """Return the event that CloudFront would hand to a viewer request's function (event structure, version 1.0)."""
    seen: dict[str, list[str]] = {}
    for name, value in headers:
        if not is_disallowed(name) and name.lower() != "cookie":
            seen.setdefault(name.lower(), []).append(value)
    cookies = [each for name, value in headers if name.lower() == "cookie" for each in value.split(";")]
    asked: dict[str, list[str]] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        asked.setdefault(name, []).append(value)
    return {
        "version": "1.0",
        "context": {
            "distributionDomainName": "d111111abcdef8.cloudfront.net",
            "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request",
            "requestId": "4TyzHTaYWb1GX1qTfsHhEqV6HUDd_BzoBZnwfnvQc_1oF26ClkoUSEQ==",
        },
        "viewer": {"ip": ip},
        "request": {
            "method": method,
            "uri": uri,
            "querystring": {name: _valued(values) for name, values in asked.items()},
            "headers": {name: _valued(values) for name, values in seen.items()},
            "cookies": {name.strip(): {"value": value} for name, _, value in (each.partition("=") for each in cookies)},
        },
    }


def is_disallowed(name: str) -> bool:
    """Return whether CloudFront hides this header from functions and refuses it from them."""
    plain = name.lower()
    return any(plain.startswith(rule[:-1]) if rule.endswith("*") else plain == rule for rule in DISALLOWED)


def held_to_rules(event: Mapping[str, Any], returned: Any) -> dict[str, Any]:
    """Return what the function gave back, if CloudFront would take it.

    Raises Edge502 where CloudFront would answer 502: a header that is disallowed, not lower-case or read-only and
    changed; a path without its slash; a value that is no string; a status that is none; or neither a request nor a
    response.
    """
    if not isinstance(returned, dict):
        raise Edge502(f"neither a request nor a response: {returned!r}")
    headers = returned.get("headers", {})
    for name, header in headers.items():
        if name != name.lower():
            raise Edge502(f"{name}: header names are lower-case")
        if is_disallowed(name):
            raise Edge502(f"{name}: a header that no function may set")
        if not all(isinstance(value, str) for value in values_of(header)):
            raise Edge502(f"{name}: a value that is no string")
    if "statusCode" in returned:
        if not isinstance(returned["statusCode"], int) or not 200 <= returned["statusCode"] <= 599:
            raise Edge502(f"statusCode {returned['statusCode']!r}")
        return returned
    if not str(returned.get("uri", "")).startswith("/"):
        raise Edge502(f"uri {returned.get('uri')!r}: a path begins with a slash")
    before = event["request"]["headers"]
    for name in READ_ONLY:
        if before.get(name) != headers.get(name):
            raise Edge502(f"{name}: a header that functions may only read")
    return returned


def values_of(header: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return every value that a header or a query's parameter carries: `multiValue` outranks `value`."""
    if "multiValue" in header:
        return tuple(each.get("value") for each in header["multiValue"])
    return (header.get("value"),)


def beyond_runtime(code: str) -> tuple[str, ...]:
    """Return what in this code CloudFront's runtime 2.0 does not know, by name."""
    bare = re.sub(r"//[^\n]*|/\*.*?\*/", "", code, flags=re.DOTALL)
    bare = re.sub(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"", "''", bare)
    return tuple(what for what, pattern in _BEYOND.items() if re.search(pattern, bare))


def _valued(values: Sequence[str]) -> dict[str, Any]:
    if len(values) == 1:
        return {"value": values[0]}
    return {"value": values[0], "multiValue": [{"value": value} for value in values]}
