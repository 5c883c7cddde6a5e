"""Why a device refused a part of its configuration, and what a grower can do about it.

The codes are those of its answers (device protocol, section 5.2). Codes that mean "later" are not
among them: those are tried again, and nobody has to know.
"""

from collections.abc import Mapping

_ADVICE = {
    "GPIO_CONFLICT": "the pin is reserved or in use; choose another one",
    "OUT_OF_RANGE": "the pin or a value is beyond what this board has; choose another one",
    "TYPE_MISMATCH": "the device expects another kind of value there; its firmware may be too old",
    "MISSING_FIELD": "the device misses a setting; its firmware may be of another age",
    "VALIDATION_FAILED": "the device cannot work with these settings; check pin, type and name",
    "PAYLOAD_TOO_LARGE": "it is more than the device can read at once; give it fewer pins",
    "NVS_WRITE_FAILED": "its memory cannot be written; restart it, and replace it if that fails",
    "COMMIT_FAILED": "its memory cannot be written; restart it, and replace it if that fails",
    "PERSISTENCE_DRIFT": "its memory did not keep it; restart it, and replace it if that fails",
}


def explained(items: Mapping[str, str]) -> str:
    """Return what was refused, and why, for people.

    Args:
        items: What was refused, such as `actuator on GPIO 12`, each with the device's reason.

    Returns:
        The items in order, each with advice where the reason holds a known code, else with the
        reason itself: `actuator on GPIO 12 (the pin is reserved or in use; choose another one)`.
    """
    return ", ".join(f"{item} ({_advice(reason)})" for item, reason in items.items())


def _advice(reason: str) -> str:
    known = (advice for code, advice in _ADVICE.items() if code in reason.upper())
    return next(known, reason)
