from lib.clock import FixedClock
from lib.storage.memory import MemoryStorage
from lib.storage.ports import Insert


async def pages(seed: int) -> list[tuple[int, bool]]:
    """Sizes of a run of pages of ten, and whether each was the last."""
    table = MemoryStorage(FixedClock(), tables=["rows"], seed=seed).table("rows")
    await table.write("p", *(Insert(f"k{n:02}", {}) for n in range(40)))
    sizes: list[tuple[int, bool]] = []
    resume: str | None = None
    for _ in range(40):
        page = await table.page("p", limit=10, resume=resume)
        resume = page.resume
        sizes.append((len(page.rows), resume is None))
    return sizes


async def order_received(seed: int) -> list[str]:
    queue = MemoryStorage(FixedClock(), queues=["messages"], seed=seed).queue("messages")
    for n in range(20):
        await queue.send(str(n))
    return [message.body for message in await queue.receive(20, lease_seconds=30)]


class TestPage:
    async def test_comes_short_and_even_empty_before_the_end(self) -> None:
        sizes = await pages(seed=0)

        assert any(0 < size < 10 and not last for size, last in sizes)
        assert any(size == 0 and not last for size, last in [pair for seed in range(5) for pair in await pages(seed)])

    async def test_is_cut_alike_for_the_same_seed_only(self) -> None:
        assert await pages(seed=7) == await pages(seed=7)
        assert await pages(seed=7) != await pages(seed=8)


class TestReceive:
    async def test_promises_no_order_but_repeats_its_own(self) -> None:
        sent = [str(n) for n in range(20)]

        assert await order_received(seed=0) != sent
        assert await order_received(seed=0) == await order_received(seed=0)


class TestClose:
    async def test_keeps_what_was_kept(self) -> None:
        storage = MemoryStorage(FixedClock(), tables=["rows"])
        await storage.table("rows").write("p", Insert("k", {}))

        await storage.close()

        assert await storage.table("rows").get("p", "k") is not None
