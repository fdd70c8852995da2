"""A use goes on exactly as long as all its grants are renewed."""

import threading
import time

from huiqi.compute.service.leases import Leases
from huiqi.kernel.errors import DeniedError, UnavailableError


def fine() -> None:
    return


def refused() -> None:
    raise DeniedError(what="ended")


def silent() -> None:
    raise UnavailableError(what="peer")


def hanging() -> None:
    threading.Event().wait(5)


def lasted(*renewals: object, at_most: float = 0.6) -> tuple[float, Leases]:
    leases = Leases(renewals, every_s=0.05, lease_s=0.3)  # type: ignore[arg-type]
    began = time.monotonic()
    while not leases.ended() and time.monotonic() - began < at_most:
        time.sleep(0.01)
    leases.finish()
    return time.monotonic() - began, leases


def test_renewed_grants_go_on_even_when_nobody_asks_for_longer_than_a_lease() -> None:
    leases = Leases([fine, fine], every_s=0.05, lease_s=0.3)
    time.sleep(0.6)
    assert not leases.ended()
    leases.finish()


def test_a_refusal_ends_the_use_at_once_with_its_reason() -> None:
    seconds, leases = lasted(fine, refused)
    assert seconds < 0.25
    assert leases.reason is not None
    assert leases.reason.code == "kernel.denied"


def test_silence_and_hanging_end_the_use_with_the_lease() -> None:
    for renewal in (silent, hanging):
        seconds, leases = lasted(fine, renewal)
        assert 0.25 < seconds < 0.55
        assert leases.reason is not None
        assert leases.reason.code == "usage.lease_over"


def test_nothing_is_renewed_after_the_end() -> None:
    calls: list[int] = []
    leases = Leases([lambda: calls.append(1)], every_s=0.05, lease_s=1)
    leases.finish()
    time.sleep(0.2)
    assert not calls
