"""Rules of mirrors: findings about what a hub's items name, where a job fetches it (`type = "hub"`)."""

from hubdata.model.rule import EITHER, ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "hub.url",
        ERROR,
        "The mirror has no copy of this file, so in a closed network nobody gets it. What was published stays.",
        Example(note="source_url: https://10.0.0.8/a.txt, or a URL with a query, a password or `..`"),
        "Mend the item; or give the URL a key of its own in [source.keys].",
    ),
    Rule(
        "hub.same-key",
        ERROR,
        "Two files would be published in one place. One is left out, so that nobody gets the one for the other.",
        Example(note="https://a.example/x and http://a.example:80/x; or a file named as another one's directory is"),
        "Give one of the two a key of its own in [source.keys].",
    ),
    Rule(
        "hub.same-dest",
        WARNING,
        "Both files are mirrored, but an engine has one place for them: whichever it downloads last, both items read.",
        Example(note="dest_file: ips.txt in two items, with two URLs"),
        "Have the items give the files different names.",
    ),
    Rule(
        "hub.unnamed",
        EITHER,
        "The upstream says what each of its files must be, and nothing of this one: anybody could have put it there."
        " Where the manifest has to be signed, the file is not fetched.",
        Example(note="an item names web/old.txt, and the manifest.json beside it does not"),
        "Have the item name a published file; or ask the publisher why it is not in the manifest.",
    ),
)
