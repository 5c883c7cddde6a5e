"""Root fields about calibrations."""

from datetime import datetime, timedelta
from typing import Annotated
from uuid import UUID

import strawberry

from domain.errors import BadInputError, NotFoundError
from domain.services.calibrate import LONGEST_PATIENCE
from domain.users import Role
from schema.calibrations import (
    METHODS,
    CalibrateSensorInput,
    Calibration,
    CalibrationProcedure,
    read_method,
)
from schema.context import Context, Info
from schema.fields import field, mutation
from schema.ids import key_of
from schema.sensors import Sensor, SensorRefInput

ShownId = Annotated[
    strawberry.ID | None,
    strawberry.argument(name="id", description="The `id` that startCalibration returned."),
]
ShownRef = Annotated[
    SensorRefInput | None,
    strawberry.argument(
        name="sensor", description="Instead of an `id`: the sensor, for the one that is open."
    ),
]
ProcedureId = Annotated[
    strawberry.ID,
    strawberry.argument(name="id", description="The `id` that startCalibration returned."),
]
Ref = Annotated[SensorRefInput, strawberry.argument(name="sensor", description="Which sensor.")]
Method = Annotated[str, strawberry.argument(description=f"One of {METHODS}.")]
Reference = Annotated[
    float, strawberry.argument(description="What is measured now, in the unit of the sensor.")
]
Temperature = Annotated[
    float | None,
    strawberry.argument(description="Of the liquid, in °C; 25 if left out."),
]
Wait = Annotated[
    timedelta | None,
    strawberry.argument(
        description="How long to wait for the value to stand still, at most `PT5M`; if left out "
        "`PT1M`."
    ),
]
ExpiresAt = Annotated[
    datetime | None,
    strawberry.argument(description="When it should be repeated; then a system event says so."),
]
Whole = Annotated[
    CalibrateSensorInput,
    strawberry.argument(name="input", description="Which sensor, how, and what was measured."),
]

_PATIENCE = timedelta(minutes=1)


def _uuid(text: str) -> UUID:
    """Return the id of a procedure.

    Raises:
        BadInputError: It is the id of something else.
    """
    try:
        (part,) = key_of("CalibrationProcedure", text)
        return UUID(part)
    except ValueError:
        raise BadInputError("this is not the id of a calibration that is under way") from None


async def find_calibration(context: Context, calibration_id: UUID) -> Calibration | None:
    """Return a calibration by its id."""
    async with context.services.storage.autocommit() as work:
        found = await work.calibrations.by_id(calibration_id)
    return Calibration.of(found) if found else None


async def find_procedure(context: Context, procedure_id: UUID) -> CalibrationProcedure | None:
    """Return a guided calibration by its id, ended or not."""
    async with context.services.storage.autocommit() as work:
        found = await work.calibration_procedures.by_id(procedure_id)
    return CalibrationProcedure.of(found) if found else None


@strawberry.type
class CalibrationQueries:
    """Reading how far a calibration is."""

    @field
    async def calibration_procedure(
        self, info: Info, procedure: ShownId = None, sensor: ShownRef = None
    ) -> CalibrationProcedure | None:
        """A guided calibration: its points, and what to do next; null: there is none."""
        info.context.require(Role.VIEWER)
        if procedure is not None and sensor is None:
            return await find_procedure(info.context, _uuid(procedure))
        if sensor is None or procedure is not None:
            raise BadInputError("give either the id of a calibration, or its sensor")
        found = await info.context.services.calibrate.open_of(sensor.key)
        return CalibrationProcedure.of(found) if found else None


@strawberry.type
class CalibrationMutations:
    """Calibrating sensors."""

    @mutation
    async def calibrate_sensor(self, info: Info, whole: Whole) -> Sensor:
        """Calibrate a sensor with points that somebody noted. Role: OPERATOR."""
        identity = info.context.require(Role.OPERATOR)
        services = info.context.services
        key = whole.sensor.key
        await services.calibrate(
            key,
            read_method(whole.method),
            [point.point for point in whole.points],
            user_id=identity.user_id,
            expires_at=whole.expires_at,
        )
        sensor = services.registry.sensor(key)
        if sensor is None:
            raise NotFoundError("the sensor was removed meanwhile")
        return Sensor.of(sensor)

    @mutation
    async def start_calibration(
        self, info: Info, sensor: Ref, method: Method
    ) -> CalibrationProcedure:
        """Begin a guided calibration; then put the probe in the first liquid. Role: OPERATOR."""
        identity = info.context.require(Role.OPERATOR)
        return CalibrationProcedure.of(
            await info.context.services.calibrate.start(
                sensor.key, read_method(method), user_id=identity.user_id
            )
        )

    @mutation
    async def add_calibration_point(
        self,
        info: Info,
        procedure: ProcedureId,
        reference: Reference,
        temperature: Temperature = None,
        wait: Wait = None,
    ) -> CalibrationProcedure:
        """Take the live value as a point; returns once it stands still. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        patience = _PATIENCE if wait is None else wait
        info.context.allow(min(patience, LONGEST_PATIENCE))
        return CalibrationProcedure.of(
            await info.context.services.calibrate.add_point(
                _uuid(procedure), reference, temperature=temperature, patience=patience
            )
        )

    @mutation
    async def finish_calibration(
        self, info: Info, procedure: ProcedureId, expires_at: ExpiresAt = None
    ) -> Calibration:
        """Calibrate the sensor with the points that were taken. Role: OPERATOR."""
        identity = info.context.require(Role.OPERATOR)
        return Calibration.of(
            await info.context.services.calibrate.finish(
                _uuid(procedure), user_id=identity.user_id, expires_at=expires_at
            )
        )

    @mutation
    async def cancel_calibration(self, info: Info, procedure: ProcedureId) -> CalibrationProcedure:
        """End a guided calibration; the sensor stays as it was. Role: OPERATOR."""
        info.context.require(Role.OPERATOR)
        return CalibrationProcedure.of(
            await info.context.services.calibrate.cancel(_uuid(procedure))
        )
