"""Rules of the limits: what a job says its files must be (refused), and how far they may move at once (held)."""

from hubdata.model.job import Limits
from hubdata.model.rule import ERROR, WARNING, Example, Rule

_APPROVE = "Look at the change; if it is meant, approve the held plan by its id: `sync --once --approve PLAN_ID`."

RULES = (
    Rule(
        "limits.min-entries",
        ERROR,
        "A list that has lost its rows is still valid: an allowlist of one row bans nearly all whom it protected.",
        Example("cidr", b"9.9.9.0/24\n", limits=Limits(min_entries=2), note="with min_entries = 2"),
        "Look whether the upstream lost some; if it is meant, lower min_entries in the job file.",
    ),
    Rule(
        "limits.must-not-contain",
        ERROR,
        "The line lets in addresses that the job names as never to be let in, such as a cloud's that anyone can rent:"
        " every engine would let an attacker pass who rents one.",
        Example(
            "cidr",
            b"3.0.0.0/13\n",
            limits=Limits(must_not_contain=("3.5.140.0/22",)),
            note='with must_not_contain = ["3.5.140.0/22"]',
        ),
        "Take the line out; if it is meant, take the network out of limits.must_not_contain in the job file.",
    ),
    Rule(
        "limits.must-contain",
        ERROR,
        "A network or row that the job names as one that must stay is gone: engines would ban those whom the list"
        " protects, or no longer find what it looks for.",
        Example(
            "rdns-suffix",
            b".search.msn.com.\n",
            limits=Limits(must_contain=(".googlebot.com.",)),
            note='with must_contain = [".googlebot.com."]',
        ),
        "Put it back; if it is meant to go, take it out of limits.must_contain in the job file.",
    ),
    Rule(
        "limits.max-change",
        ERROR,
        "So large a change at once is more often a broken upstream or a poisoned commit than an update: nothing has"
        " reached an engine yet.",
        Example(note="a list of 1,000 networks becomes one of 400, with max_change = 0.5"),
        _APPROVE,
    ),
    Rule(
        "limits.max-country-change",
        ERROR,
        "More addresses changed their country (or their system) at once than in years of releases: a build gone wrong,"
        " or another database under this name. Engines would ban and let in by wrong countries, without any error. A"
        " sound database that is built so that nothing can be compared with it is held as well.",
        Example(note="12 % of IPv4 is in another country than yesterday, with max_country_change = 0.05"),
        _APPROVE + " `hubdata geoip diff published FILE` tells the largest moves.",
    ),
    Rule(
        "limits.not-compared",
        WARNING,
        "What is public could not be read, or not as a database, so nobody can tell how far countries moved. The new"
        " one is proven and its canaries answer; it goes out.",
        Example(note="somebody put another file in the place of the published database"),
        "Look at the next release; if it lasts, see what the target holds under this key.",
    ),
    Rule(
        "limits.emptied",
        ERROR,
        "Nothing is left of a file that is public with something in it. Whoever reads it would find nothing at all from"
        " one day to the next, and no error.",
        Example(note="a rule file of nine rules becomes one of comments alone"),
        _APPROVE,
    ),
    Rule(
        "limits.max-deletes",
        ERROR,
        "More of a job's files would vanish than its max_deletes allows (half, unless it says otherwise): engines that"
        " still download them get 404, and keep old data.",
        Example(note="the source holds 3 of the 8 files that are published"),
        _APPROVE,
    ),
    Rule(
        "limits.older-build",
        ERROR,
        "The database is older than the one that is published: look-ups would go back in time.",
        Example(note="built on 1 May, the published one on 8 May"),
        _APPROVE + " Or run once with --allow-rollback.",
    ),
    Rule(
        "limits.rewound",
        ERROR,
        "The source no longer knows the state that is published: its history was rewritten or went back, and old"
        " mistakes may come back with it.",
        Example(note="a force-push removed the published commit"),
        _APPROVE + " Or run once with --allow-rollback.",
    ),
    Rule(
        "limits.withdrawn",
        ERROR,
        "A rollback took exactly this back, and the source still has it: the next run would undo the rollback, and"
        " bring to every engine again what somebody had to save them from.",
        Example(note="rolled back from generation 15 to 12; the commit that made 15 is still the newest"),
        "Mend it where the source is: other bytes go out by themselves. If it is right after all, approve the held plan"
        " by its id: `sync --once --approve PLAN_ID`.",
    ),
)
