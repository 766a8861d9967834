"""Rules of jobs, waivers, sources and sizes: findings about a file as a whole, before or beside its content."""

from hubdata.model.rule import ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "job.unclaimed",
        ERROR,
        "Nobody has said what kind of file this is, so nobody has checked it: it is not published.",
        Example(note="a new file new-list.txt, and no [[files]] or [[ignore]] entry that matches it"),
        "Add a [[files]] entry with its kind to a job file, or an [[ignore]] entry with its name.",
    ),
    Rule(
        "job.unsafe-key",
        ERROR,
        "Under this name the file could overwrite hubdata's own records, leave a directory, or not be asked for at"
        " all.",
        Example(note="a file named manifest.json at the root"),
        "Rename the file in the data repository.",
    ),
    Rule(
        "job.empty",
        ERROR,
        "The source holds none of the job's files. A missing input never empties what is public.",
        Example(note="the directory was renamed upstream, and `match` still names the old one"),
        "See that `source` and the `match` globs still fit the data repository.",
    ),
    Rule(
        "file.too-large",
        ERROR,
        "The file is larger than anything of its kind has a reason to be; it is refused unread. Engines download it"
        " whole, and hold it in memory.",
        Example(note="a list of 40 MB"),
        "See what made it grow; if it is meant, raise `limits.max_bytes` in the job file.",
    ),
    Rule(
        "waiver.expired",
        WARNING,
        "Nothing yet: the finding that the waiver accepted counts again.",
        Example(note="until = 2026-03-31, and it is April"),
        "Who keeps the list mends it; or who keeps the job file decides anew and sets a later date.",
    ),
    Rule(
        "waiver.unused",
        WARNING,
        "Nothing: the file no longer needs it. It would hide the next mistake of this kind.",
        Example(note="the pattern was mended, and its waiver is still there"),
        "Who keeps the job file removes the waiver from it.",
    ),
    Rule(
        "source.unsafe-name",
        ERROR,
        "A file of this name could leave its directory or overwrite another one where it is stored.",
        Example(note="a/../../b, a name with a line feed, or one that is not UTF-8"),
        "Rename the file upstream.",
    ),
    Rule(
        "source.link",
        ERROR,
        "A link could publish any file of the machine that runs hubdata.",
        Example(note="list.txt -> /etc/passwd"),
        "Replace it by the file that it points to.",
    ),
    Rule(
        "source.submodule",
        ERROR,
        "A submodule is another repository, which nobody has approved here; it is not fetched.",
        Example(note="a gitlink in the tree"),
        "Give the other repository a job of its own, or commit its files here.",
    ),
    Rule(
        "source.special-file",
        ERROR,
        "A pipe or device has no content to publish, and could block the run for ever.",
        Example(note="a named pipe in the directory"),
        "Remove it upstream.",
    ),
    Rule(
        "source.history-unknown",
        WARNING,
        "Without its history nobody can tell whether the checkout follows what is published, or goes back.",
        Example(note="a checkout of depth 1"),
        "Check out with full history (actions/checkout: `fetch-depth: 0`).",
    ),
    Rule(
        "source.item-failed",
        ERROR,
        "Nothing: the last good version of the file stays in public. It grows older as long as this lasts.",
        Example(note="an address that answers with an error or with a page for people, or a filter that finds nothing"),
        "See what the upstream answers; mend the item's address or filter, or wait for the upstream.",
    ),
)
