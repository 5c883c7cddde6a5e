"""The server itself in GraphQL: its health, and the messages that it could not read."""

from datetime import datetime
from typing import Self

import strawberry

from domain import dead_letters
from domain.services import health
from schema.ids import global_id
from schema.nodes import Node
from schema.pages import Connection, Cursors

DEAD_LETTERS = Cursors("deadLetters")


@strawberry.type(description="How one part of the server is.")
class ComponentHealth:
    """A part that was asked for a sign of life."""

    name: str = strawberry.field(description="Which part.")
    status: str = strawberry.field(description="`ok` or `down`.")
    latency_ms: float | None = strawberry.field(
        description="How long it took to answer, in milliseconds; null: it did not."
    )
    detail: str | None = strawberry.field(description="More about it, where there is more.")


@strawberry.type(description="How the server is.")
class Health:
    """The whole and its parts."""

    status: str = strawberry.field(description="`ok`, or `degraded` as soon as one part is down.")
    components: list[ComponentHealth] = strawberry.field(description="Its parts.")
    version: str = strawberry.field(description="The version of the server.")
    uptime_seconds: int = strawberry.field(description="Seconds since it started.")

    @classmethod
    def of(cls, found: health.Health) -> Self:
        """Show the health to clients."""
        return cls(
            status=found.status,
            components=[
                ComponentHealth(
                    name=part.name,
                    status=part.status,
                    latency_ms=part.latency_ms,
                    detail=part.detail,
                )
                for part in found.components
            ],
            version=found.version,
            uptime_seconds=found.uptime_seconds,
        )


@strawberry.type(description="A message that could not be read, kept with the reason.")
class DeadLetter(Node):
    """A dead letter."""

    topic: str = strawberry.field(
        description=f"The topic it came on, its first {dead_letters.TOPIC_LIMIT} characters."
    )
    payload: str = strawberry.field(
        description=f"Its first {dead_letters.PAYLOAD_LIMIT} bytes as text; bytes that are none "
        "are written `\\xNN`."
    )
    reason: str = strawberry.field(description="Why it could not be read.")
    received_at: datetime = strawberry.field(description="When the server had it.")

    @classmethod
    def of(cls, letter: dead_letters.DeadLetter) -> Self:
        """Show a dead letter to clients."""
        return cls(
            id=global_id("DeadLetter", letter.id),
            topic=letter.topic,
            payload=letter.payload_text(),
            reason=letter.reason,
            received_at=letter.received_at,
        )


@strawberry.type(description="A page of dead letters, newest first.")
class DeadLetterConnection(Connection[DeadLetter]):
    """Dead letters, page by page."""
