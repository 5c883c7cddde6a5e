"""What can be promised of an actuator, and what cannot, by the firmware of its device.

Pure. Facts: device protocol, sections 1.7, 1.9, 3.1, 3.3 and 3.5.
"""

from collections.abc import Iterator, Mapping

from domain.actuators import ActuatorMode
from domain.safeguards import OnServerLoss


def guarantees(
    mode: ActuatorMode,
    able: Mapping[str, bool | list[str] | None],
    on_server_loss: OnServerLoss = OnServerLoss.HOLD_LEASE,
) -> Iterator[str]:
    """Return sentences, the most important first.

    Args:
        mode: What values the actuator takes.
        able: What the firmware can do, by the names of `Device.capabilities`; None for each while
            nobody knows.
        on_server_loss: What people want of it where server or broker are gone.
    """
    yield (
        "It is never on without an end: the server stores until when before it switches it on, and "
        "switches it off then, again and again until the device confirms it."
    )
    if on_server_loss is OnServerLoss.HOLD_LEASE:
        yield _without_the_server(mode, able.get("honoursDuration"))
        if able.get("stopsAlone"):
            yield (
                "Its lease cannot be held longer than two minutes without them: then its firmware "
                "switches everything off."
            )
    else:
        yield _off_without_the_server(able.get("stopsAlone"))
    yield "Rules are carried out by the server alone: while it is away, none switches it on or off."
    if able.get("stopsAlone"):
        # `offline_rules` (section 1.9) has no documented fields: none can be sent, nor taken back.
        yield (
            "Its firmware can keep offline rules. It gets none from this server, which cannot see "
            "or erase them either: if it has any from elsewhere, they switch it while the server "
            "is gone, instead of everything going off."
        )
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


def _off_without_the_server(alone: object) -> str:
    if alone:
        return (
            "When server or broker are gone for two minutes, its firmware switches it off by "
            "itself; where it did not, the server does as soon as it is back."
        )
    why = "is not known to do" if alone is None else "does not do"
    return (
        f"It is to go off without server and broker, which its firmware {why} by itself: it runs "
        "on, and is switched off as soon as they are back."
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
