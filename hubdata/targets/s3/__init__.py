"""An S3 bucket as a target: AWS itself, or anything that speaks its protocol."""

from hubdata.targets.s3.target import S3Target

__all__ = ["S3Target"]
