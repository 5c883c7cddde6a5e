"""The HTTP application around already built services: GraphQL, legacy REST, and how all is."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from app.graphql import Endpoint
from domain.services.health import CheckHealth, Health


def build(endpoint: Endpoint, check_health: CheckHealth, further: Sequence[BaseRoute]) -> Starlette:
    """Assemble the routes.

    Args:
        endpoint: Answers GraphQL.
        check_health: Asks every part how it is.
        further: Routes of the legacy REST interface, and of the files that GraphiQL is made of.

    Returns:
        The application.
    """

    async def live(_request: Request) -> Response:
        """Answer as long as the process does its work: when a part dies, all of it ends."""
        return JSONResponse({"status": "ok"})

    async def ready(_request: Request) -> Response:
        """Say whether everything is there that the server needs to do its work."""
        health = await check_health()
        return JSONResponse(_as_json(health), 200 if health.status == "ok" else 503)

    async def home(_request: Request) -> Response:
        return RedirectResponse("/graphql")

    return Starlette(
        routes=[
            Route("/", home),
            Route("/graphql", endpoint),
            WebSocketRoute("/graphql", endpoint),
            Route("/health/live", live),
            Route("/health/ready", ready),
            *further,
        ]
    )


def _as_json(health: Health) -> dict[str, object]:
    return {
        "status": health.status,
        "version": health.version,
        "uptimeSeconds": health.uptime_seconds,
        "components": {
            part.name: {"status": part.status, "detail": part.detail} for part in health.components
        },
    }
