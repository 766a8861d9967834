"""Rules of the kind `modsec`: SecLang files. One parse error keeps every engine that loads them from starting."""

from hubdata.model.finding import Severity
from hubdata.model.rule import ERROR, WARNING, Example, Rule

_REFUSED = "The engine refuses the file and does not start."
_ACTION = b'SecAction "id:1,phase:1,pass,nolog"\n'
_CHAINING = 'SecRule ARGS "@rx x" "id:1,phase:2,deny,chain"'
_CHAINED = 'SecRule ARGS "@rx x" "chain"'


def _rule(text: str) -> Example:
    return Example("modsec", text.encode() + b"\n")


RULES = (
    Rule(
        "modsec.directive",
        ERROR,
        f"The engine does not know the directive. {_REFUSED}",
        _rule('SecRul ARGS "@rx x" "id:1,phase:2,deny"'),
        "Correct its name. Often the line before it lacks its final backslash.",
    ),
    Rule(
        "modsec.forbidden",
        ERROR,
        "The directive reads files, loads rules from elsewhere, or switches the engine: data from a bucket must not.",
        _rule("SecRuleEngine Off"),
        "Remove it; it belongs in the engine's own configuration.",
    ),
    Rule(
        "modsec.quoting",
        ERROR,
        f"The rule's parts cannot be told apart. {_REFUSED}",
        _rule('SecRule ARGS "@rx x "id:1,phase:2,deny"'),
        'Write SecRule VARIABLES "OPERATOR" "ACTIONS", each continued line ending in a backslash.',
    ),
    Rule(
        "modsec.quote-open",
        ERROR,
        "The engine takes all that follows for the value of one action: `deny` behind it is lost, and the rule lets"
        " attacks pass.",
        _rule('SecRule ARGS "@rx x" "id:1,phase:2,msg:\'open,deny"'),
        "Close the single quote, or write it as \\'.",
    ),
    Rule(
        "modsec.unquoted",
        WARNING,
        "The engine reads it; other readers of SecLang do not.",
        _rule("SecAction id:1,phase:1,pass,nolog"),
        "Put the actions between double quotes.",
    ),
    Rule(
        "modsec.argument",
        ERROR,
        f"The directive lacks its argument, or has one of the wrong form. {_REFUSED}",
        _rule("SecMarker"),
        "Write the argument that the engine's reference asks for.",
    ),
    Rule(
        "modsec.variable",
        ERROR,
        f"The engine does not know the variable, or it takes no key. {_REFUSED}",
        _rule('SecRule ARGUMENTS "@rx x" "id:1,phase:2,deny"'),
        "Correct the variable's name or its key.",
    ),
    Rule(
        "modsec.operator",
        ERROR,
        f"The engine does not know the operator; case matters. {_REFUSED}",
        _rule('SecRule ARGS "@Rx x" "id:1,phase:2,deny"'),
        "Correct its name.",
    ),
    Rule(
        "modsec.regexp",
        ERROR,
        f"The pattern does not compile in Go. {_REFUSED}",
        _rule('SecRule ARGS "@rx (?=x)" "id:1,phase:2,deny"'),
        "Write it in RE2's syntax: no look-around, no back-references, no possessive quantifiers.",
    ),
    Rule(
        "modsec.byte-range",
        ERROR,
        f"The argument is no list of bytes. {_REFUSED}",
        _rule('SecRule ARGS "@validateByteRange 32-256" "id:1,phase:2,deny"'),
        "Write numbers from 0 to 255 and FROM-TO ranges between commas.",
    ),
    Rule(
        "modsec.phrase-file",
        ERROR,
        "The name leads out of the directory of the rules, or nowhere: the engine does not start, or reads a file of"
        " the machine that loads it.",
        _rule('SecRule ARGS "@pmFromFile ../../etc/passwd" "id:1,phase:2,deny"'),
        "Name a published `.data` file, relative to the rules.",
    ),
    Rule(
        "modsec.action",
        ERROR,
        f"The engine does not know the action, or not with this value; `exec` runs a program. {_REFUSED}",
        _rule('SecRule ARGS "@rx x" "id:1,phase:2,denny"'),
        "Correct the action; see the engine's reference of actions.",
    ),
    Rule(
        "modsec.phase",
        ERROR,
        f"There is no such phase. {_REFUSED}",
        _rule('SecRule ARGS "@rx x" "id:1,phase:6,deny"'),
        "Write 1 to 5, request, response or logging.",
    ),
    Rule(
        "modsec.id",
        ERROR,
        f"The id is not a whole number above 0. {_REFUSED}",
        _rule('SecRule ARGS "@rx x" "id:first,phase:2,deny"'),
        "Write a number.",
    ),
    Rule(
        "modsec.id-missing",
        ERROR,
        "The rule can neither be excluded nor found in a log; current engines refuse it.",
        _rule('SecRule ARGS "@rx x" "phase:2,deny"'),
        "Give it an id of its own. If it belongs to a chain, the rule before it lacks `chain`.",
    ),
    Rule(
        "modsec.id-twice",
        ERROR,
        "The rule has two ids; the engine takes one, exclusions name the other.",
        _rule('SecRule ARGS "@rx x" "id:1,id:2,phase:2,deny"'),
        "Leave one.",
    ),
    Rule(
        "modsec.id-duplicate",
        ERROR,
        f"Two rules that are loaded together have one id. {_REFUSED}",
        Example("modsec", _ACTION * 2),
        "Give each rule an id of its own.",
    ),
    Rule(
        "modsec.id-in-chain",
        WARNING,
        "The id of a chained rule is ignored: an exclusion that names it does nothing.",
        _rule('SecRule ARGS "@rx x" "id:1,phase:2,deny,chain"\nSecRule ARGS "@rx y" "id:2"'),
        "Leave the id to the chain's first rule.",
    ),
    Rule(
        "modsec.default-action",
        ERROR,
        f"Default actions need one phase and one disruptive action, once a phase, and nothing else. {_REFUSED}",
        _rule('SecDefaultAction "phase:1,log"'),
        "Give one phase and one disruptive action.",
    ),
    Rule(
        "modsec.continuation-open",
        ERROR,
        "The file ends inside a directive: the engine joins it with the first line of the next file, and refuses or"
        " changes both.",
        Example("modsec", b'SecRule ARGS "@rx x" "id:1,phase:2,deny" \\\n'),
        "Finish the directive; remove the backslash at the end.",
    ),
    Rule(
        "modsec.too-long",
        ERROR,
        "A directive goes on for more than 262,144 characters: a backtick or a backslash too many has joined the lines"
        " that follow, and the engine sees one directive where there were rules.",
        Example(
            "modsec", b"SecMarker A\\\n" * 25_000 + b"\n\nSecMarker B\n", note="25,000 lines that end in a backslash"
        ),
        "Take out the backslash, or close the backtick; break up what is meant to be so long.",
    ),
    Rule(
        "modsec.too-many-rules",
        ERROR,
        "An engine goes through all rules for every request; with more than 20,000 it is slow, or out of memory.",
        Example(
            "modsec", _rule(_CHAINING).body + _rule(_CHAINED).body * 20_000, note="20,001 rules, here in one chain"
        ),
        "See that it is the right file; if it is, split it, and load the parts where they are needed.",
    ),
    Rule(
        "modsec.chain-open",
        ERROR,
        "The file ends where a chained rule must follow: the first rule of the next file becomes the second half of"
        " this one, and no longer works by itself.",
        _rule('SecRule ARGS "@rx x" "id:1,phase:2,deny,chain"'),
        "Add the chained SecRule, or drop `chain`.",
    ),
    Rule(
        "modsec.chain-broken",
        ERROR,
        "Another directive stands where the chained rule is expected: the chain is never complete, and the rule never"
        " matches.",
        _rule('SecRule ARGS "@rx x" "id:1,phase:2,deny,chain"\nSecMarker END'),
        "Put the chained SecRule right after its first rule.",
    ),
    Rule(
        "modsec.blocks-all",
        ERROR,
        "The action has no condition and denies: every request of every visitor is blocked.",
        _rule('SecAction "id:1,phase:1,deny"'),
        "Give it the condition that was meant, in a SecRule.",
    ),
    Rule(
        "modsec.opens-all",
        ERROR,
        "Without a condition the engine is told to allow all, to switch itself off, or to forget whole rule sets:"
        " every attack passes.",
        _rule('SecAction "id:1,phase:1,nolog,allow"'),
        "Give it the condition that was meant; name the rules that are to go.",
    ),
    Rule(
        "modsec.empty",
        (Severity.ERROR, Severity.INFO),
        "A rule file without a byte has lost its rules: attacks pass (an error). One that is all comments is how"
        " plugins ship their settings (info).",
        Example("modsec", note="a file of no bytes"),
        "Restore the rules, or remove the file.",
    ),
)
