"""Calibrations in GraphQL: what holds, what held before, and the way through a guided one."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry
from strawberry.scalars import JSON

from domain import calibration_steps, calibrations
from domain.errors import BadInputError, NotFoundError
from schema.context import Info
from schema.fields import field
from schema.ids import global_id
from schema.nodes import Node
from schema.pages import Connection, Cursors
from schema.sensors import SensorRefInput
from schema.users import User

if TYPE_CHECKING:
    from schema.sensors import Sensor

CALIBRATIONS = Cursors("calibrations")

METHODS = ", ".join(f"`{method.value}`" for method in calibrations.CalibrationMethod)

strawberry.enum(
    calibrations.ProcedureState,
    name="CalibrationState",
    description="OPEN: points can be taken. FINISHED: it is in force. CANCELLED: nothing changed.",
)


@strawberry.type(description="One known thing that was measured.")
class CalibrationPoint:
    """A point."""

    raw: float = strawberry.field(description="What the sensor said, in its own steps.")
    reference: float = strawberry.field(description="What it was, in the unit of the sensor.")
    temperature: float | None = strawberry.field(
        description="Of the thing measured, in °C; null: 25."
    )

    @classmethod
    def of(cls, point: calibrations.CalibrationPoint) -> Self:
        """Show a point to clients."""
        return cls(raw=point.raw, reference=point.reference, temperature=point.temperature)


@strawberry.type(description="Something that a calibration betrays of its probe.")
class CalibrationFinding:
    """A finding."""

    code: str = strawberry.field(
        description="For programs: `slope_low`, `slope_high`, `zero_off` or `clipped`."
    )
    message: str = strawberry.field(description="What it means, and what to do.")


@strawberry.type(description="What the points of a calibration tell.")
class CalibrationFit:
    """A fit."""

    parameters: JSON = strawberry.field(
        description="What the library of the sensor takes from it, by name."
    )
    residuals: list[float] = strawberry.field(
        description="For each point what is read with it, minus its reference, in the unit of the "
        "sensor."
    )
    slope_percent: float | None = strawberry.field(
        description="The slope of the probe in percent of an ideal one's: 95 to 105 is new, below "
        "85 is worn; null: this kind has none."
    )
    zero_error: float | None = strawberry.field(
        description="How far the zero of the probe is off, in the unit of the sensor; null: this "
        "kind has none."
    )
    findings: list[CalibrationFinding] = strawberry.field(
        description="What gives cause for concern; empty: all is well."
    )

    @classmethod
    def of(cls, fit: calibrations.Fit) -> Self:
        """Show a fit to clients."""
        return cls(
            parameters=JSON(dict(fit.parameters)),
            residuals=list(fit.residuals),
            slope_percent=fit.slope_percent,
            zero_error=fit.zero_error,
            findings=[CalibrationFinding(code=c, message=m) for c, m in fit.findings],
        )


@strawberry.type(description="A calibration of a sensor; it never changes, the next one follows.")
class Calibration(Node):
    """A calibration with who and when."""

    method: str = strawberry.field(description=f"How parameters were found: one of {METHODS}.")
    library: str = strawberry.field(description="The library whose parameters were found.")
    points: JSON = strawberry.field(
        description="What was measured: a list of objects with `raw`, `reference` in the unit of "
        "the sensor, and `temperature` in °C (null: 25)."
    )
    parameters: JSON = strawberry.field(
        description="What the library of the sensor takes from it, by name."
    )
    fit: CalibrationFit = strawberry.field(description="How well the points fit, and the probe.")
    calibrated_at: datetime = strawberry.field(description="When it came into force.")
    expires_at: datetime | None = strawberry.field(
        description="When it should be repeated; null: nobody said."
    )
    calibrated_by_id: strawberry.Private[UUID | None]

    @classmethod
    def of(cls, calibration: calibrations.Calibration) -> Self:
        """Show a calibration to clients."""
        fit = CalibrationFit.of(calibration.fit)
        return cls(
            id=global_id("Calibration", calibration.id),
            method=calibration.method.value,
            library=calibration.library,
            points=JSON([point._asdict() for point in calibration.points]),
            parameters=fit.parameters,
            fit=fit,
            calibrated_at=calibration.calibrated_at,
            expires_at=calibration.expires_at,
            calibrated_by_id=calibration.calibrated_by,
        )

    @field
    async def calibrated_by(self, info: Info) -> User | None:
        """Who made it; null: the account is gone."""
        if self.calibrated_by_id is None:
            return None
        user = await info.context.loaders.users.load(self.calibrated_by_id)
        return User.of(user) if user else None

    @field
    def expired(self, info: Info) -> bool:
        """Whether it should have been repeated by now."""
        now = info.context.services.clock.now()
        return self.expires_at is not None and self.expires_at <= now


@strawberry.type(description="A page of calibrations, newest first.")
class CalibrationConnection(Connection[Calibration]):
    """Calibrations, page by page."""


@strawberry.type(description="A calibration that a person is led through, point by point.")
class CalibrationProcedure(Node):
    """A guided calibration."""

    method: str = strawberry.field(description=f"How parameters are found: one of {METHODS}.")
    state: calibrations.ProcedureState = strawberry.field(description="How far it has come.")
    points: list[CalibrationPoint] = strawberry.field(description="What was taken, in order.")
    started_at: datetime = strawberry.field(description="When it was begun.")
    procedure: strawberry.Private[calibrations.CalibrationProcedure]

    @classmethod
    def of(cls, procedure: calibrations.CalibrationProcedure) -> Self:
        """Show a procedure to clients."""
        return cls(
            id=global_id("CalibrationProcedure", procedure.id),
            method=procedure.method.value,
            state=procedure.state,
            points=[CalibrationPoint.of(point) for point in procedure.points],
            started_at=procedure.started_at,
            procedure=procedure,
        )

    @field
    def sensor(self, info: Info) -> Annotated["Sensor", strawberry.lazy("schema.sensors")]:
        """The sensor that is calibrated."""
        from schema.sensors import Sensor  # noqa: PLC0415 - sensors show calibrations

        sensor = info.context.services.registry.sensor_by_id(self.procedure.sensor_id)
        if sensor is None:
            raise NotFoundError("the sensor was removed")
        return Sensor.of(sensor)

    @field
    def stable(self, info: Info) -> bool:
        """Whether the live value stands still, so that a point can be taken."""
        seen = info.context.services.calibrate.stability(self.procedure.sensor_id)
        return seen is not None and seen.raw is not None

    @field
    async def started_by(self, info: Info) -> User | None:
        """Who began it; null: the account is gone."""
        if self.procedure.started_by is None:
            return None
        user = await info.context.loaders.users.load(self.procedure.started_by)
        return User.of(user) if user else None

    @field
    async def next_step(self, info: Info) -> str:
        """What to do now, for the person at the probe."""
        service, complaint = info.context.services.calibrate, None
        if calibration_steps.suffices(self.procedure):
            found = await self._previewed(info)
            complaint = found if isinstance(found, str) else None
        seen = service.stability(self.procedure.sensor_id)
        waiting = "no live value came yet" if seen is None else seen.reason
        return calibration_steps.next_step(self.procedure, waiting=waiting, complaint=complaint)

    @field
    async def preview(self, info: Info) -> CalibrationFit | None:
        """What the points tell so far, without any effect; null: nothing yet, see nextStep."""
        found = await self._previewed(info)
        return CalibrationFit.of(found) if isinstance(found, calibrations.Fit) else None

    async def _previewed(self, info: Info) -> calibrations.Fit | str | None:
        """Return what the points tell, or why they tell nothing; None: it has ended."""
        if self.state is not calibrations.ProcedureState.OPEN:
            return None
        try:
            return await info.context.services.calibrate.preview(self.procedure.id)
        except BadInputError as error:
            return str(error)


@strawberry.input(description="One known thing that was measured.")
class CalibrationPointInput:
    """A point as clients write it."""

    raw: float = strawberry.field(description="What the sensor said, in its own steps.")
    reference: float = strawberry.field(description="What it was, in the unit of the sensor.")
    temperature: float | None = strawberry.field(
        default=None, description="Of the thing measured, in °C; 25 if left out."
    )

    @property
    def point(self) -> calibrations.CalibrationPoint:
        """The point as the domain says it."""
        return calibrations.CalibrationPoint(self.raw, self.reference, self.temperature)


@strawberry.input(description="A calibration whose points somebody has noted.")
class CalibrateSensorInput:
    """A whole calibration as clients write it."""

    sensor: SensorRefInput = strawberry.field(description="Which sensor.")
    method: str = strawberry.field(description=f"One of {METHODS}.")
    points: list[CalibrationPointInput] = strawberry.field(
        description="What was measured, 1 to 10 points."
    )
    expires_at: datetime | None = strawberry.field(
        default=None, description="When it should be repeated; then a system event says so."
    )


def read_method(text: str) -> calibrations.CalibrationMethod:
    """Return the method that a client named.

    Raises:
        BadInputError: There is none of this name; says which there are.
    """
    try:
        return calibrations.CalibrationMethod(text.strip().lower())
    except ValueError:
        raise BadInputError(f"no calibration method {text[:40]!r}; there are {METHODS}") from None
