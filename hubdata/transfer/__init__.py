"""What adapters share when bytes move: spool, digests, HTTP, deadlines, retries."""
