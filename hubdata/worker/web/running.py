"""Begin a run for whoever has the token. What comes of it is in the answer's status; nothing is dropped in silence."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from hubdata.worker.agenda import Answer
from hubdata.worker.schedule import Cause
from hubdata.worker.web.answers import Refusal, answer
from hubdata.worker.web.behind import Behind, Diary
from hubdata.worker.web.proof import bearer, is_secret

STATUS = {
    Answer.BEGUN: HTTPStatus.ACCEPTED,
    Answer.ALREADY_RUNNING: HTTPStatus.CONFLICT,
    Answer.UNKNOWN: HTTPStatus.NOT_FOUND,
    Answer.ENDING: HTTPStatus.SERVICE_UNAVAILABLE,
}
_MOST_SHOWN = 100


class Running:
    """The endpoint that begins runs."""

    def __init__(self, behind: Behind, diary: Diary) -> None:
        self._behind, self._diary = behind, diary

    async def run(self, request: Request) -> Response:
        """Begin a run of the job that the path names."""
        try:
            self._allow(request)
        except Refusal as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                self._diary.denied(request, "jobs", refusal.status, refusal.why)
            raise
        job = request.path_params["name"]
        became = self._behind.trigger(job, Cause.REQUEST)
        shown = job if len(job) <= _MOST_SHOWN else f"{job[:_MOST_SHOWN]}..."
        self._diary.accepted(request, "jobs", job=shown, answer=became.value)
        said = {"answer": became.value}
        return answer(STATUS[became], {"job": job, **said} if became is not Answer.UNKNOWN else said)

    def _allow(self, request: Request) -> None:
        """Raise Refusal unless the request has the token."""
        if self._behind.token is None:
            raise Refusal(HTTPStatus.NOT_FOUND, "not found")
        given = request.headers.getlist("authorization")
        token = bearer(given[0]) if len(given) == 1 else None
        if token is None:
            challenge = {"WWW-Authenticate": 'Bearer realm="hubdata"'}
            raise Refusal(HTTPStatus.UNAUTHORIZED, "a bearer token is needed", why="no token", headers=challenge)
        if not is_secret(token, self._behind.token):
            raise Refusal(HTTPStatus.FORBIDDEN, "this is not the token", why="wrong token")
