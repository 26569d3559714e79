"""The operations on customers, over memory storage, against everything storage can do to them."""

import asyncio
import itertools
import json

import pytest

from lib.changes.operation import Operation, fingerprint_of
from lib.changes.promise import PromiseNotKeptError
from lib.changes.writer import OutcomeNotSettledError
from lib.customers.claims import IdentifierTakenError
from lib.customers.models import CustomerDetails
from lib.customers.patch import CustomerPatch
from lib.customers.rules import CustomerInvalidError
from lib.customers.service import CustomerChangedError, CustomerNotFoundError
from lib.errors import IdempotencyMismatchError, UnavailableError
from lib.messaging.envelope import WakeUp
from lib.storage.errors import OutcomeUnknownError, StorageUnavailableError
from local.faults.taps import When
from local.simulation.world import World


@pytest.fixture
async def world() -> World:
    return await World.build()


_attempts = itertools.count()


def details(**fields: object) -> CustomerDetails:
    return CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com", **fields})


def operation(name: str = "create_customer", *, key: str | None = None, body: object = None) -> Operation:
    attempt = f"att_{next(_attempts)}"
    if key is None:
        return Operation(name=name, id=attempt, attempt=attempt, actor="test")
    return Operation(name=name, id=f"opr_{name}_{key}", attempt=attempt, actor="test", fingerprint=fingerprint_of(body))


def patch(**fields: object) -> CustomerPatch:
    return CustomerPatch.model_validate(fields)


class Once:
    """Fails the first time a point is reached on one side, then never again."""

    def __init__(self, point: str, when: When, error: Exception) -> None:
        self.point, self.when, self.error, self.fired = point, when, error, 0

    async def __call__(self, point: str, when: When) -> None:
        if (point, when) == (self.point, self.when) and not self.fired:
            self.fired += 1
            raise self.error


class Always(Once):
    async def __call__(self, point: str, when: When) -> None:
        if (point, when) == (self.point, self.when):
            self.fired += 1
            raise self.error


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


class TestLostReplies:
    async def test_commit_done_but_reply_lost_is_a_success_and_one_version(self, world: World) -> None:
        world.tap = Once("customers.commit", When.AFTER, OutcomeUnknownError())

        made = await world.platform.customers.create(details=details(), operation=operation())

        page = await world.platform.customers.changes_page(customer_id=made.entity_id, limit=10, cursor=None)
        assert [change.version for change in page.items] == [1]

    async def test_commit_lost_on_the_way_is_done_again(self, world: World) -> None:
        world.tap = Once("customers.commit", When.BEFORE, OutcomeUnknownError())

        made = await world.platform.customers.create(details=details(), operation=operation())

        assert (await world.platform.customers.read(customer_id=made.entity_id)).version == 1

    async def test_patch_whose_reply_was_lost_is_not_answered_with_its_own_conflict(self, world: World) -> None:
        made = await world.platform.customers.create(details=details(), operation=operation())
        world.tap = Once("customers.commit", When.AFTER, OutcomeUnknownError())

        changed = await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("update")
        )

        assert changed.version == 2

    async def test_unsettled_outcome_says_so_and_the_same_key_settles_it(self, world: World) -> None:
        async def dead(point: str, when: When) -> None:
            if point == "customers.commit" and when is When.AFTER:
                world.tap = blind
                raise OutcomeUnknownError

        async def blind(point: str, _when: When) -> None:
            if point.startswith("customers"):
                raise StorageUnavailableError

        world.tap = dead
        with pytest.raises(OutcomeNotSettledError):
            await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))
        world.tap = Once("none", When.AFTER, Exception())

        again = await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))

        assert (again.version, again.replayed) == (1, True)

    async def test_storage_that_refuses_writes_nothing(self, world: World) -> None:
        world.tap = Always("customers.commit", When.BEFORE, StorageUnavailableError())

        with pytest.raises(UnavailableError):
            await world.platform.customers.create(details=details(), operation=operation())

        page = await world.storage.table("customerindex").page("customer")
        assert not page.rows


