"""Why aims that are not met are not: what stands between, what was tried, and what was left undone on purpose.

Prose, to be read beside the figures; whoever moves a figure past its aim takes the reason out.
"""

REASONS = """\
- **One changed file, and a first sync, from afar.** A publication waits nine times for an answer before it asks the
  next thing; [0027](../docs/adr/0027-what-goes-side-by-side.md) says of each wait what it protects. That is 0.36 s,
  and 0.08 s for the first connection, and the start before it: together more than 0.3 times all that `aws s3 sync`
  takes here, and about what s5cmd takes, before a byte is judged. It was eleven waits: a lease that is known to be
  free is no longer read, and is given back beside the record; files are put over up to 64 connections, and deleted,
  at once. Left undone: the lease within the ledger (two waits less, but renewals would contend with notes), the CDN
  told beside the page (an edge that asks too early would keep the old one), fewer durable steps (none may go).
- **A first sync on loopback, and every run with a cold cache.** Judging the tree takes longer than all else; `cold
  cache` beside the kept one shows how long. It is Python's part of it, in one thread: threads gain nothing, and no
  put may come before everything is judged
  ([0025](../docs/adr/0025-verdicts-are-remembered-by-everything-they-depend-on.md)). With verdicts kept it is gone.
  The wire is no longer what counts: 172 puts take 20 to 40 ms of CPU
  ([0028](../docs/adr/0028-a-plain-wire-for-all-that-is-simple.md)); through botocore, with its
  import, 0.44 s.
- **s5cmd's own time.** It is compiled, starts at once, digests and judges nothing. Our start alone takes longer than
  its whole run where nothing is to be done. Half of our start is gone: settings are read without pydantic while they
  are plainly right ([0026](../docs/adr/0026-settings-are-read-plainly-first.md)), methods of dataclasses are written
  when they are called ([0029](../docs/adr/0029-dataclasses-are-finished-when-used.md)), and what a run does not need
  is not imported. What remains is in the profile below: the interpreter, click, modules.
- **A refresh of the GeoIP database.** Unpacking, the proof, and the put, whose server runs on the same two cores;
  the start and the status page come on top of what the sum counts.
"""
