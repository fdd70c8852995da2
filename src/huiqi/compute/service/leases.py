"""Do all grants of a running use still stand?"""

import threading
import time
from collections.abc import Callable, Sequence

from huiqi.compute.checks import reason_of
from huiqi.kernel.errors import HuiqiError, UnavailableError
from huiqi.kernel.text import Text
from huiqi.policy.types import Reason


class Leases:
    """Renews every grant of one use in the background while it is built and computed.

    One thread per grant, so that a lender that does not answer can delay nobody. A grant that
    was refused, or not renewed for ``lease_s`` seconds, ends the use. Call ``finish`` at the end.
    """

    def __init__(
        self, renewals: Sequence[Callable[[], object]], *, every_s: float, lease_s: float
    ) -> None:
        self._renewals, self._every_s, self._lease_s = renewals, every_s, lease_s
        self._over = threading.Event()
        self._renewed = [time.monotonic()] * len(renewals)
        self.reason: Reason | None = None
        for at in range(len(renewals)):
            threading.Thread(target=self._renew, args=(at,), daemon=True).start()

    def ended(self) -> bool:
        """Whether the use must stop now; asked by the thread that waits for the engine."""
        now = time.monotonic()
        if self.reason is None and now - min(self._renewed, default=now) > self._lease_s:
            self.reason = Reason(
                code="usage.lease_over",
                text=Text(
                    zh="数据提供方未能续租，使用已中止",
                    en="the provider did not renew the lease; the use was ended",
                ),
            )
        return self.reason is not None

    def finish(self) -> None:
        """The engine is done: no more renewals."""
        self._over.set()

    def _renew(self, at: int) -> None:
        while not self._over.wait(self._every_s) and self.reason is None:
            asked = time.monotonic()
            try:
                self._renewals[at]()
                self._renewed[at] = asked
            except UnavailableError:
                # Not an answer: the lease decides how long that can go on.
                continue
            except HuiqiError as error:
                self.reason = reason_of(error)
