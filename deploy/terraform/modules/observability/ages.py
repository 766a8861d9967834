"""Tell CloudWatch how old the data is: seconds since each GeoIP database was built and since each job last succeeded.

    python ages.py BUCKET PREFIX NAMESPACE

Reads `manifest.json` and `.hubdata/last/*.json`, which every run leaves in the bucket whoever started it, so the ages
go on growing when nothing runs any more. Needs botocore, which hubdata's image has.
"""

import json
import sys
import time
from datetime import datetime
from typing import Any

import botocore.session

MAX_BYTES = 64 << 20
LAST = ".hubdata/last/"


def main(bucket: str, prefix: str, namespace: str) -> None:
    """Put one metric for each database and each job, and one for the oldest and newest of them."""
    session = botocore.session.get_session()
    s3 = session.create_client("s3")
    ages = ages_in(s3, bucket, prefix, time.time())
    at = [{"Name": "Bucket", "Value": bucket}]
    data = [
        {"MetricName": name, "Dimensions": at + ([{"Name": of, "Value": what}] if of else []), "Value": age, "Unit": "Seconds"}
        for name, of, what, age in ages
    ]
    cloudwatch = session.create_client("cloudwatch")
    for start in range(0, len(data), 500):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + 500])
    print(json.dumps({"ages": [{"metric": m, "of": w, "seconds": round(a)} for m, _, w, a in ages]}))


def ages_in(s3: Any, bucket: str, prefix: str, now: float) -> list[tuple[str, str, str, float]]:
    """Return (metric, dimension, its value, age in seconds); those without a dimension are for alarms."""
    files = json.loads(read(s3, bucket, f"{prefix}manifest.json"))["files"]
    built = {key: (entry.get("stats") or {}).get("build_epoch") for key, entry in files.items()}
    databases = [("GeoIPAge", "Key", key, now - epoch) for key, epoch in built.items() if epoch is not None]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}{LAST}")
    keys = [item["Key"] for page in pages for item in page.get("Contents", ())]
    lasts = [json.loads(read(s3, bucket, key)) for key in keys]
    jobs = [("SuccessAge", "Job", last["job"], now - datetime.fromisoformat(last["ended_at"]).timestamp()) for last in lasts]
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
    main(*sys.argv[1:])
