"""Decide where a bucket is when that follows from its name, so that botocore need not be asked for its address."""

import re
from collections.abc import Mapping

from hubdata.transfer.aws_simply import REGION, authorities_in
from hubdata.values import frozen

_HOST_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_OTHER_BUCKETS = ("--x-s3", "--ol-s3", "-s3alias")  # directory buckets and access points live at other hosts
_ENDPOINTS = ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3")


@frozen
class Place:
    """Where a bucket is, without a slash at the end, in which region, and the file of who vouches for its host."""

    url: str
    region: str
    authorities: str = ""


def simple_place(
    bucket: str, region: str | None, endpoint_url: str | None, *, path_style: bool, environment: Mapping[str, str]
) -> Place | None:
    """Return where the bucket is: below an endpoint that was named, or at its own host in AWS's usual partition."""
    if endpoint_url is not None and path_style and region:
        url = f"{endpoint_url.rstrip('/')}/{bucket}"
    elif (
        endpoint_url is None
        and not path_style
        and region
        and REGION.fullmatch(region)
        and _HOST_BUCKET.fullmatch(bucket)
        and not bucket.endswith(_OTHER_BUCKETS)
        and not any(map(environment.get, _ENDPOINTS))
    ):
        url = f"https://{bucket}.s3.{region}.amazonaws.com"
    else:
        return None
    return Place(url, region, authorities_in(environment))
