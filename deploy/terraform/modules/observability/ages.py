"""Tell CloudWatch how old the data is: seconds since each GeoIP database was built and since each job last succeeded.

    python ages.py BUCKET PREFIX NAMESPACE [COMMAND ...]

Reads `manifest.json`, and `.hubdata/last/*.json` where a worker keeps it, so that ages go on growing when nothing runs
any more. A run of its own, such as `hubdata sync --once`, leaves nothing in the bucket when nothing has changed: it is
made by this program (COMMAND), which tells its success and ends as it ended. Needs botocore, as in hubdata's image.
"""

import json
import subprocess
import sys
import time
from datetime import datetime
from typing import Any

import botocore.session

MAX_BYTES = 64 << 20
LAST = ".hubdata/last/"


def main(bucket: str, prefix: str, namespace: str, *command: str) -> int:
    """Put one metric for each database and each job, and one for the newest of them; return how the command ended."""
    code = subprocess.run(command, check=False).returncode if command else 0
    session = botocore.session.get_session()
    s3 = session.create_client("s3")
    ages = ages_in(s3, bucket, prefix, time.time())
    if command and code == 0:
        ages = [("LastSuccessAge", "", "", 0.0), *(each for each in ages if each[0] != "LastSuccessAge")]
    at = [{"Name": "Bucket", "Value": bucket}]
    data = [
        {
            "MetricName": name,
            "Dimensions": at + ([{"Name": of, "Value": what}] if of else []),
            "Value": age,
            "Unit": "Seconds",
        }
        for name, of, what, age in ages
    ]
    cloudwatch = session.create_client("cloudwatch")
    for start in range(0, len(data), 500):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + 500])
    told = [{"metric": metric, "of": what, "seconds": round(age)} for metric, _, what, age in ages]
    sys.stdout.write(json.dumps({"ages": told}) + "\n")
    return code


def ages_in(s3: Any, bucket: str, prefix: str, now: float) -> list[tuple[str, str, str, float]]:
    """Return (metric, dimension, its value, age in seconds); those without a dimension are for alarms."""
    files = json.loads(read(s3, bucket, f"{prefix}manifest.json"))["files"]
    built = {key: (entry.get("stats") or {}).get("build_epoch") for key, entry in files.items()}
    databases = [("GeoIPAge", "Key", key, now - epoch) for key, epoch in built.items() if epoch is not None]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}{LAST}")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    lasts = [json.loads(read(s3, bucket, key)) for key in keys]
    jobs = [
        ("SuccessAge", "Job", last["job"], now - datetime.fromisoformat(last["ended_at"]).timestamp()) for last in lasts
    ]
    newest = [("NewestGeoIPAge", "", "", min(age for *_, age in databases))] if databases else []
    recent = [("LastSuccessAge", "", "", min(age for *_, age in jobs))] if jobs else []
    return newest + recent + databases + jobs


def read(s3: Any, bucket: str, key: str) -> bytes:
    """Return one object's bytes."""
    answer = s3.get_object(Bucket=bucket, Key=key)
    if answer["ContentLength"] > MAX_BYTES:
        sys.exit(f"{key}: expected at most {MAX_BYTES} bytes, found {answer['ContentLength']}")
    body: bytes = answer["Body"].read()
    return body


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
