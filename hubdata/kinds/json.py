"""Judges a JSON document that no engine loads, but people and scripts read: one strict value, nothing executable."""

import json
from collections import Counter
from typing import Any, ClassVar, NoReturn

from pydantic import BaseModel, ConfigDict

from hubdata.grammar.entries import too_few
from hubdata.grammar.executable import executable
from hubdata.grammar.gather import Gather, shown
from hubdata.grammar.whole_text import read_text
from hubdata.model.snapshot import Artifact, Stats
from hubdata.ports import Body, Demands, Verdict


class JsonKind:
    """One JSON value: RFC 8259, without repeated keys."""

    name: ClassVar[str] = "json"
    content_type = "application/json"
    max_bytes = 32 << 20

    class Options(BaseModel):
        """No settings."""

        model_config = ConfigDict(extra="forbid")

    def __init__(self, options: Options) -> None:
        self._options = options

    def check(self, artifact: Artifact, body: Body, demands: Demands) -> Verdict:
        """Return every finding about `body`; entries are the members of the outermost array or object."""
        gather = Gather(artifact.key, self.name)
        what = executable(body)
        if what is not None:
            gather.error(1, "executable", f"this is {what}", "publish data only")
            return Verdict(gather.findings(), Stats(entries=0))
        text, findings = read_text(artifact.key, body)
        value = None if text is None else _parse(text, gather)
        entries = len(value) if isinstance(value, dict | list) else int(value is not None)
        few = too_few(artifact.key, entries, demands.limits)
        return Verdict(gather.findings([*findings, *few]), Stats(entries=entries))


class _Refused(ValueError):
    """Something that Python's reader takes and others do not; the first argument is the rule's last part."""


def _parse(text: str, gather: Gather) -> Any:
    if not text.strip():
        gather.error(None, "empty", "the file is empty", "write a JSON value, or remove the file")
        return None
    try:
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_constant)
    except json.JSONDecodeError as err:
        gather.error(err.lineno, "syntax", err.msg, "correct it; `jq . FILE` shows the place too", column=err.colno)
    except RecursionError:
        gather.error(None, "nesting", "it is nested too deep for any reader", "flatten it")
    except _Refused as err:
        problem, message = err.args
        gather.error(None, problem, message, "readers differ in what they make of it: remove it")
    except ValueError as err:  # a number of thousands of digits
        gather.error(None, "number", shown(str(err)), "write it as a string")
    return None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        repeated = Counter(key for key, _ in pairs).most_common(1)[0][0]
        raise _Refused("duplicate-key", f"the key {shown(repeated)} stands twice in one object")
    return value


def _constant(name: str) -> NoReturn:
    raise _Refused("constant", f"{name} is not JSON")
