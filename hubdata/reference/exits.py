"""What each exit code means, as every page that lists them says it."""

from collections.abc import Mapping

from hubdata.errors import Exit

MEANINGS: Mapping[int, str] = {
    Exit.FINE: "Fine.",
    Exit.BUG: "A bug of hubdata; run it again with -v for the traceback, and report both.",
    Exit.CONFIG: "Usage or configuration; nothing was attempted.",
    Exit.REFUSED: "Something was refused by validation; its last good version stays public.",
    Exit.HELD: "Something is held by a limit; approve it by its plan id.",
    Exit.SOURCE: "An upstream failed.",
    Exit.TARGET: "A target failed.",
    Exit.CDN_PENDING: "Published, but the CDN has not taken the invalidation yet (the next run asks again), "
    "readers do not have it, or a hook failed.",
    130: "Stopped by Ctrl-C; the next run goes on where this one stopped.",
    143: "Stopped by SIGTERM; the next run goes on where this one stopped.",
}
