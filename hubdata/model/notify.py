"""Whom to notify, of what: the table `[notify]` of the settings, and the troubles that there are to tell of."""

from datetime import timedelta
from enum import StrEnum

from hubdata.values import frozen

URL_VARIABLE = "HUBDATA_NOTIFY_URL"
"""The variable (or, with `_FILE` added, the file) with the webhook's URL, which is a secret."""


class Trouble(StrEnum):
    """What may be the matter with a job at a target; several may be at once."""

    REFUSED = "refused"
    HELD = "held"
    FAILED = "failed"
    STALE = "stale"


RECOVERED = "recovered"
"""What is told when troubles are over, and can be chosen or left out as they can."""

EVERYTHING = (*(trouble.value for trouble in Trouble), RECOVERED)


class Form(StrEnum):
    """What a webhook is sent: hubdata's own object, or a text as Slack, Mattermost and their like show it."""

    JSON = "json"
    SLACK = "slack"


@frozen
class Notify:
    """Where notifications go, a webhook and a program or one of them, and what is worth one.

    `url_variable` names the variable that holds the webhook's URL; None where there is no webhook. `argv` is empty
    where there is no program; it is started without a shell, and given only the variables in `pass_environment`.
    """

    url_variable: str | None = None
    form: Form = Form.JSON
    argv: tuple[str, ...] = ()
    on: frozenset[str] = frozenset(EVERYTHING)
    timeout: timedelta = timedelta(seconds=10)
    pass_environment: tuple[str, ...] = ()
