"""What the protocol says that the domain has no word for, one module per noun.

Readings, heartbeats, last wills, actuator reports and responses, configurations, zones and
libraries are the domain's own types.
"""

from typing import TypeAlias

from domain.actuators import ActuatorReport, CommandResponse
from domain.configs import ConfigAnswer, ConfigPart, DeviceConfig, PinConfig
from domain.devices import Heartbeat, LastWill
from domain.intents import Outcome
from domain.library_messages import (
    ChunkAck,
    ChunkRequest,
    DownloadAbort,
    DownloadComplete,
    DownloadReady,
    DownloadStart,
    DownloadStatus,
    LibraryChunk,
    LibraryError,
    LibraryInstalled,
    LibraryReady,
    LibraryRequest,
)
from domain.zones import (
    SubzoneAssignment,
    SubzoneRemoval,
    SubzoneSafety,
    ZoneAnswer,
    ZoneAssignment,
)
from mqtt_bridge.messages.actuators import ActuatorAlert, ActuatorCommand
from mqtt_bridge.messages.base import Details, Empty, FromDevice, Outgoing, ToDevice
from mqtt_bridge.messages.broadcasts import IpChange, ServerStatus, SystemUpdate
from mqtt_bridge.messages.devices import (
    AckStatus,
    AuthStatus,
    AuthUpdate,
    DeviceError,
    Diagnostics,
    Discovery,
    HeartbeatAck,
    HeartbeatMetrics,
    QueuePressure,
    SafeMode,
    SessionAnnounce,
    SystemAction,
    SystemCommand,
    SystemResponse,
    TrialCommand,
    TrialResponse,
)
from mqtt_bridge.messages.emergencies import (
    EmergencyAck,
    EmergencyAction,
    EmergencyBroadcast,
    EmergencyError,
    EmergencyOrder,
    EmergencyResponse,
    RecoveryConfirm,
)
from mqtt_bridge.messages.intents import IntentLifecycle, IntentOutcome
from mqtt_bridge.messages.relays import RelayHeartbeat
from mqtt_bridge.messages.sensors import (
    MeasureCommand,
    MeasureResponse,
    OneWireDevice,
    OneWireScan,
    ProcessingRequest,
    ProcessingResponse,
    SensorData,
)

Inbound: TypeAlias = (
    SensorData
    | Heartbeat
    | SessionAnnounce
    | LastWill
    | ActuatorReport
    | CommandResponse
    | ActuatorAlert
    | Empty
    | ProcessingRequest
    | MeasureResponse
    | OneWireScan
    | HeartbeatMetrics
    | SafeMode
    | Diagnostics
    | DeviceError
    | SystemResponse
    | QueuePressure
    | AuthStatus
    | Discovery
    | TrialResponse
    | EmergencyAck
    | RecoveryConfirm
    | EmergencyResponse
    | EmergencyError
    | IntentOutcome
    | IntentLifecycle
    | RelayHeartbeat
    | LibraryReady
    | LibraryRequest
    | DownloadReady
    | ChunkAck
    | ChunkRequest
    | DownloadStatus
    | LibraryInstalled
    | LibraryError
    | DownloadAbort
    | ConfigAnswer
    | ZoneAnswer
)
"""What devices say."""

Outbound: TypeAlias = (
    HeartbeatAck
    | ActuatorCommand
    | ServerStatus
    | SystemCommand
    | EmergencyOrder
    | EmergencyBroadcast
    | SystemUpdate
    | IpChange
    | MeasureCommand
    | ProcessingResponse
    | AuthUpdate
    | TrialCommand
    | DownloadStart
    | LibraryChunk
    | DownloadComplete
    | DeviceConfig
    | ConfigPart
    | PinConfig
    | ZoneAssignment
    | SubzoneAssignment
    | SubzoneRemoval
    | SubzoneSafety
)
"""What the server says."""

__all__ = [
    "AckStatus",
    "ActuatorAlert",
    "ActuatorCommand",
    "AuthStatus",
    "AuthUpdate",
    "ChunkAck",
    "ChunkRequest",
    "Details",
    "DeviceError",
    "Diagnostics",
    "Discovery",
    "DownloadAbort",
    "DownloadComplete",
    "DownloadReady",
    "DownloadStart",
    "DownloadStatus",
    "EmergencyAck",
    "EmergencyAction",
    "EmergencyBroadcast",
    "EmergencyError",
    "EmergencyOrder",
    "EmergencyResponse",
    "Empty",
    "FromDevice",
    "HeartbeatAck",
    "HeartbeatMetrics",
    "Inbound",
    "IntentLifecycle",
    "IntentOutcome",
    "IpChange",
    "LibraryChunk",
    "LibraryError",
    "LibraryInstalled",
    "LibraryReady",
    "LibraryRequest",
    "MeasureCommand",
    "MeasureResponse",
    "OneWireDevice",
    "OneWireScan",
    "Outbound",
    "Outcome",
    "Outgoing",
    "ProcessingRequest",
    "ProcessingResponse",
    "QueuePressure",
    "RecoveryConfirm",
    "RelayHeartbeat",
    "SafeMode",
    "SensorData",
    "ServerStatus",
    "SessionAnnounce",
    "SystemAction",
    "SystemCommand",
    "SystemResponse",
    "SystemUpdate",
    "ToDevice",
    "TrialCommand",
    "TrialResponse",
]
