import pytest

from lib.storage.errors import StorageSetupError
from lib.storage.ports import Insert, Upsert
from tests.contracts.conftest import Keeper


async def fill(keeper: Keeper, *keys: str, partition: str = "p") -> None:
    for start in range(0, len(keys), 50):
        await keeper.table.write(partition, *(Insert(key, {"n": 1}) for key in keys[start : start + 50]))


class TestPage:
    async def test_of_an_empty_partition_is_the_end(self, keeper: Keeper) -> None:
        page = await keeper.table.page("p")

        assert list(page.rows) == []
        assert page.resume is None

    async def test_gives_rows_in_key_order_whatever_order_they_came_in(self, keeper: Keeper) -> None:
        await fill(keeper, "b", "a~2", "c", "a~10", "a", "B")

        assert [row.key for row in await keeper.all_rows("p")] == ["B", "a", "a~10", "a~2", "b", "c"]

    async def test_gives_rows_as_get_does(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("k", {"n": 1, "text": "Zoë", "ratio": 0.5, "raw": b"\x00\xff"}))

        assert await keeper.all_rows("p") == [await keeper.table.get("p", "k")]

    async def test_starts_at_the_lower_bound_and_ends_before_the_upper(self, keeper: Keeper) -> None:
        await fill(keeper, "a", "b", "c", "d")

        assert [row.key for row in await keeper.all_rows("p", from_key="b", below_key="d")] == ["b", "c"]
        assert [row.key for row in await keeper.all_rows("p", from_key="c")] == ["c", "d"]
        assert [row.key for row in await keeper.all_rows("p", below_key="b")] == ["a"]
        assert await keeper.all_rows("p", from_key="d", below_key="b") == []

    async def test_keeps_to_its_partition(self, keeper: Keeper) -> None:
        await fill(keeper, "a")
        await fill(keeper, "b", partition="q")

        assert [row.key for row in await keeper.all_rows("p")] == ["a"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 7, 1000])
    async def test_resumes_until_the_end_without_a_row_lost_or_twice(self, keeper: Keeper, limit: int) -> None:
        keys = [f"k{n:02}" for n in range(7)]
        await fill(keeper, *keys)

        assert [row.key for row in await keeper.all_rows("p", limit=limit)] == keys

    async def test_resumes_within_the_same_range(self, keeper: Keeper) -> None:
        await fill(keeper, *(f"{kind}~{n}" for kind in "abc" for n in range(5)))

        rows = await keeper.all_rows("p", from_key="b~", below_key="b~~", limit=2)

        assert [row.key for row in rows] == [f"b~{n}" for n in range(5)]

    async def test_resumes_over_more_rows_than_storage_gives_at_once(self, keeper: Keeper) -> None:
        keys = [f"k{n:04}" for n in range(1150)]
        await fill(keeper, *keys)

        assert [row.key for row in await keeper.all_rows("p", limit=1000)] == keys

    async def test_resumes_behind_a_row_that_was_written_meanwhile(self, keeper: Keeper) -> None:
        await fill(keeper, "a", "b", "c")
        page = await keeper.table.page("p", limit=1)
        await keeper.table.write("p", Upsert("A", {}))
        seen = [row.key for row in page.rows]

        while page.resume is not None:
            page = await keeper.table.page("p", limit=1, resume=page.resume)
            seen += [row.key for row in page.rows]

        assert seen == ["a", "b", "c"]

    async def test_quotes_and_operators_in_names_are_only_names(self, keeper: Keeper) -> None:
        await fill(keeper, "a' or PartitionKey ne '", "it's", "b", partition="o'neil")
        await fill(keeper, "secret", partition="x")

        assert await keeper.all_rows("z' or 1 eq 1 or PartitionKey eq 'x") == []
        assert [row.key for row in await keeper.all_rows("o'neil", from_key="a'", below_key="c")] == [
            "a' or PartitionKey ne '",
            "b",
        ]
        assert [row.key for row in await keeper.all_rows("o'neil", from_key="it's")] == ["it's"]

    async def test_names_with_reserved_characters_of_addresses_are_only_names(self, keeper: Keeper) -> None:
        await fill(keeper, "a&b", "a+b", "a%2fb", "a b", "a=b;c,d", "ü~東", partition="p&$top=1 +%41")

        keys = [row.key for row in await keeper.all_rows("p&$top=1 +%41", from_key="a", limit=2)]

        assert keys == ["a b", "a%2fb", "a&b", "a+b", "a=b;c,d", "ü~東"]
        for key in keys:
            assert await keeper.table.get("p&$top=1 +%41", key) is not None

    async def test_tells_a_missing_table(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.table("neverMade").page("p")

    @pytest.mark.parametrize("limit", [0, -1, 1001])
    async def test_refuses_limits_beyond_storage(self, keeper: Keeper, limit: int) -> None:
        with pytest.raises(ValueError, match="1 to 1000"):
            await keeper.table.page("p", limit=limit)

    @pytest.mark.parametrize("resume", ["", "%", "bm8", "bm8=", "x" * 40])
    async def test_refuses_a_resume_that_no_page_gave(self, keeper: Keeper, resume: str) -> None:
        with pytest.raises(ValueError, match="resume"):
            await keeper.table.page("p", resume=resume)


class TestWhere:
    async def test_keeps_only_rows_with_these_values(self, keeper: Keeper) -> None:
        for number in range(30):
            kind = "it's" if number % 10 == 0 else "other"
            await keeper.table.write("p", Insert(f"k{number:02d}", {"kind": kind, "channel": f"c{number % 20}"}))

        found = await keeper.all_rows("p", where={"kind": "it's"})
        both = await keeper.all_rows("p", where={"kind": "it's", "channel": "c0"})

        assert [row.key for row in found] == ["k00", "k10", "k20"]
        assert [row.key for row in both] == ["k00", "k20"]

    async def test_reads_on_where_a_filtered_page_ended(self, keeper: Keeper) -> None:
        for number in range(12):
            await keeper.table.write("p", Insert(f"k{number:02d}", {"kind": "odd" if number % 2 else "even"}))

        keys, resume = list[str](), None
        while True:
            page = await keeper.table.page("p", from_key="k01", limit=2, resume=resume, where={"kind": "odd"})
            keys += [row.key for row in page.rows]
            resume = page.resume
            if resume is None:
                break

        assert keys == ["k01", "k03", "k05", "k07", "k09", "k11"]

    async def test_a_row_without_the_value_is_not_meant(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("k", {"other": "x"}))

        assert await keeper.all_rows("p", where={"kind": ""}) == []

    async def test_a_name_that_is_none_is_refused(self, keeper: Keeper) -> None:
        with pytest.raises(ValueError, match="cannot name a value"):
            await keeper.table.page("p", where={"kind eq 'x' or PartitionKey": "x"})


class TestScan:
    @pytest.mark.parametrize("limit", [1, 3, 1000])
    async def test_gives_every_row_of_every_partition_once(self, keeper: Keeper, limit: int) -> None:
        for partition in ("b", "a", "é", "A"):
            await fill(keeper, "2", "1", "10", partition=partition)

        rows, resume = [], None
        while True:
            page = await keeper.table.scan(limit=limit, resume=resume)
            assert len(page.rows) <= limit
            rows += page.rows
            resume = page.resume
            if resume is None:
                break

        assert [(row.partition, row.key) for row in rows] == [
            (partition, key) for partition in ("A", "a", "b", "é") for key in ("1", "10", "2")
        ]

    async def test_of_an_empty_table_is_the_end(self, keeper: Keeper) -> None:
        page = await keeper.table.scan()

        assert (list(page.rows), page.resume) == ([], None)

    @pytest.mark.parametrize("limit", [0, 1001])
    async def test_refuses_pages_that_storage_does_not_give(self, keeper: Keeper, limit: int) -> None:
        with pytest.raises(ValueError, match="rows"):
            await keeper.table.scan(limit=limit)
