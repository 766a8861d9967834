"""CloudFront and its DNS, as a plan says they would stand: replay a request, see where it arrives, and with what.

`Edge` is made of planned resources, nothing else: records, distributions, functions, policies. It goes the way that
CloudFront's guide describes: name, TLS, host, redirect to HTTPS, behaviour, methods, function, cache, what is sent on,
the origin's answer, errors. What it cannot read it refuses (`Refused`), so that a plan is never judged by less than
what stands in it. Left out: compression, ages in the cache, cached errors, WAF, time-outs.

Sources: CloudFront Developer Guide, "Distribution settings" (path patterns are matched against the normalised path, the
origin is sent the path as it came), "HTTP request and response headers", "Restrictions on all edge functions".
"""

import fnmatch
import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tests.support.edge_functions import (
    Edge502,
    held_to_rules,
    is_disallowed,
    run_in_quickjs,
    values_of,
    viewer_request,
)

Resource = Mapping[str, Any]

_CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
_CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
_ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
_ALL_VIEWER_EXCEPT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
_SECURITY_HEADERS = "67f7725c-6f97-4210-82d7-5512b31e9d03"
_OLDEST_TLS = {"TLSv1": 1.0, "TLSv1_2016": 1.0, "TLSv1.1_2016": 1.1, "TLSv1.2_2018": 1.2, "TLSv1.2_2019": 1.2}
_UNRESERVED = re.compile(r"%(2[dDeE]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])")


class Refused(Exception):
    """CloudFront would not take this plan, or the simulator cannot judge it."""


