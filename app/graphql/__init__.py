"""GraphQL over HTTP and WebSocket: the executable schema, and the endpoint that serves it."""

from app.graphql.endpoint import Endpoint
from app.graphql.schema import build_schema

__all__ = ["Endpoint", "build_schema"]
