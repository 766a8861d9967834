"""Make the stack's bucket: it keeps versions, and the stand-in for the CDN may read it without keys.

Run by the image of the store, which brings boto3. Endpoint and keys come from the environment; a bucket that is there
already is left as it is. On AWS, deploy/terraform makes the bucket, and only the distribution reads it.
"""

import json
import os

import boto3

BUCKET = os.environ["BUCKET"]
READERS = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    ],
}


def main() -> None:
    """Make what is missing."""
    s3 = boto3.client("s3")
    if any(bucket["Name"] == BUCKET for bucket in s3.list_buckets()["Buckets"]):
        return
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(READERS))


if __name__ == "__main__":
    main()