class NoRoute(Exception):
    """The viewer reaches no server: no address of its family, or no TLS that both speak."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request as an origin gets it. Header names are lower-case; `host` is the name that was connected to."""

    scheme: str
    host: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    signed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as the viewer gets it, who made it (edge, function, cache, origin), and what arrived at the origin."""

    status: int
    by: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    arrival: Arrival | None = None


Origin = Callable[[Arrival], Answer]


def accepting(arrival: Arrival) -> Answer:
    """Answer 200 to whatever arrives: an origin for those who ask only what arrives."""
    return Answer(200, "origin", body=arrival.path, arrival=arrival)


def planned_resources(plan: Mapping[str, Any]) -> tuple[Resource, ...]:
    """Return what will stand by a plan: of `terraform show -json`, or of `terraform test -json -verbose`."""
    return tuple(
        {"type": each["type"], "address": each["address"], "values": each["change"]["after"]}
        for each in plan["resource_changes"]
        if each["mode"] == "managed" and each["change"]["after"] is not None
    )


class Edge:
    """What planned resources come to, ready to be asked. It has one cache, in which nothing grows old."""

    def __init__(self, resources: Iterable[Resource], *, functions_see_raw_paths: bool = True) -> None:
        """Take resources as Terraform shows them. Whether functions see paths as they came is not documented."""
        self._of: dict[str, list[Mapping[str, Any]]] = {}
        for resource in resources:
            self._of.setdefault(resource["type"], []).append(resource["values"])
        self._raw = functions_see_raw_paths
        self._cache: dict[tuple[Any, ...], Answer] = {}
        self._functions = {values["arn"]: values for values in self._of.get("aws_cloudfront_function", ())}
        for distribution in self._of.get("aws_cloudfront_distribution", ()):
            for behavior in _behaviors(distribution):
                self._check(behavior)

    def ask(
        self,
        url: str,
        *,
        viewer: str = "2001:db8::7",
        method: str = "GET",
        headers: Iterable[tuple[str, str]] = (),
        tls: float = 1.3,
        origin: Origin = accepting,
    ) -> Answer:
        """Return what a viewer at this address gets for a URL, whose path is taken letter by letter."""
        scheme, _, rest = url.partition("://")
        authority, slash, tail = rest.partition("/")
        path, _, query = (slash + tail).partition("?")
        host = urlsplit(f"//{authority}").hostname or ""
        distribution = self._reached(host, viewer)
        if scheme == "https" and tls < self._oldest_tls(distribution):
            raise NoRoute(f"{host}: TLS {tls} is refused")
        if not distribution["enabled"] or host not in (distribution["aliases"] or ()):
            return Answer(403, "edge")
        behavior = next(each for each in _behaviors(distribution) if _matches(each["path_pattern"], normalised(path)))
        if scheme == "http" and behavior["viewer_protocol_policy"] != "allow-all":
            if behavior["viewer_protocol_policy"] == "https-only":
                return Answer(403, "edge")
            return Answer(301, "edge", {"location": f"https://{rest}"})
        if method not in behavior["allowed_methods"]:
            return Answer(403, "edge")
        event = viewer_request(
            path if self._raw else normalised(path),
            ip=viewer,
            method=method,
            query=query,
            headers=(*headers, ("host", host)),
        )
        request = self._run("viewer-request", behavior, event, event["request"])
        if isinstance(request, Answer):
            return request
        answer = self._secured(behavior, self._fetched(distribution, behavior, request, viewer, origin))
        return self._answered(behavior, event, answer) if answer.status < 400 else answer

    def _reached(self, host: str, viewer: str) -> Mapping[str, Any]:
        """Return the distribution that a name leads this viewer to: by a record of its family, with the family on."""
        version = ipaddress.ip_address(viewer).version
        kind = {4: "A", 6: "AAAA"}[version]
        for record in self._of.get("aws_route53_record", ()):
            if record["name"] == host and record["type"] == kind and record["alias"]:
                for distribution in self._of.get("aws_cloudfront_distribution", ()):
                    if distribution["domain_name"] == record["alias"][0]["name"] and host in (
                        distribution["aliases"] or ()
                    ):
                        if version == 6 and not distribution["is_ipv6_enabled"]:
                            raise NoRoute(f"{host}: the distribution has no IPv6")
                        return distribution
        raise NoRoute(f"{host}: no {kind} record")

    def _oldest_tls(self, distribution: Mapping[str, Any]) -> float:
        name = distribution["viewer_certificate"][0]["minimum_protocol_version"]
        return 1.3 if name.startswith("TLSv1.3") else _OLDEST_TLS.get(name, 1.2)

    def _check(self, behavior: Mapping[str, Any]) -> None:
        events = [each["event_type"] for each in behavior["function_association"] or ()]
        if len(events) != len(set(events)):
            raise Refused(f"{behavior['path_pattern']}: two functions for one event")
        for each in behavior["function_association"] or ():
            function = self._functions.get(each["function_arn"])
            if function is None:
                raise Refused(f"{behavior['path_pattern']}: no function {each['function_arn']}")
            if not function["publish"]:
                raise Refused(f"{behavior['path_pattern']}: {function['name']} is not published")
        if behavior["lambda_function_association"] or behavior["forwarded_values"]:
            raise Refused(f"{behavior['path_pattern']}: Lambda and legacy forwarding are not simulated")

    def _run(
        self, event_type: str, behavior: Mapping[str, Any], event: Mapping[str, Any], default: Mapping[str, Any]
    ) -> Mapping[str, Any] | Answer:
        """Return what the behaviour's function makes of an event, or `default` without one; an Answer is final."""
        for each in behavior["function_association"] or ():
            if each["event_type"] == event_type:
                (outcome,) = run_in_quickjs(self._functions[each["function_arn"]]["code"], [event])
                if outcome.error is not None:
                    return Answer(503, "edge", body=outcome.error)
                try:
                    returned = held_to_rules(event, outcome.value)
                except Edge502 as broken:
                    return Answer(502, "edge", body=str(broken))
                if "statusCode" not in returned:
                    return returned
                answered = {name: str(header["value"]) for name, header in returned.get("headers", {}).items()}
                return Answer(returned["statusCode"], "function", answered, returned.get("body", {}).get("data", ""))
        return default

    def _answered(self, behavior: Mapping[str, Any], event: Mapping[str, Any], answer: Answer) -> Answer:
        """Return the answer after the behaviour's function of viewer responses, which must give back a response."""
        response = {
            "statusCode": answer.status,
            "headers": {name: {"value": value} for name, value in answer.headers.items()},
        }
        given = self._run("viewer-response", behavior, {**event, "response": response}, response)
        if isinstance(given, Answer) and given.by == "function":
            return Answer(given.status, answer.by, given.headers, answer.body, answer.arrival)
        return answer if given is response else Answer(502, "edge", body="no response", arrival=answer.arrival)

    def _fetched(
        self,
        distribution: Mapping[str, Any],
        behavior: Mapping[str, Any],
        request: Mapping[str, Any],
        viewer: str,
        origin: Origin,
    ) -> Answer:
        """Return the answer from the cache, else the origin's, mapped as errors are."""
        root = distribution["default_root_object"]
        asked = {**request, "uri": f"/{root}"} if root and request["uri"] == "/" else request
        arrival = self._sent(distribution, behavior, asked, viewer)
        keeps = self._keeps(behavior["cache_policy_id"]) and arrival.method in ("GET", "HEAD")
        key = (distribution["domain_name"], behavior["path_pattern"], request["uri"])
        if keeps and key in self._cache:
            kept = self._cache[key]
            return Answer(kept.status, "cache", kept.headers, kept.body)
        answer = origin(arrival)
        if keeps and answer.status < 400 and "no-store" not in answer.headers.get("cache-control", ""):
            self._cache[key] = answer
        for rule in distribution["custom_error_response"] or ():
            if rule["error_code"] == answer.status and rule["response_code"]:
                page = {**request, "uri": rule["response_page_path"], "method": "GET"}
                body = origin(self._sent(distribution, behavior, page, viewer)).body
                return Answer(int(rule["response_code"]), "origin", answer.headers, body, arrival)
        return Answer(answer.status, "origin", answer.headers, answer.body, arrival)

    def _sent(
        self, distribution: Mapping[str, Any], behavior: Mapping[str, Any], request: Mapping[str, Any], viewer: str
    ) -> Arrival:
        """Return the request that CloudFront makes of a viewer's, after its function."""
        (origin,) = (each for each in distribution["origin"] if each["origin_id"] == behavior["target_origin_id"])
        everything = behavior["origin_request_policy_id"] in (_ALL_VIEWER, _ALL_VIEWER_EXCEPT_HOST)
        if behavior["origin_request_policy_id"] and not everything:
            raise Refused(f"origin request policy {behavior['origin_request_policy_id']} is not simulated")
        given = {name: ", ".join(values_of(header)) for name, header in request["headers"].items()}
        headers = {name: value for name, value in given.items() if everything and not is_disallowed(name)}
        if everything and request["cookies"]:
            headers["cookie"] = "; ".join(f"{name}={cookie['value']}" for name, cookie in request["cookies"].items())
        headers["user-agent"] = headers.get("user-agent", "Amazon CloudFront")
        headers["x-forwarded-for"] = ", ".join(filter(None, (given.get("x-forwarded-for"), viewer)))
        if behavior["origin_request_policy_id"] != _ALL_VIEWER:
            headers["host"] = origin["domain_name"]
        for header in origin["custom_header"] or ():
            headers[header["name"].lower()] = header["value"]
        asked = request["querystring"].items() if everything else ()
        query = "&".join(f"{name}={value}" for name, parameter in asked for value in values_of(parameter))
        custom = origin["custom_origin_config"]
        return Arrival(
            scheme="http" if custom and custom[0]["origin_protocol_policy"] == "http-only" else "https",
            host=origin["domain_name"],
            method=request["method"],
            path=(origin["origin_path"] or "") + request["uri"],
            query=query,
            headers=headers,
            signed=bool(origin["origin_access_control_id"]),
        )

    def _keeps(self, policy_id: str | None) -> bool:
        if policy_id in (_CACHING_DISABLED, _CACHING_OPTIMIZED):
            return policy_id == _CACHING_OPTIMIZED
        for policy in self._of.get("aws_cloudfront_cache_policy", ()):
            if policy["id"] == policy_id:
                (parts,) = policy["parameters_in_cache_key_and_forwarded_to_origin"]
                behaviors = (
                    parts["cookies_config"][0]["cookie_behavior"],
                    parts["headers_config"][0]["header_behavior"],
                    parts["query_strings_config"][0]["query_string_behavior"],
                )
                if behaviors != ("none", "none", "none"):
                    raise Refused(f"cache policy {policy['name']}: keys of more than the path are not simulated")
                return bool(policy["max_ttl"])
        raise Refused(f"cache policy {policy_id} is not simulated")

    def _secured(self, behavior: Mapping[str, Any], answer: Answer) -> Answer:
        """Return the answer with the behaviour's security headers: those of the managed policy, which are known."""
        if behavior["response_headers_policy_id"] != _SECURITY_HEADERS:
            return answer
        added = {
            "referrer-policy": "strict-origin-when-cross-origin",
            "strict-transport-security": "max-age=31536000",
            "x-content-type-options": "nosniff",
            "x-frame-options": "SAMEORIGIN",
            "x-xss-protection": "1; mode=block",
        }
        return Answer(answer.status, answer.by, {**added, **answer.headers}, answer.body, answer.arrival)


def normalised(path: str) -> str:
    """Return the path that behaviours are matched by: RFC 3986 section 6.2.2, and without empty segments."""
    decoded = _UNRESERVED.sub(lambda found: chr(int(found[1], 16)), path)
    kept: list[str] = []
    segments = re.sub(r"/{2,}", "/", decoded).split("/")[1:]
    for segment in segments:
        if segment == "..":
            kept = kept[:-1]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept)


def _behaviors(distribution: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    """Return the behaviours in the order in which they are tried."""
    (default,) = distribution["default_cache_behavior"]
    return (*(distribution["ordered_cache_behavior"] or ()), {**default, "path_pattern": "*"})


def _matches(pattern: str, path: str) -> bool:
    """Return whether a path pattern fits: `*` is any run of characters, slashes too, `?` is one; case counts."""
    literal = pattern.replace("[", "[[]")
    return fnmatch.fnmatchcase(path, literal if literal.startswith(("/", "*")) else f"/{literal}")
