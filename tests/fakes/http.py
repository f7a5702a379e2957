"""HTTP without a socket: answers that a test has written down."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from msgspec.structs import replace

from dockless.model.endpoint import Endpoint
from dockless.transport.bodies import Body, BodySink
from dockless.transport.http import HttpClient, Response


@dataclass(frozen=True, slots=True)
class Asked:
    """One request.

    Attributes:
        what: Method and URL.
        headers: Its headers.
        body: Its body.
    """

    what: str
    headers: Mapping[str, str]
    body: Body


class StubHttp(HttpClient):
    """Connections on which the answers are known beforehand.

    Attributes:
        asked: Every request, in order.
    """

    def __init__(self, *, plain_http: bool = False) -> None:
        super().__init__(Endpoint(host="registry.example.com", plain_http=plain_http), {})
        self.asked: list[Asked] = []
        self._answers: dict[str, list[Response]] = {}

    def on(
        self,
        what: str,
        status: int = 200,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer this request so: the first time with the first, and at last with the last."""
        self._answers.setdefault(what, []).append(
            Response(status=status, headers=headers or {}, body=body)
        )

    def ask(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Body = None,
        sink: BodySink | None = None,
    ) -> Response:
        """Return the next answer; 404 where there is none."""
        what = f"{method} {url}"
        self.asked.append(Asked(what, dict(headers or {}), body))
        answers = self._answers.get(what, [Response(status=404, headers={}, body=b"")])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        answer = replace(answer, url=answer.via[-1] if answer.via else url)
        if sink is None or answer.status != HTTPStatus.OK:
            return answer
        sink(answer.body)
        return Response(status=answer.status, headers=answer.headers, body=b"")
