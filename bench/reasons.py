"""Why aims that are not met are not: what stands between, what was tried, and what was left undone on purpose.

Prose, to be read beside the figures; whoever moves a figure past its aim takes the reason out.
"""

REASONS = """\
- **One changed file, and a first sync, from afar.** A publication waits nine times for an answer before it asks the
  next thing; [0027](../docs/adr/0027-what-goes-side-by-side.md) says of each wait what it protects. That is 0.36 s,
  and 0.08 s for the first connection, of which half is hidden behind our start: together about as much as s5cmd takes
  for all it does, before a byte is judged. It was eleven waits: a lease that is known to be free is no longer read,
  and is given back beside the record; files are put over up to 64 connections, and deleted, at once; connections are
  begun before they are needed. Left undone: the lease within the ledger (two waits less, but renewals would contend
  with notes), the CDN told beside the page (an edge that asks too early would keep the old one), changed files put
  beside their receipt (a run that dies between the two would leave nothing that tells the CDN), the lease given back
  beside the closing (the record would tell of an end that nobody has seen), fewer durable steps (none may go).
- **A first sync on loopback, and every run with a cold cache.** Judging the tree takes longer than all else; `cold
  cache` beside the kept one shows how long. A second process helps since
  [0030](../docs/adr/0030-helpers-judge-from-the-back.md), and judging itself costs a third less than it did: on two
  cores little is left to divide, for the store and the start of the helper want theirs. No put may come before
  everything is judged ([0025](../docs/adr/0025-verdicts-are-remembered-by-everything-they-depend-on.md)). With
  verdicts kept it is gone. The wire is no longer what counts: 172 puts take 20 to 40 ms of CPU
  ([0028](../docs/adr/0028-a-plain-wire-for-all-that-is-simple.md)); through botocore, with its import, 0.44 s.
- **s5cmd's own time.** It is compiled, starts at once, digests and judges nothing. Our start alone takes longer than
  its whole run where nothing is to be done. Half of our start is gone: settings are read without pydantic while they
  are plainly right ([0026](../docs/adr/0026-settings-are-read-plainly-first.md)), methods of dataclasses are written
  when they are called ([0029](../docs/adr/0029-dataclasses-are-finished-when-used.md)), and what a run does not need
  is not imported. What remains is in the profile below: the interpreter, click, modules.
- **A refresh of the GeoIP database.** What the sum does not count: the start, unpacking, numpy's import, and a put
  whose server runs on the same two cores. While the database arrives both cores are busy: unpacking, two digests,
  writing and imports go side by side. Tried: another inflate (zlib-ng takes 0.10 s less; not worth a second library
  that reads what strangers send), larger thresholds for the allocator and a populated mapping (within the noise).
"""
