"""Judges a SecLang rule file as Coraza loads it: one parse error keeps every engine that loads it from starting.

All files of a rule set are one text to the engine, in one id space. So a directive or a chain left open at the end
of a file swallows the beginning of the next. What is judged here for one file (ids, phrase files) goes out with the
verdict, for the group of files that a job declares (`planning/groups.py`).
"""

from collections import deque
from collections.abc import Callable
from typing import ClassVar

from hubdata.grammar import seclang_words as words
from hubdata.grammar.entries import too_few
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.seclang import (
    ENGINE_LINE_BYTES,
    MAX_DIRECTIVE_CHARS,
    MAX_RULES,
    Directive,
    Rule,
    Unreadable,
    read_directives,
    split_operator,
    split_rule,
    unquote,
)
from hubdata.grammar.seclang_actions import Taken, each_action, plain_actions, quote_open
from hubdata.grammar.seclang_reach import NO_ID, RULE_SETS, always_holds, holding_labour, removal_problem, rule_number
from hubdata.grammar.seclang_values import (
    action_problem,
    control_pattern,
    is_byte_range,
    key_patterns,
    pattern_labour,
    pattern_problem,
    variables_problems,
)
from hubdata.grammar.whole_text import read_text
from hubdata.model.finding import Finding, Severity
from hubdata.model.references import References
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict
from hubdata.tables import BaseModel, ConfigDict

_REFUSES = "the engine refuses it, and does not start"


class ModsecKind:
    """SecLang rules: `*.conf` of a rule set."""

    name: ClassVar[str] = "modsec"
    lasting = True
    content_type = "text/plain; charset=utf-8"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """No settings: the engine's grammar is one."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every reason why an engine would refuse or misread the rules; entries are directives."""
        judge = _read(artifact.key, body)
        few = too_few(artifact.key, judge.entries, demands.limits)
        return Verdict(
            judge.gather.findings([*judge.text_findings, *few]),
            Stats(entries=judge.entries),
            References(tuple(judge.ids.items()), tuple(judge.phrase_files)),
        )


def _read(key: str, body: Body) -> "_Judge":
    """Return the judge who has read all of `body`."""
    judge = _Judge(Gather(key, "modsec"))
    text, judge.text_findings = read_text(key, body, max_line_bytes=ENGINE_LINE_BYTES)
    if text is not None:
        judge.read(text)
        if not judge.entries:
            # Plugins ship settings that are all comments; a file without a single byte has lost something.
            severity = Severity.INFO if text and not text.isspace() else Severity.ERROR
            judge.gather.add(
                None, "empty", severity, "there is no directive", "restore the rules, or remove the file if it had none"
            )
    return judge


