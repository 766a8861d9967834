"""S3 and CloudFront in this process, by moto's server: real HTTP on loopback, no account, nothing outside."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from hubdata.errors import ConfigError

BUCKET = "hub-data"
_CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "demo",
    "AWS_SECRET_ACCESS_KEY": "demo",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_HIDDEN = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "HTTP_PROXY", "http_proxy")


@dataclass(frozen=True, slots=True)
class Cloud:
    """Where the demo's S3 and CloudFront listen, and the distribution they hold."""

    endpoint: str
    distribution: str


@contextmanager
def running() -> Iterator[Cloud]:
    """Yield a running cloud that holds one empty bucket and one distribution; the environment points to it meanwhile.

    Raises ConfigError when the demo's extra is not installed.
    """
    try:
        from moto.server import ThreadedMotoServer
    except ImportError as err:
        raise ConfigError(
            "the demo needs moto, which brings S3 and CloudFront into this process",
            advice="install it: pip install 'hubdata[demo]'",
        ) from err
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    before = dict(os.environ)
    for name in _HIDDEN:
        os.environ.pop(name, None)
    os.environ.update(_CREDENTIALS)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    try:
        server.start()
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        yield Cloud(endpoint, _furnish(endpoint))
    finally:
        server.stop()
        os.environ.clear()
        os.environ.update(before)


def _furnish(endpoint: str) -> str:
    import boto3

    session = boto3.session.Session(region_name="us-east-1")
    session.client("s3", endpoint_url=endpoint).create_bucket(Bucket=BUCKET)
    origin = {"Id": "s3", "DomainName": f"{BUCKET}.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    config: Any = {
        "CallerReference": "hubdata-demo",
        "Comment": "hubdata demo",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [origin]},
        "DefaultCacheBehavior": {
            "TargetOriginId": "s3",
            "ViewerProtocolPolicy": "redirect-to-https",
            "MinTTL": 0,
            "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
        },
    }
    made = session.client("cloudfront", endpoint_url=endpoint).create_distribution(DistributionConfig=config)
    return made["Distribution"]["Id"]
