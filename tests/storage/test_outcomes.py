"""Each way in which storage can fail a caller, done for real by a proxy, and what the caller is told."""

import asyncio
import socket

import pytest

from lib.storage.azure import AzureStorage, ConnectionString, StorageTimeouts
from lib.storage.errors import (
    OutcomeUnknownError,
    RowChangedError,
    RowExistsError,
    StorageError,
    StorageUnavailableError,
)
from lib.storage.ports import Delete, Insert, Replace, Row, Upsert, Write
from local.azurite import ACCOUNT, ACCOUNT_KEY
from local.faults.rules import Fault, Operation, Rule
from tests.storage.conftest import TIMEOUTS, Faulty

# What storage never saw or refused before it did anything, and what it may have done.
NOT_DONE = [Fault.RESET, Fault.HANG, Fault.FAIL]
DONE = [Fault.DROP_REPLY, Fault.FAIL_AFTER, Fault.LATE_REPLY]


async def there(faulty: Faulty) -> Row:
    await faulty.true_table.write("p", Upsert("there", {"n": 1}))
    row = await faulty.true_table.get("p", "there")
    assert row is not None
    return row


async def told(faulty: Faulty, *writes: Write) -> StorageError | None:
    try:
        await faulty.table.write("p", *writes)
    except StorageError as error:
        return error
    return None


class TestWrite:
    @pytest.mark.parametrize("fault", [*NOT_DONE, *DONE])
    @pytest.mark.parametrize("kind", ["insert", "replace", "upsert", "delete", "transaction"])
    async def test_tells_an_unknown_outcome_and_asks_only_once(self, faulty: Faulty, fault: Fault, kind: str) -> None:
        row = await there(faulty)
        writes: dict[str, list[Write]] = {
            "insert": [Insert("new", {"n": 2})],
            "replace": [Replace("there", {"n": 2}, row.etag)],
            "upsert": [Upsert("there", {"n": 2})],
            "delete": [Delete("there", row.etag)],
            "transaction": [Replace("there", {"n": 2}, row.etag), Insert("new", {"n": 2})],
        }
        faulty.rules.add(Rule(fault=fault, delay_seconds=0.5))

        error = await told(faulty, *writes[kind])

        assert isinstance(error, OutcomeUnknownError)
        assert faulty.rules.seen == {Operation(kind): 1}

    @pytest.mark.parametrize("fault", [Fault.RESET, Fault.HANG, Fault.FAIL])
    async def test_unknown_may_mean_not_done(self, faulty: Faulty, fault: Fault) -> None:
        row = await there(faulty)
        faulty.rules.add(Rule(fault=fault))

        await told(faulty, Replace("there", {"n": 2}, row.etag), Insert("new", {}))

        assert await faulty.true_table.get("p", "there") == row

    @pytest.mark.parametrize("fault", [Fault.DROP_REPLY, Fault.FAIL_AFTER])
    async def test_unknown_may_mean_done(self, faulty: Faulty, fault: Fault) -> None:
        row = await there(faulty)
        faulty.rules.add(Rule(fault=fault))

        await told(faulty, Replace("there", {"n": 2}, row.etag), Insert("new", {}))

        changed = await faulty.true_table.get("p", "there")
        assert changed is not None
        assert changed.values == {"n": 2}
        assert await faulty.true_table.get("p", "new") is not None

    async def test_unknown_may_mean_done_later(self, faulty: Faulty) -> None:
        faulty.rules.add(Rule(fault=Fault.DELAY, delay_seconds=0.6))

        error = await told(faulty, Insert("new", {}))
        at_first = await faulty.true_table.get("p", "new")
        await asyncio.sleep(0.8)

        assert isinstance(error, OutcomeUnknownError)
        assert at_first is None
        assert await faulty.true_table.get("p", "new") is not None

    @pytest.mark.parametrize("kept_connection", [False, True])
    async def test_a_replace_whose_reply_was_lost_is_not_told_as_changed(
        self, faulty: Faulty, *, kept_connection: bool
    ) -> None:
        row = await there(faulty)
        if kept_connection:
            await faulty.table.get("p", "there")
        faulty.rules.add(Rule(fault=Fault.DROP_REPLY, operation=Operation.REPLACE, times=1))

        error = await told(faulty, Replace("there", {"n": 2}, row.etag))

        assert isinstance(error, OutcomeUnknownError)
        assert faulty.rules.seen[Operation.REPLACE] == 1

    async def test_a_busy_service_is_unavailable_and_nothing_was_written(self, faulty: Faulty) -> None:
        faulty.rules.add(Rule(fault=Fault.BUSY))

        single = await told(faulty, Insert("new", {}))
        several = await told(faulty, Insert("new", {}), Insert("newer", {}))

        assert isinstance(single, StorageUnavailableError)
        assert isinstance(several, StorageUnavailableError)
        assert (await faulty.true_table.page("p")).rows == []

    async def test_conflicts_keep_their_names(self, faulty: Faulty) -> None:
        row = await there(faulty)
        faulty.rules.add(Rule(fault=Fault.EXISTS, times=2))
        faulty.rules.add(Rule(fault=Fault.CHANGED, times=2))

        told_so = [
            await told(faulty, Insert("new", {})),
            await told(faulty, Insert("new", {}), Insert("newer", {})),
            await told(faulty, Replace("there", {}, row.etag)),
            await told(faulty, Replace("there", {}, row.etag), Insert("new", {})),
        ]

        assert [type(error) for error in told_so] == [RowExistsError, RowExistsError, RowChangedError, RowChangedError]

    async def test_a_service_that_nobody_runs_is_unavailable(self) -> None:
        storage = nobody_listens()

        with pytest.raises(StorageUnavailableError):
            await storage.table("nobody").write("p", Insert("k", {}))

        await storage.close()

    async def test_a_service_that_takes_no_connection_is_unavailable(self) -> None:
        # A full backlog: the third connection is neither taken nor refused.
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            with socket.create_connection(deaf.getsockname()), socket.socket() as waiting:
                waiting.setblocking(False)
                waiting.connect_ex(deaf.getsockname())
                storage = AzureStorage(at_port(deaf.getsockname()[1]), timeouts=TIMEOUTS)

                with pytest.raises(StorageUnavailableError):
                    await storage.table("deaf").write("p", Insert("k", {}))

                await storage.close()

    async def test_never_says_whose_row_it_was(self, faulty: Faulty) -> None:
        await faulty.true_table.write("p", Insert("ann@example.com", {}))

        error = await told(faulty, Insert("ann@example.com", {"phone": "+4612345"}))

        assert "ann" not in str(error)


