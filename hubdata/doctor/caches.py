"""Whether a CDN can be asked to forget, and whether it serves readers over IPv6.

A publisher may do little more than ask for invalidations, and that cannot be tried without making one: it is tried
with `--write` alone, with one path that is nobody's. What it may not read is told with the permission it would need.
"""

import json
import secrets
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from hubdata.doctor.catalogue import About
from hubdata.errors import CdnError
from hubdata.model.checkup import Check
from hubdata.model.key import PRIVATE
from hubdata.transfer.aws import AwsClient, Call, Settings, Trouble, failure_code, translated
from hubdata.transfer.deadline import Deadline

if TYPE_CHECKING:
    from hubdata.cdns.cloudflare import CloudflareCdn
    from hubdata.cdns.cloudfront import CloudfrontCdn

_TIME = timedelta(seconds=6)
_MAX_BYTES = 64 * 1024
_DENIED = ("AccessDenied", "AccessDeniedException", "Forbidden", "403")


def cloudfront(name: str, options: "CloudfrontCdn.Options", *, write: bool) -> Iterator[Check]:
    """Tell what the distribution says of itself, as far as this login may read it. Raises CdnError."""
    about, ipv6 = About("cdn", name), About("cdn-ipv6", name)
    place = f"distribution {options.distribution_id}"
    settings = Settings("cloudfront", options.region, options.endpoint_url, connections=2, hasty=True)
    client = AwsClient(settings).build()
    resource = f"arn:aws:cloudfront::*:distribution/{options.distribution_id}"
    call = Call("GetDistributionConfig", place, "cloudfront:GetDistributionConfig", resource, settings)
    try:
        with translated(_cdn_error, call):
            config = client.get_distribution_config(Id=options.distribution_id)["DistributionConfig"]
    except CdnError as err:
        cause = err.__cause__
        if not isinstance(cause, Exception) or failure_code(cause) not in _DENIED:
            raise
        yield about.ok(f"{place} answers; its configuration may not be read, and publishing does not need that")
        yield ipv6.skipped("its configuration may not be read", err.advice)
    else:
        yield _standing(about, place, config)
        yield _over_ipv6(ipv6, place, config)
    if write:
        asked = Call("CreateInvalidation", place, "cloudfront:CreateInvalidation", resource, settings)
        yield _invalidation(about, client, options.distribution_id, asked)
    else:
        yield about.skipped(
            "not tried: cloudfront:CreateInvalidation, which every publication needs",
            "`hubdata doctor --write` makes one of a path that is nobody's (one of the month's free paths)",
        )


def _standing(about: About, place: str, config: Mapping[str, Any]) -> Check:
    if not config.get("Enabled", True):
        return about.fail(f"{place} is switched off", "enable it: readers get nothing from it")
    names = config.get("Aliases", {}).get("Items") or []
    return about.ok(f"{place} is enabled" + (f", for {', '.join(map(str, names))}" if names else ""))


def _over_ipv6(about: About, place: str, config: Mapping[str, Any]) -> Check:
    if config.get("IsIPV6Enabled", False):
        return about.ok(f"{place} serves IPv6")
    advice = "set is_ipv6_enabled on the distribution, and give its names AAAA records"
    return about.fail(f"{place} does not serve IPv6", advice)


def _invalidation(about: About, client: Any, distribution: str, call: Call) -> Check:
    batch = {
        "Paths": {"Quantity": 1, "Items": [f"/{PRIVATE}doctor"]},
        "CallerReference": f"doctor-{secrets.token_hex(8)}",
    }
    try:
        with translated(_cdn_error, call):
            client.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)
    except CdnError as err:
        return about.fail(str(err), err.advice)
    return about.ok("may ask for invalidations (tried)")


def _cdn_error(trouble: Trouble) -> CdnError:
    return CdnError(trouble.message, advice=trouble.advice, retryable=trouble.retryable)


def cloudflare(name: str, options: "CloudflareCdn.Options", environment: Mapping[str, str]) -> Iterator[Check]:
    """Tell whether the token is good and until when; a purge is not tried: it needs a file that is cached.

    Raises RequestFailed when Cloudflare does not answer.
    """
    from hubdata.cdns.cloudflare import TOKEN
    from hubdata.transfer.bearer import BearerAuth
    from hubdata.transfer.http import HttpClient
    from hubdata.transfer.retry import RequestFailed
    from hubdata.transfer.secrets import read_secret

    about, login = About("cdn", name), About("credentials", f"cdn {name}")
    token = read_secret(environment, TOKEN)
    wanted = "a token with the permission Zone / Cache Purge / Purge for this zone"
    if token is None:
        yield login.fail(f"{TOKEN} is not set", f"set {TOKEN} or {TOKEN}_FILE to {wanted}")
        return
    url = f"{options.endpoint_url}/user/tokens/verify"
    try:
        with (
            HttpClient(options.endpoint_url, environment=environment) as client,
            client.get(url, deadline=Deadline.after(_TIME), max_bytes=_MAX_BYTES, auth=BearerAuth(token)) as response,
        ):
            body = response.read()
    except RequestFailed as err:
        if err.status not in (400, 401, 403):
            raise
        yield login.fail(f"Cloudflare does not take the token in {TOKEN} (status {err.status})", f"make {wanted}")
        return
    yield about.ok("Cloudflare answers; its zones always serve IPv6 unless that was switched off")
    yield _token(login, body, wanted)


def _token(login: About, body: bytes, wanted: str) -> Check:
    try:
        result = json.loads(body)["result"]
        state, until = str(result["status"])[:40], str(result.get("expires_on") or "")[:40]
    except (ValueError, KeyError, TypeError, RecursionError):
        return login.fail("what answers is not Cloudflare", "check `endpoint_url`; a proxy may be answering")
    if state != "active":
        return login.fail(f"the token is {state}", f"make {wanted}")
    return login.ok("the token is active" + (f", until {until}" if until else ", without an end"))
