"""Rules of copies on disk: findings of `hubdata verify --dir`, against a manifest whose signature holds."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "mirror.missing",
        ERROR,
        "The manifest names a file that the copy does not have: engines that ask the mirror for it get nothing.",
        Example(note="lists/a.txt stands in manifest.json and not in the directory; links are not followed"),
        "Copy the tree again, the manifest last.",
    ),
    Rule(
        "mirror.bytes",
        ERROR,
        "The file is not the one that was published: old, cut off, or changed by somebody.",
        Example(note="lists/a.txt has another SHA-256 than manifest.json says"),
        "Copy the tree again, the manifest last. If it stays so, find out who changed it.",
    ),
)
