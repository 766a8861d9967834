"""hubdata keeps a bucket of security data true: fetch, prove, publish what changed, tell the CDN."""

__version__ = "0.1.0"
