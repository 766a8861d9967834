"""Judge files that an engine loads together: what each may say alone, all of them may not say at once.

A rule set is one text to the engine. An id that stands in two of its files, or a phrase file that no file of the group
is, keeps it from starting, although every file is right by itself. Which files are loaded together only the job knows.
"""

from collections.abc import Iterable, Iterator, Mapping
from posixpath import basename, dirname, join, normpath

from hubdata.model.finding import Finding, Severity
from hubdata.model.job import Group
from hubdata.model.references import References
from hubdata.planning.glob import matches


def together(
    groups: tuple[Group, ...], references: Mapping[str, References], keys: Iterable[str]
) -> tuple[Finding, ...]:
    """Return what is wrong with the files of each group as a whole.

    `references` are those of the rule files that were judged, by key; `keys` are all files of the job, the phrase files
    among them.
    """
    everything = sorted(keys)
    return tuple(dict.fromkeys(finding for group in groups for finding in _of_one(group, references, everything)))


def _of_one(group: Group, references: Mapping[str, References], keys: list[str]) -> Iterator[Finding]:
    members = [key for key in keys if any(matches(glob, key) for glob in group.match)]
    if not members:
        yield _empty(group)
    names = {basename(key) for key in members}
    first: dict[int, tuple[str, int]] = {}
    for key in members:
        for number, line in references[key].ids if key in references else ():
            if number in first and first[number][0] != key:
                yield _twice(group, key, line, number, first[number])
            first.setdefault(number, (key, line))
        for name, line in references[key].phrase_files if key in references else ():
            if normpath(join(dirname(key), name)) not in members and basename(name) not in names:
                yield _missing(group, key, line, name)


def _twice(group: Group, key: str, line: int, number: int, first: tuple[str, int]) -> Finding:
    return Finding(
        key,
        line,
        "group.duplicate-id",
        Severity.ERROR,
        f"rule {number} is also {first[0]}:{first[1]}, which group {group.name} loads beside it:"
        " the engine does not start",
        "give one of them another id, or load the files in different groups",
    )


def _missing(group: Group, key: str, line: int, name: str) -> Finding:
    return Finding(
        key,
        line,
        "group.missing-phrases",
        Severity.ERROR,
        f"the rule reads {name!r}, which no file of group {group.name} is: the engine does not start",
        "publish the phrase file beside the rules, or mend its name",
    )


def _empty(group: Group) -> Finding:
    return Finding(
        "",
        None,
        "group.empty",
        Severity.WARNING,
        f"group {group.name} names no file that this job publishes, so nothing is judged together",
        "mend the globs of the group in the job file, or remove it",
    )
