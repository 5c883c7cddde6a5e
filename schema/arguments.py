"""Arguments that several fields take, described once."""

from datetime import datetime
from typing import Annotated, TypeAlias

import strawberry

from domain.pages import DEFAULT_SIZE, LARGEST_SIZE

EspId: TypeAlias = Annotated[
    str,
    strawberry.argument(description="The device's name as in its topics, such as `ESP_12AB34CD`."),
]
OnlyEspId: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Only of this device, by its `espId`.")
]
Gpio: TypeAlias = Annotated[
    int, strawberry.argument(description="The pin, 0 to 255; sensors on a bus report 0.")
]
OnlyGpio: TypeAlias = Annotated[
    int | None, strawberry.argument(description="Only of this pin; needs `espId`.")
]
SensorType: TypeAlias = Annotated[
    str,
    strawberry.argument(
        description="The kind of sensor, such as `ds18b20` or `sht31_temp`; in any spelling that "
        "devices use."
    ),
]
OnlySensorType: TypeAlias = Annotated[
    str | None, strawberry.argument(description="Only sensors of this kind, such as `ds18b20`.")
]
First: TypeAlias = Annotated[
    int | None,
    strawberry.argument(
        description=f"How many entries at most, 1 to {LARGEST_SIZE}; {DEFAULT_SIZE} if left out."
    ),
]
After: TypeAlias = Annotated[
    str | None,
    strawberry.argument(description="The cursor behind which to start; the beginning if left out."),
]
From: TypeAlias = Annotated[
    datetime | None,
    strawberry.argument(name="from", description="Only what happened then or later."),
]
To: TypeAlias = Annotated[
    datetime | None, strawberry.argument(name="to", description="Only what happened before.")
]
