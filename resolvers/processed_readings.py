"""Root fields about conversions on demand."""

from typing import Annotated

import strawberry

from domain.users import Role
from schema.context import Info
from schema.fields import mutation
from schema.processed_readings import ProcessedReading, ProcessReadingInput

Raw = Annotated[
    ProcessReadingInput,
    strawberry.argument(name="input", description="What is to be converted, and how."),
]


@strawberry.type
class ProcessedReadingMutations:
    """Converting without storing."""

    @mutation
    async def process_reading(self, info: Info, raw: Raw) -> ProcessedReading:
        """Convert a raw value as if a device had sent it; nothing is stored. Role: VIEWER."""
        info.context.require(Role.VIEWER)
        return ProcessedReading.of(await info.context.services.process(raw.request))
