"""Waiting for what is to happen, with a deadline that only a broken run reaches."""

import time

# Generous: the machine may be busy with other things.
DEADLINE_S = 20


def wait_until(check, what: str, seconds: float = DEADLINE_S):
    """The first true value of `check()`; an AssertionError that says `what` was waited for."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        assert time.monotonic() < end, f"waited {seconds} s in vain for {what}"
        time.sleep(0.003)
