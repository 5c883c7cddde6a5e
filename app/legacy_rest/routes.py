"""Which legacy endpoint is answered by what: one row each, all below `/api/v1`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from app.legacy_rest.answers import Answer, RefusedError, refused
from app.legacy_rest.bodies import read_body
from app.legacy_rest.callers import require
from app.legacy_rest.emergencies import CLEAR_BODY, STOP_BODY, Emergencies
from app.legacy_rest.sensors import BODY, Sensors
from domain.errors import STARTING
from domain.ports import Clock
from domain.services.accounts import Accounts
from domain.users import Role

BASE = "/api/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyServices:
    """What the endpoints work with.

    Attributes:
        started: Set once all is loaded that answers depend on.
    """

    sensors: Sensors
    emergencies: Emergencies
    accounts: Accounts
    clock: Clock
    started: asyncio.Event


class Call(NamedTuple):
    """One request.

    Attributes:
        address: Who asks; empty where that is not known.
        authorization: What proves who asks; empty where nothing does.
    """

    receive: Receive
    address: str
    authorization: str


Endpoint = Callable[[LegacyServices, Call], Awaitable[Answer]]


class Row(NamedTuple):
    """One endpoint."""

    method: str
    path: str
    endpoint: Endpoint


async def _process(services: LegacyServices, call: Call) -> Answer:
    services.sensors.admit(call.address, services.clock.monotonic())
    if not services.started.is_set():
        # It would be converted without the calibration of its sensor.
        raise refused(503, STARTING, close=True)
    body = await read_body(call.receive, BODY)
    return await services.sensors.process(body, int(services.clock.now().timestamp()))


async def _types(services: LegacyServices, _call: Call) -> Answer:
    return services.sensors.types()


async def _health(services: LegacyServices, _call: Call) -> Answer:
    return services.sensors.health()


async def _emergency_stop(services: LegacyServices, call: Call) -> Answer:
    caller = require(services.accounts, call.authorization, Role.OPERATOR)
    return await services.emergencies.stop(await read_body(call.receive, STOP_BODY), caller)


async def _clear_emergency(services: LegacyServices, call: Call) -> Answer:
    caller = require(services.accounts, call.authorization, Role.OPERATOR)
    return await services.emergencies.clear(await read_body(call.receive, CLEAR_BODY), caller)


ROUTES = (
    Row("POST", "/sensors/process", _process),
    Row("GET", "/sensors/types", _types),
    Row("GET", "/sensors/health", _health),
    Row("POST", "/actuators/emergency_stop", _emergency_stop),
    Row("POST", "/actuators/emergency-stop", _emergency_stop),
    Row("POST", "/actuators/clear_emergency", _clear_emergency),
    Row("POST", "/actuators/clear-emergency", _clear_emergency),
)


def routes(services: LegacyServices) -> Sequence[Route]:
    """Return the routes of all rows, with and without a slash at the end: no client is sent on."""
    return [
        Route(BASE + row.path + slash, _app(services, row.endpoint), methods=[row.method])
        for row in ROUTES
        for slash in ("", "/")
    ]


def _app(services: LegacyServices, endpoint: Endpoint) -> ASGIApp:
    class App:
        """An ASGI application; a function would be taken for one of requests."""

        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            client = scope.get("client")
            proof = dict(scope["headers"]).get(b"authorization", b"").decode("latin-1")
            try:
                call = Call(receive, client[0] if client else "", proof)
                answer = await endpoint(services, call)
            except RefusedError as refusal:
                answer = refusal.answer
            await answer.send(send)

    return App()
