"""Identifiers that belong to one customer each, raced for and taken over."""

import asyncio

import pytest

from lib.customers.claims import IdentifierTakenError
from lib.errors import UnavailableError
from local.faults.taps import When
from local.simulation.world import World
from tests.customers.support import Once, details, operation, patch


class TestIdentifiers:
    async def test_second_claim_is_refused_and_gives_back_the_others(self, world: World) -> None:
        await world.platform.customers.create(
            details=details(externalIds=[{"system": "booking", "id": "1"}]), operation=operation()
        )

        with pytest.raises(IdentifierTakenError):
            await world.platform.customers.create(
                details=details(externalIds=[{"system": "booking", "id": "1"}], loyalty={"number": "IO-9"}),
                operation=operation(),
            )

        freed = await world.platform.customers.create(
            details=details(loyalty={"number": "io-9"}), operation=operation()
        )
        assert freed.version == 1

    async def test_given_up_can_be_claimed_by_another(self, world: World) -> None:
        first = await world.platform.customers.create(
            details=details(loyalty={"number": "IO-9"}), operation=operation()
        )
        world.clock.advance(600)
        await world.platform.customers.amend(
            customer_id=first.entity_id, patch=patch(loyalty=None), expected_version=1, operation=operation("update")
        )

        second = await world.platform.customers.create(
            details=details(loyalty={"number": "IO-9"}), operation=operation()
        )

        assert second.version == 1

    async def test_concurrent_claims_of_one_value_let_one_in(self, world: World) -> None:
        async def claim() -> bool:
            try:
                await world.platform.customers.create(
                    details=details(loyalty={"number": "IO-9"}), operation=operation()
                )
            except IdentifierTakenError:
                return False
            return True

        won = await asyncio.gather(*(claim() for _ in range(8)))

        assert sum(won) == 1

    async def test_a_claim_that_may_still_be_committed_is_not_taken_from_its_holder(self, world: World) -> None:
        refused: list[IdentifierTakenError] = []

        async def want_it_too(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.BEFORE):
                world.tap = Once("none", When.AFTER, Exception())
                with pytest.raises(IdentifierTakenError) as caught:
                    await world.platform.customers.create(
                        details=details(loyalty={"number": "IO-9"}), operation=operation()
                    )
                refused.append(caught.value)

        world.tap = want_it_too

        made = await world.platform.customers.create(details=details(loyalty={"number": "IO-9"}), operation=operation())

        assert [error.holder for error in refused] == [made.entity_id]

    async def test_of_two_who_take_over_one_claim_only_one_gets_it(self, world: World) -> None:
        await world.platform.customers.claims.claim(["loyalty:IO-9"], customer_id="cus_00000000000000000000000001")
        world.clock.advance(600)

        async def take_it_over_too(point: str, when: When) -> None:
            if (point, when) == ("customers.fence", When.AFTER):
                world.tap = Once("none", When.AFTER, Exception())
                await world.platform.customers.create(
                    details=details(loyalty={"number": "IO-9"}), operation=operation()
                )

        world.tap = take_it_over_too

        with pytest.raises(IdentifierTakenError):
            await world.platform.customers.create(details=details(loyalty={"number": "IO-9"}), operation=operation())

    async def test_a_writer_paused_beyond_its_claim_cannot_commit_it_after_a_takeover(self, world: World) -> None:
        taken_over: list[int] = []

        async def pause_before_commit(point: str, when: When) -> None:
            if (point, when) == ("customers.commit", When.BEFORE):
                world.tap = Once("none", When.AFTER, Exception())
                world.clock.advance(3600)
                other = await world.platform.customers.create(
                    details=details(loyalty={"number": "IO-9"}), operation=operation()
                )
                taken_over.append(other.version)

        world.tap = pause_before_commit

        with pytest.raises((IdentifierTakenError, UnavailableError)):
            await world.platform.customers.create(details=details(loyalty={"number": "IO-9"}), operation=operation())
        assert taken_over == [1]

    async def test_a_writer_paused_before_its_promise_cannot_commit_what_was_taken_over(self, world: World) -> None:
        taken_over: list[int] = []

        async def pause_before_promise(point: str, when: When) -> None:
            if (point, when) == ("identifiers.write", When.AFTER):
                world.tap = Once("none", When.AFTER, Exception())
                world.clock.advance(3600)
                other = await world.platform.customers.create(
                    details=details(loyalty={"number": "IO-9"}), operation=operation()
                )
                taken_over.append(other.version)

        world.tap = pause_before_promise

        with pytest.raises(IdentifierTakenError):
            await world.platform.customers.create(details=details(loyalty={"number": "IO-9"}), operation=operation())
        assert taken_over == [1]

    async def test_case_and_composition_do_not_make_another_identifier(self, world: World) -> None:
        await world.platform.customers.create(
            details=details(externalIds=[{"system": "crm", "id": "é1"}]), operation=operation()
        )

        with pytest.raises(IdentifierTakenError):
            await world.platform.customers.create(
                details=details(externalIds=[{"system": "crm", "id": "e\u03011"}]), operation=operation()
            )
