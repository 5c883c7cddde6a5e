"""Root fields about system events."""

from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from typing import Annotated
from uuid import UUID

import strawberry

from domain import system_events
from domain.errors import BadInputError
from domain.events import SystemEventRecorded
from domain.ports import EventStream
from domain.repositories import Storage
from domain.system_events import Severity
from domain.times import read_instant
from domain.users import Role
from resolvers.live import REPLAY_PAGE
from schema.arguments import After, First, From, To
from schema.context import Context, Info
from schema.fields import field, subscription
from schema.ids import key_of, microseconds
from schema.system_events import SYSTEM_EVENTS, SystemEvent, SystemEventConnection

Severities = Annotated[
    list[Severity] | None,
    strawberry.argument(
        name="severity", description="Only events with one of these; none for an empty list."
    ),
]
Since = Annotated[
    str | None,
    strawberry.argument(
        description="Begin with what was stored after this: the `id` of the last event that was "
        "heard, or an instant by the server's clock. Only what is yet to come if left out."
    ),
]

_BITS_BELOW_MILLISECONDS = 80
"""Of a UUIDv7: its upper 48 bits are Unix milliseconds (RFC 9562, section 5.7)."""


async def find_system_event(context: Context, event_id: UUID) -> SystemEvent | None:
    """Return one event; None: it is not known, or has left to make room."""
    async with context.services.storage.autocommit() as work:
        found = await work.system_events.by_id(event_id)
    return SystemEvent.of(found) if found else None


@strawberry.type
class SystemEventQueries:
    """Reading what happened."""

    @field
    async def system_events(  # noqa: PLR0913, PLR0917 - the arguments of the field
        self,
        info: Info,
        severities: Severities = None,
        start: From = None,
        end: To = None,
        first: First = None,
        after: After = None,
    ) -> SystemEventConnection:
        """What happened that a grower should know of, newest first."""
        info.context.require(Role.VIEWER)
        request = SYSTEM_EVENTS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.system_events.page(
                request, severities=severities, start=start, end=end
            )
        return SystemEventConnection.of(SYSTEM_EVENTS, request, page, SystemEvent.of)


@strawberry.type
class SystemEventSubscriptions:
    """Watching what happens."""

    @subscription
    async def system_events(
        self, info: Info, severities: Severities = None, since: Since = None
    ) -> AsyncGenerator[SystemEvent, None]:
        """Tells what happens that a grower should know of, each event once."""
        info.context.require(Role.VIEWER)
        services = info.context.services
        events = _stored_then_live(services.storage, services.events, _resume_id(since), severities)
        async with aclosing(events):
            async for event in events:
                yield SystemEvent.of(event)


def _resume_id(since: str | None) -> UUID | None:
    """Return the id behind which events are wanted; None: only what is yet to come."""
    if since is None:
        return None
    try:
        (text,) = key_of("SystemEvent", since)
        return UUID(text)
    except (BadInputError, ValueError):
        pass
    try:
        instant = read_instant(since)
    except BadInputError:
        raise BadInputError("since is neither the id of a SystemEvent nor an instant") from None
    # The last id that is not of that millisecond: ids of events begin with their time.
    milliseconds = max(0, microseconds(instant) // 1000)
    return UUID(int=max(0, (milliseconds << _BITS_BELOW_MILLISECONDS) - 1))


async def _stored_then_live(
    storage: Storage,
    events: EventStream,
    after: UUID | None,
    severities: Collection[Severity] | None,
) -> AsyncGenerator[system_events.SystemEvent, None]:
    """Yield what was stored after an event, then what happens, each once.

    As `resolvers.live.stored_then_live`: replayed in bulk before the live stream is joined, and
    once more what was stored meanwhile; ids grow in the order of storing.
    """
    if after is not None:
        async with aclosing(_stored(storage, after, severities)) as past:
            async for event in past:
                after = event.id
                yield event
    async with events.listen(SystemEventRecorded) as live:
        if after is not None:
            async with aclosing(_stored(storage, after, severities)) as past:
                async for event in past:
                    after = event.id
                    yield event
        async for recorded in live:
            event = recorded.event
            if (after is None or event.id > after) and (
                severities is None or event.severity in severities
            ):
                yield event


async def _stored(
    storage: Storage, after: UUID, severities: Collection[Severity] | None
) -> AsyncGenerator[system_events.SystemEvent, None]:
    while True:
        async with storage.autocommit() as work:
            page = await work.system_events.since(after, REPLAY_PAGE, severities=severities)
        for event in page:
            yield event
        if len(page) < REPLAY_PAGE:
            return
        after = page[-1].id
