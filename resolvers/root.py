"""Query, Mutation and Subscription: every noun's fields side by side."""

import strawberry

from resolvers.actuators import ActuatorMutations, ActuatorQueries, ActuatorSubscriptions
from resolvers.calibrations import CalibrationMutations, CalibrationQueries
from resolvers.devices import DeviceMutations, DeviceQueries, DeviceSubscriptions
from resolvers.emergency_stops import EmergencyStopMutations, EmergencyStopQueries
from resolvers.library_installations import (
    LibraryInstallationMutations,
    LibraryInstallationQueries,
)
from resolvers.nodes import NodeQueries
from resolvers.orders import OrderMutations
from resolvers.processed_readings import ProcessedReadingMutations
from resolvers.reasons import ReasonQueries
from resolvers.recomputations import RecomputationMutations, RecomputationQueries
from resolvers.rehearsals import RehearsalMutations, RehearsalQueries
from resolvers.relays import RelayMutations, RelayQueries
from resolvers.rules import RuleMutations, RuleQueries, RuleSubscriptions
from resolvers.sensor_libraries import SensorLibraryMutations, SensorLibraryQueries
from resolvers.sensors import SensorMutations, SensorQueries, SensorSubscriptions
from resolvers.system import SystemQueries
from resolvers.system_events import SystemEventQueries, SystemEventSubscriptions
from resolvers.users import UserMutations, UserQueries
from resolvers.zones import ZoneMutations, ZoneQueries


@strawberry.type(description="Everything that can be read.")
class Query(
    NodeQueries,
    UserQueries,
    SystemQueries,
    SystemEventQueries,
    DeviceQueries,
    ZoneQueries,
    RelayQueries,
    SensorQueries,
    CalibrationQueries,
    RecomputationQueries,
    ActuatorQueries,
    RuleQueries,
    RehearsalQueries,
    ReasonQueries,
    EmergencyStopQueries,
    SensorLibraryQueries,
    LibraryInstallationQueries,
):
    """The root of queries."""


@strawberry.type(description="Everything that can be changed.")
class Mutation(
    UserMutations,
    DeviceMutations,
    OrderMutations,
    ZoneMutations,
    RelayMutations,
    SensorMutations,
    CalibrationMutations,
    RecomputationMutations,
    ProcessedReadingMutations,
    ActuatorMutations,
    RuleMutations,
    RehearsalMutations,
    EmergencyStopMutations,
    SensorLibraryMutations,
    LibraryInstallationMutations,
):
    """The root of mutations."""


@strawberry.type(description="Everything that can be watched, over a WebSocket.")
class Subscription(
    DeviceSubscriptions,
    SensorSubscriptions,
    ActuatorSubscriptions,
    RuleSubscriptions,
    SystemEventSubscriptions,
):
    """The root of subscriptions."""
