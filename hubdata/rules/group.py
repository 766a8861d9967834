"""Rules of groups: files that are right by themselves, and keep an engine from starting together."""

from hubdata.model.rule import ERROR, WARNING, Example, Rule

RULES = (
    Rule(
        "group.duplicate-id",
        ERROR,
        "All files of a rule set share one space of rule ids: an engine that loads two rules with one id does not"
        " start.",
        Example(note="two files of a group that both hold a rule with id:900990"),
        "Give one of the rules another id, or load the files in different groups.",
    ),
    Rule(
        "group.missing-phrases",
        ERROR,
        "A rule reads a phrase file that is not published beside it: an engine that loads the rule does not start.",
        Example(note='`SecRule ARGS "@pmFromFile words.data" ...` in a group without a words.data'),
        "Publish the phrase file beside the rules, or mend the name in the rule.",
    ),
    Rule(
        "group.empty",
        WARNING,
        "Nothing yet: but files that were to be judged together are judged one by one only.",
        Example(note="a group whose globs match no file of the job"),
        "Mend the globs of the group in the job file, or remove the group.",
    ),
)
