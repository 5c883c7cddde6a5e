"""Every query and mutation, and the statements that it may cost; see test_query_counts."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import FieldNode, OperationDefinitionNode, parse

from domain.events import Event


@dataclass(frozen=True, slots=True)
class Operation:
    """A document, and the statements that it costs.

    Attributes:
        happening: What a subscription tells; None for queries and mutations.
    """

    document: str
    statements: int
    happening: Callable[[Any], Event] | None = None

    @property
    def name(self) -> str:
        """The root field that it asks for."""
        operation = parse(self.document).definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        (root,) = operation.selection_set.selections
        assert isinstance(root, FieldNode)
        return root.name.value


QUERIES = [
    Operation("{ me { username role } }", 1),
    Operation("{ health { status components { name status } } }", 1),
    Operation("query($esp: String!) { device(espId: $esp) { espId name } }", 1),
    Operation("query($esp: String!) { device(espId: $esp) { ...device } }", 5),
    Operation("query($command: ID!) { node(id: $command) { ...command } }", 4),
    Operation("{ devices(first: 100) { edges { node { espId name } } } }", 1),
    Operation("{ devices(first: 100) { totalCount edges { node { ...device } } } }", 7),
    Operation('{ devices(search: "esp") { totalCount edges { node { espId } } } }', 2),
    Operation(
        "query($esp: String!) "
        '{ sensor(espId: $esp, gpio: 0, sensorType: "ds18b20") { ...sensor } }',
        3,
    ),
    Operation("{ sensors(first: 100) { edges { node { name } } } }", 1),
    Operation("{ sensors(first: 100) { totalCount edges { node { ...sensor } } } }", 4),
    Operation(
        'query($esp: String!) { sensor(espId: $esp, gpio: 0, sensorType: "ds18b20") '
        '{ thresholds series(from: "2026-01-01T00:00:00Z") { points { mean } } } }',
        2,
    ),
    Operation(
        "query($calibration: ID!) { calibrationProcedure(id: $calibration) "
        "{ nextStep stable sensor { name } preview { residuals } } }",
        3,
    ),
    Operation("{ sensors(first: 100) { edges { node { calibration { method } } } } }", 3),
    Operation("{ readings(first: 1000) { edges { node { ...reading } } } }", 3),
    Operation("query($esp: String!) { readings(espId: $esp) { edges { node { value } } } }", 3),
    Operation(
        "query($esp: String!) { readings(espId: $esp, gpio: 0) { edges { node { value } } } }", 2
    ),
    Operation('{ readings(sensorType: "ds18b20") { edges { node { value } } } }', 3),
    Operation("query($esp: String!) { actuator(espId: $esp, gpio: 0) { ...actuator } }", 2),
    Operation("{ actuators(first: 100) { edges { node { name } } } }", 1),
    Operation("{ actuators(first: 100) { totalCount edges { node { ...actuator } } } }", 3),
    Operation("query($command: ID!) { command(id: $command) { ...command } }", 4),
    Operation("{ zones { name parent { name } } }", 2),
    Operation('{ devices(zoneId: "north") { totalCount edges { node { espId } } } }', 2),
    Operation(
        "{ devices { edges { node { zone { id } configSync { state } kaiser { id } } } } }", 4
    ),
    Operation("{ kaiserNodes { name status health } }", 1),
    Operation("{ deadLetters(first: 100) { edges { node { topic reason } } } }", 1),
    Operation("{ sensorLibraries { name state parameters { name } } }", 0),
    Operation("{ libraryInstallations { status } }", 1),
    Operation("{ libraryInstallations { ...libraryInstallation } }", 2),
    Operation("{ emergencyStops { reason } }", 1),
    Operation("{ emergencyStops(active: true) { ...emergencyStop } }", 3),
    Operation("{ systemEvents(first: 100) { edges { node { message } } } }", 1),
    Operation("{ systemEvents(severity: ERROR) { edges { node { ...systemEvent } } } }", 2),
]

NESTED = [
    Operation(
        "{ sensors(first: 50) { edges { node { readings { edges { node { id } } } } } } }", 1
    ),
    Operation(
        "{ actuators(first: 50) { edges { node { commands { edges { node { id } } } } } } }", 1
    ),
    Operation(
        "{ actuators(first: 50) { edges { node { runs { edges { node { onFor } } } } } } }", 1
    ),
    Operation(
        "{ actuators(first: 50) { edges { node { stateChanges { edges { node { at } } } } } } }", 1
    ),
    Operation(
        '{ actuators(first: 50) { edges { node { runtime(from: "2026-01-01T00:00:00Z") { onFor } } '
        "} } }",
        1,
    ),
    Operation(
        "{ devices(first: 50) { edges { node { healthHistory { edges { node { errorCount } } } } } "
        "} }",
        1,
    ),
]

SET = 'mutation($esp: String!) { setActuator(input: {espId: $esp, actuatorType: "valve", %s '
SEND = "mutation($esp: String!) { sendCommand(input: {espId: $esp, gpio: 0, %s "

UPDATE = "mutation($esp: String!) { updateDevice(input: {espId: $esp, %s "
SENSOR = (
    'mutation($esp: String!) { setSensor(input: {espId: $esp, gpio: 0, sensorType: "ds18b20", %s '
)
UNSET = "mutation($esp: String!) { %s(input: {espId: $esp, gpio: 0%s}) }"

DS18B20 = '{espId: $esp, gpio: 0, sensorType: "ds18b20"}'

CALIBRATIONS = [
    Operation(
        f"mutation($esp: String!) {{ startCalibration(sensor: {DS18B20}, "
        'method: "offset") { nextStep } }',
        2,
    ),
    Operation(
        f"mutation($esp: String!) {{ calibrateSensor(input: {{sensor: {DS18B20}, "
        'method: "offset", points: [{raw: 336, reference: 21.5}]}) { name } }',
        1,
    ),
    *(
        Operation(f"mutation($calibration: ID!) {{ {change} }}", statements)
        for change, statements in (
            ("addCalibrationPoint(id: $calibration, reference: 20) { points { raw } }", 3),
            ("finishCalibration(id: $calibration) { method }", 3),
            ("cancelCalibration(id: $calibration) { state }", 2),
        )
    ),
]

EMERGENCIES = [
    Operation(
        'mutation($esp: String!) { emergencyStop(input: {espId: $esp, gpio: 1, reason: "fire"}) '
        "{ ...emergencyStop } }",
        3,
    ),
    Operation("mutation($stop: ID!) { clearEmergency(id: $stop) { active } }", 2),
]

MUTATIONS = [
    Operation('mutation { login(username: "anna", password: "secret") { accessToken } }', 1),
    Operation(
        "mutation($token: String!) { refreshToken(refreshToken: $token) { accessToken } }", 1
    ),
    Operation("mutation($esp: String!) { approveDevice(espId: $esp) { name } }", 1),
    Operation("mutation($esp: String!) { approveDevice(espId: $esp) { ...device } }", 6),
    Operation(SET % "gpio: 0}) { name } }", 6),
    Operation(SET % "gpio: 99}) { ...actuator } }", 11),
    Operation(SEND % "action: ON}) { status } }", 3),
    Operation(SEND % "action: ON}) { ...command } }", 6),
    Operation(SEND % "action: PWM, value: 0.5}) { reason } }", 1),
    Operation('mutation { setZone(input: {zoneId: "north", parentZoneId: "plant"}) { name } }', 2),
    Operation(UPDATE % 'zoneId: "south", subzoneId: "bench"}) { name } }', 9),
    Operation(SENSOR % 'name: "Tank"}) { name } }', 7),
    Operation(UNSET % ("removeSensor", ', sensorType: "ds18b20"'), 6),
    # What is on cannot be removed.
    Operation(SEND % "action: OFF}) { status } }", 3),
    Operation(UNSET % ("removeActuator", ""), 6),
    *(
        Operation(f"mutation($esp: String!) {{ {order} }}", 1)
        for order in (
            "restartDevice(espId: $esp) { message }",
            "factoryResetDevice(espId: $esp, confirm: true) { message }",
            "setSafeMode(espId: $esp, active: true) { message }",
            "requestDiagnostics(espId: $esp) { details }",
            "scanOneWire(espId: $esp) { devices { romCode } event { message } }",
            'measureSensor(input: {espId: $esp, gpio: 1, sensorType: "ds18b20"}) { rawValue }',
        )
    ),
    Operation('mutation { setKaiserName(kaiserId: "ESP_000000", name: "Barn") { name } }', 2),
    Operation("mutation { reloadSensorLibraries { name state } }", 0),
    Operation('mutation { installLibrary(libraryName: "ph") { status } }', 6),
    Operation('mutation { installLibrary(libraryName: "ph") { ...libraryInstallation } }', 3),
    Operation(
        'mutation { processReading(input: {sensorType: "ds18b20", rawValue: 336}) { value } }', 0
    ),
    Operation("mutation($esp: String!) { removeDevice(espId: $esp) }", 1),
]
