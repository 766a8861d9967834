"""Rules of `hubdata rewrite`: findings about items that go on naming another address than the mirror's."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "rewrite.unpublished",
        ERROR,
        "In a closed network the item has no data: its file is asked for at an address that nobody reaches.",
        Example(note="source_url names a host that the mirror's job has not fetched from, or could not"),
        "Have the mirror's job fetch it, then rewrite again.",
    ),
    Rule(
        "rewrite.unclear",
        ERROR,
        "The address stands where it cannot be changed without changing something else: the whole file is left alone.",
        Example(note="source_url: &u https://..., and an alias *u that is no source_url"),
        "Write each source_url out.",
    ),
    Rule(
        "rewrite.index",
        ERROR,
        "An engine compares items with the digests of its index: one that fits none is called tainted, and is not"
        " updated any more.",
        Example(note="a hub's .index.json was generated from other items than those beside it"),
        "Generate the index anew once the items are rewritten.",
    ),
)
