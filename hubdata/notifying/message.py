"""What a notification says: as hubdata's own object, and as a text for a chat.

The text alone, without Slack's blocks: it is what Mattermost, Rocket.Chat and others that speak Slack's webhooks show,
too, and what a phone shows of it. In a chat, `<!channel>` calls everybody and `<https://...|a>` is a link; file names
and findings come from upstream, so nothing of them may be either.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hubdata.model.notify import RECOVERED
from hubdata.notifying.changes import Change

MOST = 50
"""Changes in one notification; the rest is counted."""

_LONGEST = 600
_LONGEST_TEXT = 12_000
_SHOWN_KEYS = 5

Redact = Callable[[str], str]


def document(changes: tuple[Change, ...], *, run_id: str, at: datetime, redact: Redact) -> dict[str, Any]:
    """Return the object; `schema` is raised when a field changes its meaning, and not when one is added."""
    shown = changes[:MOST]
    return {
        "schema": 1,
        "event": "hubdata.notification",
        "at": at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "run_id": run_id or None,
        "summary": summary(changes, redact),
        "changes": [_object(change, redact) for change in shown],
        "more": len(changes) - len(shown),
    }


def slack(changes: tuple[Change, ...], *, run_id: str, redact: Redact) -> dict[str, Any]:
    """Return `{"text": ...}`, a line for what is new and lines below it for what that is."""
    lines = []
    for change in changes[:MOST]:
        lines.append(f"*{_escaped(_head(change, redact))}*")
        lines += [f"    {_escaped(line)}" for line in _body(change, redact)]
    if len(changes) > MOST:
        lines.append(f"and {len(changes) - MOST:,} changes more")
    if run_id:
        lines.append(f"run {_escaped(run_id)}")
    text = "\n".join(lines)
    return {"text": text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + "\n..."}


def encoded(value: object) -> bytes:
    """Return JSON, for a program's standard input."""
    return json.dumps(value).encode() + b"\n"


def summary(changes: tuple[Change, ...], redact: Redact) -> str:
    """Return one line on all of it."""
    heads = [_head(change, redact) for change in changes[:3]]
    more = f"; and {len(changes) - 3:,} changes more" if len(changes) > 3 else ""
    return "; ".join(heads) + more


def _object(change: Change, redact: Redact) -> dict[str, Any]:
    condition = change.condition
    return {
        "job": redact(change.job),
        "targets": [redact(target) for target in change.targets],
        "state": change.state,
        "was": list(change.was),
        "still": list(change.still),
        "reason": "" if condition is None else _short(redact(condition.reason)),
        "advice": "" if condition is None else _short(redact(condition.advice)),
        "keys": [] if condition is None else [redact(key) for key in condition.keys],
        "count": 0 if condition is None else condition.count,
        "plan_id": (condition.plan_id or None) if condition is not None else None,
    }


def _head(change: Change, redact: Redact) -> str:
    where = redact(f"{change.job} -> {', '.join(change.targets)}")
    if change.state == RECOVERED:
        return f"{where}: {' and '.join(change.was)} no more" + (
            f", still {' and '.join(change.still)}" if change.still else ": all is well"
        )
    count = 0 if change.condition is None else change.condition.count
    files = f" ({count:,} {'file' if count == 1 else 'files'})" if count else ""
    return f"{where}: {change.state}{files}"


def _body(change: Change, redact: Redact) -> list[str]:
    condition = change.condition
    if condition is None:
        return []
    lines = [_short(redact(text)) for text in (condition.reason, condition.advice) if text]
    if condition.count > 1:
        shown = [redact(key) for key in condition.keys[:_SHOWN_KEYS]]
        more = f" and {condition.count - len(shown):,} more" if condition.count > len(shown) else ""
        lines.append(", ".join(shown) + more)
    if condition.plan_id:
        lines.append(f"plan {condition.plan_id}")
    return lines


def _short(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _LONGEST else flat[:_LONGEST] + "..."


def _escaped(text: str) -> str:
    """Return text that a chat shows as it is (api.slack.com: escape these three, and no other)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
