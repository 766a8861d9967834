"""Rules of gates: what keeps a whole publication from a target, whatever the single files are like."""

from hubdata.model.rule import ERROR, Example, Rule

RULES = (
    Rule(
        "gate.failed",
        ERROR,
        "A program that looks at the files as an engine does was not content with them. Nothing is published at this"
        " target; what is public stays.",
        Example(note='gate = ["check-with-engine", "{tree}"] ended with exit code 1'),
        "Read what the gate wrote, and mend the files. No approval lets out what a gate refuses.",
    ),
    Rule(
        "gate.timeout",
        ERROR,
        "The gate had not ended within `gate_timeout_s`, so nobody knows whether an engine would take the files.",
        Example(note="the gate waits for a lock, or has left something running that holds its output"),
        "See what it waits for; if it only needs longer, raise `gate_timeout_s`.",
    ),
    Rule(
        "gate.not-started",
        ERROR,
        "The gate could not be started, so nobody has looked: nothing is published at this target.",
        Example(note="the program is not installed where hubdata runs"),
        "Install it, make it executable, or name another.",
    ),
    Rule(
        "gate.tree",
        ERROR,
        "The files cannot lie in one directory, so the gate cannot be shown them.",
        Example(note="a key `a` beside a key `a/b`, which an S3 bucket can hold"),
        "Rename one of the two in the data repository.",
    ),
)