class TestPromise:
    async def test_comes_before_the_commit(self, world: World) -> None:
        heard: list[str] = []

        async def listen(point: str, when: When) -> None:
            if when is When.AFTER:
                heard.append(point)

        world.tap = listen

        await world.platform.customers.create(details=details(), operation=operation())

        assert heard == ["changes.send", "customers.commit"]

    @pytest.mark.parametrize("when", list(When))
    @pytest.mark.parametrize("error", [OutcomeUnknownError(), StorageUnavailableError()])
    async def test_any_outcome_but_a_clear_yes_leaves_an_outbox_row(
        self, world: World, when: When, error: Exception
    ) -> None:
        world.tap = Once("changes.send", when, error)

        await world.platform.customers.create(details=details(), operation=operation())

        assert await world.platform.outbox.waiting() == 1

    async def test_that_nobody_takes_keeps_the_change_from_being_made(self, world: World) -> None:
        async def refuse(point: str, when: When) -> None:
            if point in {"changes.send", "outbox.write"} and when is When.BEFORE:
                raise StorageUnavailableError

        world.tap = refuse

        with pytest.raises(PromiseNotKeptError):
            await world.platform.customers.create(details=details(), operation=operation())
        assert not (await world.storage.table("customers").page("any")).rows

    async def test_is_not_committed_after_its_deadline(self, world: World) -> None:
        async def paused(point: str, when: When) -> None:
            if (point, when) == ("changes.send", When.AFTER):
                world.clock.advance(3600)

        world.tap = paused

        with pytest.raises(UnavailableError):
            await world.platform.customers.create(details=details(), operation=operation())
        await world.settle()
        assert world.mainframe.calls == 0


class TestBudgets:
    async def test_read_is_one_call_create_two_and_patch_three(self, world: World) -> None:
        calls: list[str] = []

        async def count(point: str, when: When) -> None:
            if when is When.BEFORE:
                calls.append(point)

        world.tap = count
        made = await world.platform.customers.create(details=details(), operation=operation(key="k", body={}))
        create, calls[:] = list(calls), []
        await world.platform.customers.read(customer_id=made.entity_id)
        read, calls[:] = list(calls), []
        await world.platform.customers.amend(
            customer_id=made.entity_id, patch=patch(title="Dr"), expected_version=1, operation=operation("u", key="p")
        )
        amend, calls[:] = list(calls), []
        await world.platform.customers.list_page(limit=50, cursor=None)
        listing, calls[:] = list(calls), []
        await world.platform.customers.create(
            details=details(
                loyalty={"number": "IO-1"}, externalIds=[{"system": "a", "id": "1"}, {"system": "b", "id": "1"}]
            ),
            operation=operation(),
        )

        assert create == ["changes.send", "customers.commit"]
        assert read == ["customers.get"]
        assert amend == ["customers.get", "changes.send", "customers.commit"]
        assert listing == ["customerindex.page"]
        assert len(calls) == 2 + 3


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
                await source.fence(await source.snapshot(made.entity_id))

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


class TestList:
    async def test_shows_every_customer_once_over_pages(self, world: World) -> None:
        made = {
            (await world.platform.customers.create(details=details(), operation=operation())).entity_id
            for _ in range(23)
        }
        await world.settle(seconds=10)

        seen: list[str] = []
        cursor = None
        while True:
            page = await world.platform.customers.list_page(limit=5, cursor=cursor)
            seen += [json.loads(item)["id"] for item in page.items]
            cursor = page.cursor
            if cursor is None:
                break

        assert sorted(seen) == sorted(made)


class TestChanges:
    async def test_tell_who_did_what_and_hide_what_is_sensitive(self, world: World) -> None:
        made = await world.platform.customers.create(
            details=details(passport={"number": "533380006", "issuingCountry": "GB"}), operation=operation()
        )
        await world.platform.customers.amend(
            customer_id=made.entity_id,
            patch=patch(title="Dr", passport={"number": "533380007"}),
            expected_version=1,
            operation=operation("update"),
        )

        page = await world.platform.customers.changes_page(customer_id=made.entity_id, limit=10, cursor=None)

        newest = page.items[0]
        assert [field["field"] for field in newest.fields] == ["/passport/number", "/title"]
        assert "53338000" not in json.dumps([change.fields for change in page.items])
        assert newest.fields[1] == {"field": "/title", "old": None, "new": "Dr"}
        assert newest.fields[0]["old"] == page.items[1].fields[-1]["new"]
