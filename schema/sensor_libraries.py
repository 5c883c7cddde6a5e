"""Sensor libraries in GraphQL."""

from datetime import datetime
from typing import Self

import strawberry

from domain import sensor_libraries
from domain.parameters import Parameter


@strawberry.type(description="A number that a library's conversion depends on.")
class LibraryParameter:
    """What an owner can set, a calibration find, or another sensor fill."""

    name: str = strawberry.field(description="As it is named in `parameters` of a sensor.")
    default: float | None = strawberry.field(
        description="What holds until somebody sets it; null: without it there is no value."
    )
    low: float = strawberry.field(description="The smallest that makes sense.")
    high: float = strawberry.field(description="The largest that makes sense.")
    unit: str = strawberry.field(description="Of the number; empty where it has none.")
    description: str = strawberry.field(description="What it is.")

    @classmethod
    def of(cls, parameter: Parameter) -> Self:
        """Show a parameter to clients."""
        return cls(**parameter._asdict())


@strawberry.type(description="What turns raw values of some sensor types into measurements.")
class SensorLibrary:
    """A library, or a file that never offered one."""

    name: str = strawberry.field(
        description="The library's name; where the file offers none, that of the file."
    )
    version: str = strawberry.field(description="The version in use; empty where none is.")
    sensor_types: list[str] = strawberry.field(description="The sensor types that it reads.")
    aliases: list[str] = strawberry.field(description="Other names under which devices send them.")
    state: str = strawberry.field(
        description="`READY`: it converts. `FAILING`: it failed three times in a row, or three "
        "times in a minute while others waited, and is not asked any more until its file changes "
        "or libraries are reloaded; raw values pass through, and say so. `BROKEN`: the file cannot "
        "be used as it is now; the last version that could goes on."
    )
    error: str | None = strawberry.field(description="Why it is not `READY`.")
    loaded_at: datetime | None = strawberry.field(
        description="Since when this version is in use; null: none is."
    )
    path: str = strawberry.field(
        description="The file: as the setting names it, or below the server's own directory."
    )
    built_in: bool = strawberry.field(
        description="Whether it came with the server; others run in processes of their own."
    )
    unit: str | None = strawberry.field(description="Of its values.")
    source: str | None = strawberry.field(description="Where its formula is from.")
    parameters: list[LibraryParameter] = strawberry.field(
        description="What its conversion depends on besides the raw value."
    )
    calibration_methods: list[str] = strawberry.field(
        description="The methods by which its sensors can be calibrated."
    )
    calls: float = strawberry.field(description="Conversions of this version so far.")
    failures: float = strawberry.field(description="How many of them came to nothing.")
    p99_ms: float | None = strawberry.field(
        description="Milliseconds within which 99 of 100 conversions end; one of 64 is timed. "
        "Null: none was yet."
    )

    @classmethod
    def of(cls, library: sensor_libraries.SensorLibrary) -> Self:
        """Show a library to clients."""
        return cls(
            name=library.name,
            version=library.version,
            sensor_types=list(library.sensor_types),
            aliases=list(library.aliases),
            state=library.state.value,
            error=library.error,
            loaded_at=library.loaded_at,
            path=library.path,
            built_in=library.is_built_in,
            unit=library.unit,
            source=library.source,
            parameters=[LibraryParameter.of(parameter) for parameter in library.parameters],
            calibration_methods=[method.value for method in library.calibrations],
            calls=library.calls,
            failures=library.failures,
            p99_ms=None if library.p99 is None else round(library.p99 * 1000.0, 4),
        )