class TestRead:
    @pytest.mark.parametrize("fault", [Fault.RESET, Fault.DROP_REPLY, Fault.BUSY, Fault.FAIL, Fault.HANG])
    async def test_is_repeated_when_storage_stumbles_once(self, faulty: Faulty, fault: Fault) -> None:
        row = await there(faulty)
        faulty.rules.add(Rule(fault=fault, times=1))

        assert await faulty.table.get("p", "there") == row
        assert faulty.rules.seen[Operation.GET] == 2

    @pytest.mark.parametrize("fault", [Fault.RESET, Fault.BUSY, Fault.FAIL])
    async def test_is_repeated_at_most_twice(self, faulty: Faulty, fault: Fault) -> None:
        faulty.rules.add(Rule(fault=fault))

        with pytest.raises(StorageUnavailableError):
            await faulty.table.page("p")

        assert faulty.rules.seen[Operation.PAGE] == 3

    async def test_ends_within_its_time_when_storage_hangs(self, faulty: Faulty) -> None:
        faulty.rules.add(Rule(fault=Fault.HANG))

        async with asyncio.timeout(TIMEOUTS.read_seconds + 1):
            with pytest.raises(StorageUnavailableError):
                await faulty.table.get("p", "there")

    async def test_from_a_service_that_nobody_runs_is_unavailable(self) -> None:
        storage = nobody_listens()

        with pytest.raises(StorageUnavailableError):
            await storage.table("nobody").get("p", "k")

        await storage.close()


class TestQueue:
    @pytest.mark.parametrize("fault", [*NOT_DONE, *DONE])
    async def test_a_send_without_an_answer_is_unknown_and_sent_once(self, faulty: Faulty, fault: Fault) -> None:
        faulty.rules.add(Rule(fault=fault, delay_seconds=0.5))

        with pytest.raises(OutcomeUnknownError):
            await faulty.queue.send("hello")

        assert faulty.rules.seen == {Operation.SEND: 1}
        assert (await faulty.true_queue.depth()).messages == (1 if fault in DONE else 0)

    async def test_a_send_to_a_busy_service_kept_nothing(self, faulty: Faulty) -> None:
        faulty.rules.add(Rule(fault=Fault.BUSY))

        with pytest.raises(StorageUnavailableError):
            await faulty.queue.send("hello")

        assert (await faulty.true_queue.depth()).messages == 0

    async def test_a_hanging_send_ends_within_its_own_shorter_time(self, faulty: Faulty) -> None:
        faulty.rules.add(Rule(fault=Fault.HANG))

        async with asyncio.timeout(TIMEOUTS.send_seconds + 1):
            with pytest.raises(OutcomeUnknownError):
                await faulty.queue.send("hello")

    async def test_a_receive_is_never_repeated(self, faulty: Faulty) -> None:
        await faulty.queue.send("hello")
        faulty.rules.add(Rule(fault=Fault.DROP_REPLY, operation=Operation.RECEIVE))

        with pytest.raises(OutcomeUnknownError):
            await faulty.queue.receive(1, lease_seconds=30)

        assert faulty.rules.seen[Operation.RECEIVE] == 1
        assert list(await faulty.true_queue.peek()) == []

    async def test_a_delete_whose_reply_was_lost_is_unknown(self, faulty: Faulty) -> None:
        await faulty.queue.send("hello")
        (message,) = await faulty.queue.receive(1, lease_seconds=30)
        faulty.rules.add(Rule(fault=Fault.DROP_REPLY, times=1))

        with pytest.raises(OutcomeUnknownError):
            await faulty.queue.delete(message)

        assert await faulty.queue.delete(message) is False

    async def test_peek_and_depth_are_repeated(self, faulty: Faulty) -> None:
        await faulty.queue.send("hello")
        faulty.rules.add(Rule(fault=Fault.RESET, operation=Operation.PEEK, times=2))
        faulty.rules.add(Rule(fault=Fault.BUSY, operation=Operation.DEPTH, times=2))

        assert list(await faulty.queue.peek()) == ["hello"]
        assert (await faulty.queue.depth()).messages == 1


class TestTimeouts:
    def test_a_caller_waits_at_most_five_seconds_by_default(self) -> None:
        limits = StorageTimeouts()

        assert max(limits.connect_seconds, limits.read_seconds, limits.write_seconds, limits.send_seconds) <= 5
        assert limits.send_seconds <= 1.5


def nobody_listens() -> AzureStorage:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return AzureStorage(at_port(port), timeouts=TIMEOUTS)


def at_port(port: int) -> ConnectionString:
    return ConnectionString.parse(
        f"AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint=http://127.0.0.1:{port}/{ACCOUNT};QueueEndpoint=http://127.0.0.1:{port}/{ACCOUNT}"
    )
