"""A real moto server over HTTP, in a child process that dies with its parent: S3 and CloudFront without an account.

`shared()` gives one server for the whole test process; each test makes its own bucket in it. `MotoServer()` as a
context manager gives one of one's own. `python -m tests.support.moto_server [HOST]` runs one until its stdin
is closed.
"""

import atexit
import functools
import io
import itertools
import os
import subprocess
import sys
import threading
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_ROOT = Path(__file__).parents[2]
_NAMES = itertools.count(1)


class MotoServer:
    """One running server. `url` is its endpoint; `env` what a child process needs to talk to it."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.url = ""
        self._host = host
        self._process: subprocess.Popen[str] | None = None
        self._clients: dict[str, Any] = {}

    def start(self) -> Self:
        """Return when the server answers."""
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "tests.support.moto_server", self._host],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        if not self.url:
            raise RuntimeError(f"moto did not start (exit code {self._process.wait()})")
        return self

    def stop(self) -> None:
        """Return when the server is gone."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None) -> None:
        self.stop()

    @property
    def env(self) -> dict[str, str]:
        """Return the environment with fake credentials, no profile files and no metadata service."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return kept | CREDENTIALS | {"AWS_ENDPOINT_URL": self.url}

    def client(self, service: str) -> Any:
        """Return a plain botocore client of this server, to look at it from outside hubdata."""
        if service in self._clients:
            return self._clients[service]
        import botocore.session

        self._clients[service] = botocore.session.Session().create_client(
            service,
            region_name="us-east-1",
            endpoint_url=self.url,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )
        return self._clients[service]

    def bucket(self, *, versioned: bool = False, name: str = "") -> str:
        """Return the name of a new, empty bucket."""
        s3 = self.client("s3")
        bucket = name or f"hub-data-{next(_NAMES)}-{uuid.uuid4().hex[:8]}"
        s3.create_bucket(Bucket=bucket)
        if versioned:
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        return bucket

    def distribution(self, bucket: str) -> str:
        """Return the id of a new CloudFront distribution before `bucket`."""
        config = {
            "CallerReference": uuid.uuid4().hex,
            "Comment": "test",
            "Enabled": True,
            "Origins": {
                "Quantity": 1,
                "Items": [
                    {
                        "Id": "s3",
                        "DomainName": f"{bucket}.s3.amazonaws.com",
                        "S3OriginConfig": {"OriginAccessIdentity": ""},
                    }
                ],
            },
            "DefaultCacheBehavior": {"TargetOriginId": "s3", "ViewerProtocolPolicy": "https-only"},
        }
        made = self.client("cloudfront").create_distribution(DistributionConfig=config)
        return str(made["Distribution"]["Id"])

    def objects(self, bucket: str) -> dict[str, bytes]:
        """Return every object of a bucket with its bytes."""
        s3 = self.client("s3")
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
        keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
        return {key: s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    def invalidations(self, distribution: str) -> list[dict[str, Any]]:
        """Return every invalidation of a distribution, oldest first: `Id`, `CallerReference`, `Paths`."""
        cdn = self.client("cloudfront")
        listed = cdn.list_invalidations(DistributionId=distribution)["InvalidationList"].get("Items", ())
        whole = [cdn.get_invalidation(DistributionId=distribution, Id=item["Id"])["Invalidation"] for item in listed]
        return [
            {"Id": one["Id"], "CallerReference": batch["CallerReference"], "Paths": batch["Paths"]["Items"]}
            for one in sorted(whole, key=lambda one: one["CreateTime"])
            for batch in [one["InvalidationBatch"]]
        ]


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST",
    "AWS_SECRET_ACCESS_KEY": "sentinel-secret-sentinel-secret-sentinel",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@functools.cache
def shared() -> MotoServer:
    """Return the one server of this process, started at the first call and stopped at exit."""
    server = MotoServer().start()
    atexit.register(server.stop)
    return server


def _one_at_a_time(app: Any) -> Any:
    """Return `app` with its requests carried out one by one, as S3 does for one key.

    moto's threads look at a condition first and store afterwards: of two racing puts both could win.
    """
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            environ["wsgi.input"] = io.BytesIO(environ["wsgi.input"].read(length))  # a slow sender holds nobody up
        with lock:
            answer = app(environ, start_response)
            try:
                return list(answer)
            finally:
                getattr(answer, "close", lambda: None)()

    return serve


def main() -> None:
    """Serve on a free port, on loopback unless told otherwise; say the URL on stdout, and end when stdin does."""
    host = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
    from moto import backends
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    names = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: names  # it looks into 180 directories for every request: half its CPU
    server = make_server(
        host,
        0,
        _one_at_a_time(DomainDispatcherApplication(create_backend_app)),
        threaded=True,
        request_handler=MotoRequestHandler,
    )
    os.environ["MOTO_PORT"] = str(server.port)
    print(f"http://{f'[{host}]' if ':' in host else host}:{server.port}", flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