class _Judge:
    """Goes through one file's directives in order, as the engine does, and remembers ids and open chains."""

    def __init__(self, gather: Gather) -> None:
        self.gather = gather
        self.text_findings: tuple[Finding, ...] = ()
        self.entries = 0
        self.ids: dict[int, int] = {}
        self.phrase_files: list[tuple[str, int]] = []
        self._rules_read = 0
        self._phases: dict[str, int] = {}
        # The line of the rule that waits for its chained one; 0: none; None: a rule could not be read, so unknown.
        self._chain: int | None = 0
        self._rules: dict[str, Callable[[Directive], None]] = {
            "secrule": self._rule,
            "secaction": self._action,
            "secmarker": self._marker,
            "secdefaultaction": self._default_action,
            "secruleupdatetargetbyid": self._update_target,
            "secruleremovebyid": self._remove,
            "secruleupdateactionbyid": self._needs_argument,
            "secruleupdatetargetbytag": self._needs_argument,
            "secruleremovebytag": self._remove_by_tag,
            "secruleremovebymsg": self._needs_argument,
            "seccomponentsignature": self._needs_argument,
            "secdataset": self._needs_argument,
        }

    def read(self, text: str) -> None:
        for directive in self.gather.patient(read_directives(text, max_chars=MAX_DIRECTIVE_CHARS)):
            self.entries += 1
            if self._rules_read == MAX_RULES:
                self._error(
                    directive,
                    "too-many-rules",
                    f"the file has more than {MAX_RULES:,} rules: the rest of it is not judged",
                    "split it; an engine goes through all of them for every request",
                )
                return
            if directive.continued:
                self.gather.error(
                    directive.line,
                    "continuation-open",
                    f"the file ends inside {shown(directive.name)}: its last line ends with a backslash or a backtick",
                    "finish the directive: the engine would join it with the first line of the next file",
                )
            if directive.cut:
                self._cut(directive)
            else:
                self._directive(directive)
        if self._chain and not self.gather.gave_up:
            self.gather.error(
                self._chain,
                "chain-open",
                "the file ends where a chained rule must follow",
                "add the chained SecRule or drop `chain`: the next file's first rule would be chained instead",
            )

    def _cut(self, directive: Directive) -> None:
        self._chain = None
        self._error(
            directive,
            "too-long",
            f"{shown(directive.name)} goes on for more than {MAX_DIRECTIVE_CHARS:,} characters",
            "break it up; a line before it may end in a backslash or a backtick too many",
        )

    def _directive(self, directive: Directive) -> None:
        name = directive.name.lower()
        if name in words.FORBIDDEN:
            self._error(
                directive,
                "forbidden",
                f"`{directive.name}` has no place in published rules: {words.FORBIDDEN[name]}",
                "remove it; it belongs in the engine's own configuration",
            )
        elif name not in words.DIRECTIVES:
            self._error(
                directive,
                "directive",
                f"the engine does not know the directive {shown(directive.name)}, and does not start",
                "correct its name; a line before it may lack its final backslash",
            )
        else:
            if self._chain and name not in {"secrule", "secaction"}:
                self._error(
                    directive,
                    "chain-broken",
                    f"`{directive.name}` stands where the rule of line {self._chain} expects its chained rule",
                    "put the chained SecRule right after it: the chain would never be complete",
                )
                self._chain = 0
            judge = self._rules.get(name)
            if judge is not None:
                judge(directive)

    def _error(self, directive: Directive, problem: str, message: str, advice: str, offset: int = 0) -> None:
        self.gather.error(directive.line_at(offset), problem, message, advice)

    # Directives ------------------------------------------------------------------------------------------------------

    def _rule(self, directive: Directive) -> None:
        try:
            rule = split_rule(directive.argument)
        except Unreadable as err:
            self._chain = None
            self._error(
                directive,
                "quoting",
                f"{err}: {_REFUSES}",
                'write SecRule VARIABLES "OPERATOR" "ACTIONS", each continued line ending in a backslash',
                err.offset,
            )
            return
        self._variables(directive, rule.variables)
        self._operator(directive, rule.operator, rule.operator_at)
        if rule.actions is None:
            self._chain_and_id(directive, Taken())
        else:
            self._actions(directive, rule.actions, rule.actions_at, rule)

    def _action(self, directive: Directive) -> None:
        text = directive.argument.strip()
        if not text:
            self._needs_argument(directive)
            return
        if text[0] != '"' or text[-1] != '"' or len(text) < 2:
            self.gather.warning(
                directive.line, "unquoted", "the actions are not between double quotes", "put them between quotes"
            )
        self._actions(directive, unquote(text), directive.argument.index(text[0]) + 1, None)

    def _marker(self, directive: Directive) -> None:
        if not unquote(directive.argument.strip()):
            self._needs_argument(directive)

    def _needs_argument(self, directive: Directive) -> None:
        if not directive.argument.strip():
            self._error(directive, "argument", f"`{directive.name}` has no argument: {_REFUSES}", "add its argument")

    def _default_action(self, directive: Directive) -> None:
        taken = self._known_actions(directive, unquote(directive.argument.strip()), 1)
        wrong = taken.default_problem()
        if not wrong and taken.phase in self._phases:
            wrong = f"line {self._phases[taken.phase]} sets the defaults of phase {taken.phase} already"
        if "allow" in taken.names:
            message = "every rule that says `block` would allow: attacks pass"
            self._error(directive, "opens-all", message, "write pass, deny or drop")
        if wrong:
            self._error(directive, "default-action", f"{wrong}: {_REFUSES}", "give one phase and one disruptive action")
        self._phases.setdefault(taken.phase, directive.line)

    def _update_target(self, directive: Directive) -> None:
        id_text, _, variables = directive.argument.strip().partition(" ")
        variables = variables.strip().strip('"')
        if not id_text.strip('"').isdecimal() or not variables:
            self._error(
                directive,
                "argument",
                f"not a rule id and variables: {shown(directive.argument)}",
                'write SecRuleUpdateTargetById ID "VARIABLES"',
            )
            return
        self._variables(directive, variables)

    def _remove(self, directive: Directive) -> None:
        spans = unquote(directive.argument.strip()).split()
        for span in self.gather.patient(spans):
            if (problem := removal_problem(span)) is not None:
                self._error(directive, *problem)
        if not spans:
            self._needs_argument(directive)

    def _remove_by_tag(self, directive: Directive) -> None:
        self._needs_argument(directive)
        if unquote(directive.argument.strip()).lower() in RULE_SETS:
            message = f"{shown(directive.argument)} takes away a whole rule set: attacks pass"
            self._error(directive, "opens-all", message, "name the rules that are meant")

    # Parts of a rule -------------------------------------------------------------------------------------------------

    def _variables(self, directive: Directive, text: str) -> None:
        for pattern in self.gather.patient(key_patterns(text)):
            self.gather.spend(pattern_labour(pattern), on=pattern)
        for offset, message in self.gather.patient(variables_problems(text)):
            self._error(
                directive, "variable", f"{message}: {_REFUSES}", "correct the variable's name or its key", offset
            )

    def _operator(self, directive: Directive, text: str, offset: int) -> None:
        name, argument, at = split_operator(text)
        if name not in words.OPERATORS:
            known = {word.lower(): word for word in words.OPERATORS}.get(name.lower())
            self._error(
                directive,
                "operator",
                f"the engine does not know the operator {shown('@' + name)}, and does not start",
                f"write `@{known}`: case matters" if known else "correct its name",
                offset,
            )
        elif name == "rx":
            problem = pattern_problem(argument)
            self.gather.spend(pattern_labour(argument), on=argument)
            if problem is not None:
                self._error(
                    directive,
                    "regexp",
                    f"Go's regexp refuses {shown(argument)}: {problem}; the engine does not start",
                    "write it in RE2's syntax: no look-around, no back-references, no possessive quantifiers",
                    offset + at,
                )
        elif name in words.PHRASE_FILE_OPERATORS:
            self.phrase_files.append((argument, directive.line_at(offset)))
            self._named_file(directive, argument, offset)
        elif name in words.ADDRESS_FILE_OPERATORS:
            self._named_file(directive, argument, offset)
        elif name in words.PROGRAM_OPERATORS:
            message = f"`@{name}` runs a program, which published rules must not"
            self._error(directive, "forbidden", message, "remove the rule", offset)
        elif name == "validateByteRange" and not is_byte_range(argument):
            self._error(
                directive,
                "byte-range",
                f"{shown(argument)} is not a list of bytes and ranges from 0 to 255: {_REFUSES}",
                "write numbers and FROM-TO ranges between commas",
                offset,
            )

    def _named_file(self, directive: Directive, name: str, offset: int) -> None:
        if not name or name.startswith("/") or ".." in name.split("/") or "\\" in name:
            self._error(
                directive,
                "phrase-file",
                f"{shown(name)} is not the name of a file beside the rules",
                "name a published `.data` file, relative to the rules",
                offset,
            )

    def _actions(self, directive: Directive, text: str, offset: int, rule: Rule | None) -> None:
        taken = self._known_actions(directive, text, offset)
        problem = taken.everywhere if self._chain == 0 and "chain" not in taken.names else None
        if problem is not None and rule is not None:
            self.gather.spend(holding_labour(rule.variables, rule.operator), on=f"matching {rule.operator}")
        if problem is not None and (rule is None or always_holds(rule.variables, rule.operator)):
            self._error(directive, problem[0], problem[1], "give it the condition that was meant, in a SecRule")
        self._chain_and_id(directive, taken)

    def _known_actions(self, directive: Directive, text: str, offset: int) -> Taken:
        if not self.gather.tired and (plain := plain_actions(text)) is not None:
            return plain
        if quote_open(text):
            self._error(
                directive,
                "quote-open",
                "a single quote among the actions is never closed: the engine takes the rest for its value",
                "close it, or write it as \\'",
                offset,
            )
        taken = Taken()
        actions = taken.taking(each_action(text))
        for action in self.gather.patient(actions):
            problem = action_problem(action.name, action.value)
            pattern = control_pattern(action.value or "") if action.name == "ctl" else None
            if pattern is not None:
                self.gather.spend(pattern_labour(pattern), on=pattern)
            if problem is not None:
                self._error(
                    directive,
                    problem[0],
                    f"{problem[1]}: {_REFUSES}",
                    "correct the action; see the engine's reference of actions",
                    offset + action.offset,
                )
        deque(actions, maxlen=0)  # those of which the judge has grown tired still have an id among them
        return taken

    def _chain_and_id(self, directive: Directive, taken: Taken) -> None:
        self._rules_read += 1
        chained = self._chain
        self._chain = directive.line if "chain" in taken.names else 0
        ids = taken.ids
        if len(ids) > 1:
            self._error(directive, "id-twice", "the rule has two ids", "leave one")
        if chained == 0 and not ids:
            self._error(
                directive,
                "id-missing",
                "the rule has no id, so it can neither be excluded nor found in a log",
                "give it an id of its own; if it belongs to a chain, the rule before it lacks `chain`",
            )
        elif chained and ids:
            self.gather.warning(
                directive.line,
                "id-in-chain",
                "a chained rule's id is ignored",
                "leave the id to the chain's first rule",
            )
        elif ids:
            self._new_id(directive, rule_number(ids[0] or ""))

    def _new_id(self, directive: Directive, rule_id: int | None) -> None:
        if rule_id is None or rule_id == NO_ID:
            return  # told by the action itself
        if (first := self.ids.setdefault(rule_id, directive.line)) != directive.line:
            self._error(
                directive,
                "id-duplicate",
                f"the rule of line {first} has the id {rule_id} already: {_REFUSES}",
                "give each rule an id of its own",
            )
