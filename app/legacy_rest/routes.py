"""Which legacy endpoint is answered by what: one row each, all below `/api/v1`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.legacy_rest.answers import Answer, RefusedError
from app.legacy_rest.bodies import read_body
from app.legacy_rest.sensors import BODY, Sensors
from domain.ports import Clock

BASE = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyServices:
    """What the endpoints work with."""

    sensors: Sensors
    clock: Clock


class Call(NamedTuple):
    """One request.

    Attributes:
        address: Who asks; empty where that is not known.
    """

    receive: Receive
    address: str


Endpoint = Callable[[LegacyServices, Call], Awaitable[Answer]]


class Row(NamedTuple):
    """One endpoint."""

    method: str
    path: str
    endpoint: Endpoint


async def _process(services: LegacyServices, call: Call) -> Answer:
    services.sensors.admit(call.address, services.clock.monotonic())
    body = await read_body(call.receive, BODY)
    return await services.sensors.process(body, int(services.clock.now().timestamp()))


async def _types(services: LegacyServices, _call: Call) -> Answer:
    return services.sensors.types()


async def _health(services: LegacyServices, _call: Call) -> Answer:
    return services.sensors.health()


ROUTES = (
    Row("POST", "/sensors/process", _process),
    Row("GET", "/sensors/types", _types),
    Row("GET", "/sensors/health", _health),
)


def routes(services: LegacyServices) -> Sequence[Route]:
    """Return the routes of all rows."""
    return [
        Route(BASE + row.path, _app(services, row.endpoint), methods=[row.method]) for row in ROUTES
    ]


def _app(services: LegacyServices, endpoint: Endpoint) -> ASGIApp:
    class App:
        """An ASGI application; a function would be taken for one of requests."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            client = scope.get("client")
            try:
                answer = await endpoint(services, Call(receive, client[0] if client else ""))
            except RefusedError as refusal:
                answer = refusal.answer
            await answer.send(send)

    return App()
