"""What can be promised of an actuator, and what cannot, by the firmware of its device.

Pure. Facts: device protocol, sections 1.7, 3.3 and 3.5.
"""

from collections.abc import Iterator, Mapping

from domain.actuators import ActuatorMode


def guarantees(mode: ActuatorMode, able: Mapping[str, bool | list[str] | None]) -> Iterator[str]:
    """Return sentences, the most important first.

    Args:
        mode: What values the actuator takes.
        able: What the firmware can do, by the names of `Device.capabilities`; None for each while
            nobody knows.
    """
    yield (
        "It is never on without an end: the server stores until when before it switches it on, and "
        "switches it off then, again and again until the device confirms it."
    )
    yield _without_the_server(mode, able.get("honoursDuration"))
    if able.get("survivesReconnect") is False:
        yield (
            "After it lost the broker once, its firmware hears no command, OFF neither, until it "
            "is switched off and on."
        )
    if able.get("clearsEmergency") is False:
        yield "An emergency stop of it ends only when it is switched off and on."
    yield (
        "An emergency stop in software complements a wired one, and does not replace it: where "
        "running on does harm, put a switch or a timer into its power line."
    )


def _without_the_server(mode: ActuatorMode, honours: object) -> str:
    if honours is None:
        return (
            "Whether it switches off by itself while server or broker are away is not known: its "
            "firmware has not shown itself yet. Count on it running on until they are back."
        )
    if honours and mode is ActuatorMode.DIGITAL:
        return "While server or broker are away, it switches off by itself at the end of its lease."
    if honours:
        return (
            "While server or broker are away, it switches off by itself at the end of its lease if "
            "it was switched ON; with a part of full power (PWM) it runs on until they are back."
        )
    return (
        "While server or broker are away, it runs on: its firmware does not count the time. It is "
        "switched off as soon as they are back."
    )
