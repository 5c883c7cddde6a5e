"""Waiting for what happens soon, instead of sleeping for as long as it might take."""

import asyncio
from collections.abc import Awaitable, Callable

_FIRST_PAUSE = 0.01
_LONGEST_PAUSE = 0.1
_PART = 0.1
"""Of the time waited so far: who looks less often leaves the machine to what is waited for."""


async def eventually(
    condition: Callable[[], bool | Awaitable[bool]],
    *,
    within: float = 10.0,
    what: str | Callable[[], str] = "",
) -> None:
    """Wait until a condition holds; fail after `within` seconds, naming `what` did not happen.

    What is only known by then, such as what there was instead, is said by a function.
    """
    now = asyncio.get_running_loop().time
    begun = now()
    try:
        async with asyncio.timeout(within):
            while True:
                answer = condition()
                if answer if isinstance(answer, bool) else await answer:
                    return
                pause = (now() - begun) * _PART
                await asyncio.sleep(min(max(pause, _FIRST_PAUSE), _LONGEST_PAUSE))
    except TimeoutError:
        missed = what() if callable(what) else what
        raise AssertionError(f"not within {within} s: {missed or condition}") from None
