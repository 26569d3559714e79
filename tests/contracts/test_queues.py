import json
from datetime import timedelta

import pytest

from lib.storage.errors import MessageTooLargeError, StorageSetupError
from lib.storage.ports import Message
from tests.contracts.conftest import Keeper


async def take(keeper: Keeper, lease_seconds: float = 30) -> Message:
    (message,) = await keeper.queue.receive(1, lease_seconds=lease_seconds)
    return message


class TestSend:
    async def test_keeps_a_message_that_can_be_received(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")

        message = await take(keeper)

        assert (message.body, message.dequeue_count) == ("hello", 1)

    @pytest.mark.parametrize(
        "body",
        [
            json.dumps({"name": "Zoë", "quote": "\"<&>'", "control": "\x00\x1f"}),
            '{"city":"東京","note":"𝄞 \u2028 ]]> &amp; <a>"}',
            " leading and trailing \n",
            "line\r\nends\rof\nall kinds\t",
            "\x7f\x85\ufeff",
        ],
        ids=repr,
    )
    async def test_carries_text_as_it_is(self, keeper: Keeper, body: str) -> None:
        await keeper.queue.send(body)

        assert list(await keeper.queue.peek()) == [body]
        assert (await take(keeper)).body == body

    @pytest.mark.parametrize("body", ["\x00", "a\x0bb", "\ud800", "\uffff"], ids=repr)
    async def test_refuses_characters_that_queues_cannot_carry(self, keeper: Keeper, body: str) -> None:
        with pytest.raises(ValueError, match="character"):
            await keeper.queue.send(body)

        assert (await keeper.queue.depth()).messages == 0

    @pytest.mark.parametrize("body", ["x" * 65_536, "ü" * 10_922, "&" * 13_107], ids=len)
    async def test_takes_64_kib_and_not_a_byte_more(self, keeper: Keeper, body: str) -> None:
        await keeper.queue.send(body)
        with pytest.raises(MessageTooLargeError):
            await keeper.queue.send(body + "&")

        assert list(await keeper.queue.peek()) == [body]

    async def test_hides_a_message_for_the_delay(self, keeper: Keeper) -> None:
        await keeper.queue.send("later", delay_seconds=1)

        early = await keeper.queue.receive(1, lease_seconds=30)
        await keeper.wait(1.3)

        assert list(early) == []
        assert (await take(keeper)).body == "later"

    async def test_never_shows_a_message_before_a_broken_delay_is_over(self, keeper: Keeper) -> None:
        await keeper.queue.send("later", delay_seconds=0.1)

        assert list(await keeper.queue.receive(1, lease_seconds=30)) == []

    @pytest.mark.parametrize("delay", [-1, 7 * 24 * 3600 + 1])
    async def test_refuses_delays_that_queues_do_not_know(self, keeper: Keeper, delay: float) -> None:
        with pytest.raises(ValueError, match="7 days"):
            await keeper.queue.send("never", delay_seconds=delay)

    async def test_takes_the_longest_delay(self, keeper: Keeper) -> None:
        await keeper.queue.send("in a week", delay_seconds=7 * 24 * 3600)

        assert (await keeper.queue.depth()).messages == 1

    async def test_tells_a_missing_queue(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.queue("never-made").send("lost")


class TestPeek:
    async def test_changes_nothing(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")

        await keeper.queue.peek()
        await keeper.queue.peek()

        assert (await take(keeper)).dequeue_count == 1

    async def test_shows_no_hidden_message(self, keeper: Keeper) -> None:
        await keeper.queue.send("later", delay_seconds=60)
        await keeper.queue.send("taken")
        await take(keeper)

        assert list(await keeper.queue.peek()) == []

    async def test_shows_no_more_than_asked_for(self, keeper: Keeper) -> None:
        for n in range(5):
            await keeper.queue.send(str(n))

        assert len(await keeper.queue.peek(3)) == 3
        assert sorted(await keeper.queue.peek(32)) == ["0", "1", "2", "3", "4"]


class TestReceive:
    async def test_of_an_empty_queue_is_empty(self, keeper: Keeper) -> None:
        assert list(await keeper.queue.receive(32, lease_seconds=30)) == []

    async def test_hides_what_it_took_from_others(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")

        await take(keeper)

        assert list(await keeper.queue.receive(1, lease_seconds=30)) == []
        assert (await keeper.queue.depth()).messages == 1

    async def test_gives_a_message_again_after_the_lease_and_counts(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")
        first = await take(keeper, lease_seconds=1)
        await keeper.wait(1.3)

        second = await take(keeper)

        assert second.message_id == first.message_id
        assert (first.dequeue_count, second.dequeue_count) == (1, 2)
        assert first.receipt != second.receipt

    async def test_says_until_when_and_since_when(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")

        message = await take(keeper, lease_seconds=600)

        assert timedelta(seconds=598) <= message.leased_until - message.inserted_at <= timedelta(seconds=610)
        assert message.inserted_at.utcoffset() == timedelta(0)

    async def test_takes_up_to_32_at_once(self, keeper: Keeper) -> None:
        for n in range(34):
            await keeper.queue.send(str(n))

        first = await keeper.queue.receive(32, lease_seconds=30)
        rest = await keeper.queue.receive(32, lease_seconds=30)

        assert (len(first), len(rest)) == (32, 2)
        assert {message.body for message in [*first, *rest]} == {str(n) for n in range(34)}

    @pytest.mark.parametrize("limit", [0, 33])
    async def test_refuses_other_numbers(self, keeper: Keeper, limit: int) -> None:
        with pytest.raises(ValueError, match="1 to 32"):
            await keeper.queue.receive(limit, lease_seconds=30)

    @pytest.mark.parametrize("lease", [0, -5, 7 * 24 * 3600 + 1])
    async def test_refuses_leases_that_queues_do_not_know(self, keeper: Keeper, lease: float) -> None:
        with pytest.raises(ValueError, match="7 days"):
            await keeper.queue.receive(1, lease_seconds=lease)

    async def test_tells_a_missing_queue(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.queue("never-made").receive(1, lease_seconds=30)


class TestDelete:
    async def test_removes_the_message(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")
        message = await take(keeper)

        assert await keeper.queue.delete(message) is True
        assert (await keeper.queue.depth()).messages == 0

    async def test_says_that_the_message_is_gone(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")
        message = await take(keeper)
        await keeper.queue.delete(message)

        assert await keeper.queue.delete(message) is False

    async def test_leaves_a_message_that_somebody_received_since(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")
        late = await take(keeper, lease_seconds=1)
        await keeper.wait(1.3)
        current = await take(keeper)

        assert await keeper.queue.delete(late) is False
        assert await keeper.queue.delete(current) is True

    async def test_still_removes_a_message_whose_lease_ran_out_unnoticed(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")
        late = await take(keeper, lease_seconds=1)
        await keeper.wait(1.3)

        assert await keeper.queue.delete(late) is True

    async def test_tells_a_missing_queue(self, keeper: Keeper) -> None:
        await keeper.queue.send("hello")
        message = await take(keeper)

        with pytest.raises(StorageSetupError):
            await keeper.storage.queue("never-made").delete(message)


class TestDepth:
    async def test_counts_hidden_messages_too(self, keeper: Keeper) -> None:
        await keeper.queue.send("now")
        await keeper.queue.send("later", delay_seconds=60)

        assert (await keeper.queue.depth()).messages == 2

    async def test_tells_a_missing_queue(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.queue("never-made").depth()
