"""Creates that race for one external id: exactly one wins, whatever storage, processes and clocks do. Feature 3."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pytest

from lib.customers.claims import Claims
from lib.customers.store import CustomerStore
from lib.storage.ports import Insert, Replace, Row, Table, Upsert, Write
from tests.identifiers.racing import race

_SEEDS, _RACES = range(50), 20
_SEEDS_FOR_A_WEAKNESS = range(40)


class Fenceless(CustomerStore):
    async def fence(self, customer_id: str, row: Row | None) -> None: ...


@dataclass
class Blind:
    """A table that writes claims whatever is there."""

    inner: Table

    async def get(self, partition: str, key: str) -> Row | None:
        return await self.inner.get(partition, key)

    async def write(self, partition: str, *writes: Write) -> Sequence[str]:
        blind = [Upsert(one.key, one.values) if isinstance(one, Replace | Insert) else one for one in writes]
        return await self.inner.write(partition, *blind)


def without_fences(claims: Claims) -> Claims:
    store = claims.customers
    return replace(claims, customers=Fenceless(store.customers, store.index, store.identifiers))


def without_etags(claims: Claims) -> Claims:
    return replace(claims, table=Blind(claims.table))


class TestRace:
    def test_has_exactly_one_winner_in_a_thousand(self) -> None:
        """Feature 3: one external id belongs to one customer, however many create it at once."""
        fired = refused = 0

        for seed in _SEEDS:
            told = race(seed, races=_RACES)
            assert not told.broken, (seed, told.broken)
            fired, refused = fired + told.fired, refused + told.refused

        assert len(_SEEDS) * _RACES == 1000
        assert fired > 1000
        assert refused > 1000

    @pytest.mark.parametrize("weaken", [without_fences, without_etags])
    def test_would_show_claims_that_are_weaker(self, weaken: Callable[[Claims], Claims]) -> None:
        assert any(race(seed, races=_RACES, weaken=weaken).broken for seed in _SEEDS_FOR_A_WEAKNESS)

    def test_is_the_same_again(self) -> None:
        first, again = race(3, races=5), race(3, races=5)

        assert (first.winners, first.fired) == (again.winners, again.fired)
