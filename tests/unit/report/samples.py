"""Results made by hand: one of each outcome, as the pipeline would return them."""

from hubdata.errors import Exit
from hubdata.model.finding import Finding, Severity
from hubdata.model.inventory import Stored
from hubdata.model.plan import Action, Change, Plan, Reason
from hubdata.model.receipt import Invalidation
from hubdata.model.run import JobResult, Outcome, Problem, RunResult, TargetResult
from hubdata.model.snapshot import Stats
from hubdata.model.validation import CheckedFile, ValidationResult

ERROR = Finding(
    "whitelists/a.txt", 3, "cidr.host-bits", Severity.ERROR, "10.0.0.1/8 has host bits set", "write 10.0.0.0/8"
)
WARNING = Finding("whitelists/b.txt", 9, "cidr.overlap", Severity.WARNING, "1.2.3.4 lies in 1.2.3.0/24", "remove it")
WAIVED = Finding(
    "rdns/seo.regex", 1, "rdns-regexp.unanchored", Severity.WARNING, "no end", "add $", waived="until 2027-03-31: soon"
)
INFO = Finding("web/c.txt", None, "file.empty", Severity.INFO, "the file is empty", "")
LIMIT = Finding(
    "whitelists/d.txt", None, "limits.max-change", Severity.ERROR, "it would lose 90%", "look at the source"
)


def put(key: str, size: int = 812, reason: Reason = Reason.CHANGED) -> Change:
    """Return an upload of `key`."""
    return Change(Action.PUT, key, reason, size, "ab" * 32, "e1")


def delete(key: str) -> Change:
    """Return a removal of `key`."""
    return Change(Action.DELETE, key, Reason.REMOVED, 5, "cd" * 32, "e2")


PUBLISHED = JobResult(
    "allowlists",
    Outcome.PUBLISHED,
    {"type": "git", "revision": "1149fa3c0ffee00112233445566778899aabbccd"},
    findings=(WARNING,),
    targets=(
        TargetResult(
            "aws",
            Plan("allowlists", "aws", (put("whitelists/e.txt"),), unchanged=171),
            applied=True,
            generation=12,
            requests={"LIST": 1, "PUT": 2, "GET": 1},
            invalidation=Invalidation(("/whitelists/e.txt", "/manifest.json"), "ref-1", id="I2"),
        ),
        TargetResult("mirror", Plan("allowlists", "mirror", (), unchanged=172), applied=True, generation=7),
    ),
)
UNCHANGED = JobResult(
    "web-patterns",
    Outcome.UNCHANGED,
    {"type": "git", "revision": "1149fa3c0ffee"},
    targets=(TargetResult("aws", Plan("web-patterns", "aws", unchanged=40), applied=True, generation=12),),
)
REFUSED = JobResult(
    "lists",
    Outcome.REFUSED,
    {"type": "directory"},
    findings=(WARNING, ERROR, WAIVED, INFO),
    targets=(TargetResult("aws", Plan("lists", "aws", unchanged=5), applied=True, generation=3),),
    exit_code=Exit.REFUSED,
)
HELD_PLAN = Plan("geoip", "aws", (put("mmdb_update/GeoLite2-City.mmdb", 66_211_432), delete("old.txt")))
HELD = JobResult(
    "geoip",
    Outcome.HELD,
    {"type": "maxmind"},
    findings=(LIMIT,),
    targets=(TargetResult("aws", Plan("geoip", "aws", unchanged=1), held=HELD_PLAN, generation=3),),
    exit_code=Exit.HELD,
)
FAILED = JobResult(
    "appsec",
    Outcome.FAILED,
    {"type": "git"},
    problem=Problem("https://u:pa55word@git.example/x: no such host", "check the job's url", Exit.SOURCE),
    exit_code=Exit.SOURCE,
)
PENDING = JobResult(
    "edge",
    Outcome.PUBLISHED,
    {"type": "directory"},
    targets=(
        TargetResult(
            "aws",
            Plan("edge", "aws", (delete("w"), put("x")), adopted={"y": Stored(1, "e")}),
            applied=True,
            generation=4,
            invalidation=Invalidation(("/x",), "ref-2", pending=True),
        ),
    ),
    exit_code=Exit.CDN_PENDING,
)
EVERYTHING = RunResult(
    "20261122T163559Z-1a2b",
    (PUBLISHED, UNCHANGED, REFUSED, HELD, FAILED, PENDING),
    0.4321,
    notices=("no credentials for geoip: left out",),
)
FINE = RunResult("20261122T163559Z-1a2b", (PUBLISHED, UNCHANGED), 0.4)
CHECKED = ValidationResult(
    (
        CheckedFile("whitelists/a.txt", "cidr", Stats(entries=4, ipv4_addresses=1024), (ERROR,)),
        CheckedFile("whitelists/b.txt", "cidr", Stats(entries=2), (WARNING,)),
    ),
    elapsed_s=0.1,
)
CLEAN = ValidationResult((CheckedFile("whitelists/e.txt", "cidr", Stats(entries=4)),), elapsed_s=0.1)
