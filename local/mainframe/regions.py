"""The regions that run transactions: as many at once as there are, the rest wait in line."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


class Regions:
    """A limit on transactions at once that can be changed while they run."""

    def __init__(self, count: int) -> None:
        """Start with this many regions."""
        self._count = count
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.busy = 0
        self.max_busy = 0

    @property
    def count(self) -> int:
        """Return how many there are."""
        return self._count

    @count.setter
    def count(self, count: int) -> None:
        self._count = count
        self._admit()

    @property
    def waiting(self) -> int:
        """Return how many transactions stand in line."""
        return sum(not turn.done() for turn in self._waiting)

    @asynccontextmanager
    async def one(self) -> AsyncGenerator[None]:
        """Occupy a region, first come, first served."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        self._admit()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._leave()  # the turn came in the same moment as the cancellation
            raise
        try:
            yield
        finally:
            self._leave()

    def _leave(self) -> None:
        self.busy -= 1
        self._admit()

    def _admit(self) -> None:
        while self.busy < self._count and self._waiting:
            turn = self._waiting.popleft()
            if turn.cancelled():
                continue
            self.busy += 1
            self.max_busy = max(self.max_busy, self.busy)
            turn.set_result(None)
