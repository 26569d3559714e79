"""Creating and amending customers, over memory storage."""

import asyncio
import json

import pytest

from lib.customers.rules import CustomerInvalidError
from lib.customers.service import CustomerChangedError, CustomerNotFoundError
from lib.errors import IdempotencyMismatchError
from lib.messaging.envelope import WakeUp
from local.faults.taps import When
from local.simulation.world import World
from tests.customers.support import Once, details, operation, patch


class TestCreate:
    async def test_answers_what_is_then_read(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())

        read = await world.platform.customers.read(customer_id=made.entity_id)

        assert json.loads(read.document) == json.loads(made.document)
        assert json.loads(read.document)["version"] == 1

    async def test_keeps_the_passport_number_out_of_what_is_shown(self, world: World) -> None:
        made = await world.platform.customers.create(
            details=details(passport={"number": "533380006", "issuingCountry": "GB"}), operation=operation()
        )

        row = await world.storage.table("customers").get(made.entity_id, "profile")

        assert row is not None
        assert "533380006" not in made.document
        assert "533380006" not in str(row.values["document"])
        assert "533380006" in str(row.values["sensitive"])

    async def test_same_key_and_body_is_one_customer(self, world: World) -> None:
        first = await world.platform.customers.create(details=details(), operation=operation(key="k", body={"a": 1}))
        second = await world.platform.customers.create(details=details(), operation=operation(key="k", body={"a": 1}))

        assert second.document == first.document
        assert (first.replayed, second.replayed) == (False, True)

    async def test_same_key_with_another_body_is_refused(self, world: World) -> None:
        await world.platform.customers.create(details=details(), operation=operation(key="k", body={"a": 1}))

        with pytest.raises(IdempotencyMismatchError):
            await world.platform.customers.create(details=details(), operation=operation(key="k", body={"a": 2}))

    async def test_replay_after_a_later_change_is_still_the_first_answer(self, world: World) -> None:
        first = await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))
        await world.platform.customers.amend(
            customer_id=first.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("update")
        )

        again = await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))

        assert again.document == first.document

    async def test_replay_is_the_first_answer_even_when_its_external_id_went_to_another(self, world: World) -> None:
        externals = [{"system": "booking", "id": "7"}]
        first = await world.platform.customers.create(
            details=details(externalIds=externals), operation=operation(key="k", body={})
        )
        await world.platform.customers.amend(
            customer_id=first.entity_id, patch=patch(externalIds=[]), expected_version=1, operation=operation("update")
        )
        world.clock.advance(600)
        await world.platform.customers.create(details=details(externalIds=externals), operation=operation())

        again = await world.platform.customers.create(
            details=details(externalIds=externals), operation=operation(key="k", body={})
        )

        assert again.document == first.document

    async def test_birth_in_the_future_is_refused_and_nothing_is_kept(self, world: World) -> None:
        with pytest.raises(CustomerInvalidError):
            await world.platform.customers.create(details=details(dateOfBirth="2126-01-01"), operation=operation())

        assert (await world.storage.queue("changes").depth()).messages == 0

    async def test_a_mask_cannot_be_a_new_passport_number(self, world: World) -> None:
        with pytest.raises(CustomerInvalidError):
            await world.platform.customers.create(
                details=details(passport={"number": "******006", "issuingCountry": "GB"}), operation=operation()
            )


