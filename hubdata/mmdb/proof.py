"""Prove that a database is whole: every look-up ends, and every record that it finds can be decoded.

In order: the metadata fit the file (`layout`); the tree has no cycle and no path longer than an address (`tree`);
every field of the data section is found (`walk`), and is of a type, a size and in a place that it may have
(`structure`); no record unfolds into more than readers bear (`weight`). All of it is bounded by the file's own size,
whatever its bytes: no loop is longer than what it looks at, and nothing recurses. What this cannot see is a record
that is well formed and wrong: that takes digests, canaries, and the difference from the database before.

It refuses all that the reference verifier does (maxminddb-golang), with one exception: data that the tree does not
point to, but a pointer does, is a warning. The format allows it, and writers that put shared values first leave it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from hubdata.mmdb.counts import Counts
from hubdata.mmdb.extent import Extent
from hubdata.mmdb.layout import Body, Layout, read_layout
from hubdata.mmdb.malformed import Malformed, Problem


@dataclass(frozen=True, slots=True)
class Proof:
    """The outcome. A database without `problems` may be given to any reader; `warnings` are wasteful, not dangerous.

    `layout` is None when the metadata cannot be read; then there is one problem, which says why. `extent` is what the
    database covers, where the proof has counted it on its way.
    """

    layout: Layout | None
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...] = ()
    counts: Counts = Counts()
    extent: Extent | None = None


def prove(body: Body, *, threads: int = 1, meanwhile: Callable[[], None] | None = None) -> Proof:
    """Return what is wrong with `body`, or that nothing is. Never raises, whatever the bytes.

    `threads`: 1 or more; two use two cores for most of the way. Reads `body`, never writes or closes it. `meanwhile`
    must not raise; it is called beside the last steps of a proof that goes well, which use one core, or not at all.
    """
    try:
        layout = read_layout(body)
    except Malformed as err:
        return Proof(None, (err.as_problem(),))
    from hubdata.mmdb.prover import Prover  # numpy comes with it

    return Prover(layout, threads, meanwhile).run()
