"""Root fields about the server itself."""

from typing import Annotated

import strawberry

from domain.users import Role
from schema.arguments import After, First, From
from schema.context import Context, Info
from schema.fields import field
from schema.system import DEAD_LETTERS, DeadLetter, DeadLetterConnection, Health

TopicContains = Annotated[
    str | None, strawberry.argument(description="Only of topics that contain this text.")
]


async def find_dead_letter(context: Context, letter_id: int) -> DeadLetter | None:
    """Return one dead letter; None: it is not known, or has left to make room."""
    async with context.services.storage.autocommit() as work:
        found = await work.dead_letters.by_id(letter_id)
    return DeadLetter.of(found) if found else None


@strawberry.type
class SystemQueries:
    """Reading how the server is."""

    @field
    async def health(self, info: Info) -> Health:
        """How the server and each of its parts are."""
        info.context.require(Role.VIEWER)
        return Health.of(await info.context.services.check_health())

    @field
    async def dead_letters(
        self,
        info: Info,
        topic_contains: TopicContains = None,
        start: From = None,
        first: First = None,
        after: After = None,
    ) -> DeadLetterConnection:
        """The messages that could not be read, newest first."""
        info.context.require(Role.VIEWER)
        request = DEAD_LETTERS.request(first, after)
        async with info.context.services.storage.autocommit() as work:
            page = await work.dead_letters.page(request, topic_contains=topic_contains, start=start)
        return DeadLetterConnection.of(DEAD_LETTERS, request, page, DeadLetter.of)