class TestAmend:
    async def test_stale_version_is_refused(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())
        await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("update")
        )

        with pytest.raises(CustomerChangedError):
            await world.platform.customers.amend(
                customer_id=made.entity_id, patch=patch(title="Mx"), expected_version=1, operation=operation("update")
            )

    async def test_repeat_with_the_same_key_is_the_first_answer_not_stale(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())
        first = await world.platform.customers.amend(
            customer_id=made.entity_id,
            patch=patch(title="Dr"),
            expected_version=1,
            operation=operation("update", key="k", body={"title": "Dr"}),
        )

        again = await world.platform.customers.amend(
            customer_id=made.entity_id,
            patch=patch(title="Dr"),
            expected_version=1,
            operation=operation("update", key="k", body={"title": "Dr"}),
        )

        assert (again.document, again.replayed) == (first.document, True)

    async def test_nothing_changed_makes_no_version(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(firstName="José"), operation=operation())

        same = await world.platform.customers.amend(
            customer_id=made.entity_id,
            patch=patch(firstName="Jose\u0301"),
            expected_version=1,
            operation=operation("update"),
        )

        assert same.version == 1

    async def test_key_of_a_patch_that_changed_nothing_refuses_another_body(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(title="Dr"), operation=operation())
        await world.platform.customers.amend(
            customer_id=made.entity_id,
            patch=patch(title="Dr"),
            expected_version=1,
            operation=operation("update", key="k", body={"title": "Dr"}),
        )

        with pytest.raises(IdempotencyMismatchError):
            await world.platform.customers.amend(
                customer_id=made.entity_id,
                patch=patch(title="Mx"),
                expected_version=1,
                operation=operation("update", key="k", body={"title": "Mx"}),
            )

    async def test_the_mask_means_unchanged(self, world: World) -> None:
        made = await world.platform.customers.create(
            details=details(passport={"number": "533380006", "issuingCountry": "GB"}), operation=operation()
        )

        await world.platform.customers.amend(
            customer_id=made.entity_id,
            patch=patch(passport={"number": "******006", "issuingCountry": "FR"}),
            expected_version=1,
            operation=operation("update"),
        )

        row = await world.storage.table("customers").get(made.entity_id, "profile")
        assert row is not None
        assert "533380006" in str(row.values["sensitive"])

    async def test_a_mask_of_something_else_is_refused(self, world: World) -> None:
        made = await world.platform.customers.create(
            details=details(passport={"number": "533380006", "issuingCountry": "GB"}), operation=operation()
        )

        with pytest.raises(CustomerInvalidError):
            await world.platform.customers.amend(
                customer_id=made.entity_id,
                patch=patch(passport={"number": "******007"}),
                expected_version=1,
                operation=operation("update"),
            )

    async def test_of_concurrent_writers_with_one_version_exactly_one_wins(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())

        async def write(number: int) -> bool:
            try:
                await world.platform.customers.amend(
                    customer_id=made.entity_id,
                    patch=patch(title=f"T{number}"),
                    expected_version=1,
                    operation=operation("update"),
                )
            except CustomerChangedError:
                return False
            return True

        won = await asyncio.gather(*(write(number) for number in range(12)))

        assert sum(won) == 1

    async def test_a_fence_is_invisible_to_the_client(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())

        async def fence(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.AFTER):
                world.tap = Once("none", When.AFTER, Exception())
                source = world.platform.sources["customer"]
                await source.fence(await source.snapshot(made.entity_id, made.entity_id))

        world.tap = fence

        changed = await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("update")
        )

        assert changed.version == 2

    async def test_a_write_fenced_by_an_instance_whose_clock_is_ahead_is_promised_anew(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())
        await world.settle(seconds=10)

        async def let_go_too_early(point: str, when: When) -> None:
            if (point, when) == ("customers.commit", When.BEFORE):
                world.tap = Once("none", When.AFTER, Exception())
                world.clock.advance(5)
                queue = world.storage.queue("changes")
                for message in await queue.receive(32, lease_seconds=1):
                    overdue = WakeUp.read(message.body).model_copy(update={"deadline": world.clock.now()})
                    world.clock.advance(1)
                    await world.platform.relay.relay(overdue)
                    await queue.delete(message)

        world.tap = let_go_too_early

        await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("update")
        )

        await world.settle(seconds=30)
        assert world.mainframe.applied(made.entity_id) == [1, 2]

    async def test_unknown_customer_is_not_found(self, world: World) -> None:
        with pytest.raises(CustomerNotFoundError):
            await world.platform.customers.amend(
                customer_id="cus_00000000000000000000000000",
                patch=patch(title="Dr"),
                expected_version=1,
                operation=operation("update"),
            )
