"""GeoIP databases from MaxMind: asked often, downloaded only when they have changed, and never twice.

For each edition one small, free request tells what is current. Only if something else is published is it downloaded,
and at most twice a run, because thirty downloads a day are all there are and a failed one counts. The credentials go
to the service alone, not to the object store that it redirects to. Nothing is written but the one `.mmdb`, and only
kept if its digest is as announced.

What was downloaded stays in the spool's memory until the next release: when publishing fails, or the file is refused
or held, the next run takes it from there. The memory also holds a ledger of downloads, so that no loop of restarts
uses up the day (`transfer/quota.py` says by which rules). With `force` the kept copy is not used: it is downloaded
anew, and counted and held to the day's quota all the same. Where the spool is not kept between runs, what is
published is the only memory; a release that is public costs nothing then either.

`access.py` finds credentials and settings, `updates.py` and `permalink.py` speak the two protocols, `source.py` does
a run.
"""
