import asyncio

import pytest

from lib.storage.errors import RowChangedError, RowExistsError, StorageSetupError
from lib.storage.ports import Delete, Insert, Replace, Row, Upsert
from tests.contracts.conftest import Keeper


async def kept(keeper: Keeper, key: str, partition: str = "p") -> Row:
    row = await keeper.table.get(partition, key)
    assert row is not None
    return row


class TestGet:
    async def test_finds_no_row_where_none_was_written(self, keeper: Keeper) -> None:
        assert await keeper.table.get("p", "nobody") is None

    async def test_returns_what_was_written_with_its_address(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"name": "Ann"}))

        assert await keeper.table.get("p", "k") == Row(partition="p", key="k", values={"name": "Ann"}, etag=etag)

    async def test_keeps_partitions_apart(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("k", {"n": 1}))

        assert await keeper.table.get("q", "k") is None

    async def test_tells_a_missing_table_from_a_missing_row(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.table("neverMade").get("p", "k")


class TestInsert:
    async def test_refuses_a_second_row_and_names_its_key(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("k", {"n": 1}))

        with pytest.raises(RowExistsError) as refusal:
            await keeper.table.write("p", Insert("k", {"n": 2}))

        assert refusal.value.key == "k"
        assert (await kept(keeper, "k")).values == {"n": 1}

    async def test_tells_a_missing_table(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.table("neverMade").write("p", Insert("k", {"n": 1}))

    async def test_lets_exactly_one_of_many_at_once_in(self, keeper: Keeper) -> None:
        answers = await asyncio.gather(
            *(keeper.table.write("p", Insert("k", {"n": n})) for n in range(8)), return_exceptions=True
        )

        assert sum(isinstance(answer, RowExistsError) for answer in answers) == 7


class TestReplace:
    async def test_writes_over_the_row_that_was_read(self, keeper: Keeper) -> None:
        (first,) = await keeper.table.write("p", Insert("k", {"old": 1}))

        (second,) = await keeper.table.write("p", Replace("k", {"new": 2}, first))

        assert await kept(keeper, "k") == Row(partition="p", key="k", values={"new": 2}, etag=second)

    async def test_gives_a_new_etag_to_the_same_values(self, keeper: Keeper) -> None:
        (first,) = await keeper.table.write("p", Insert("k", {"n": 1}))

        (second,) = await keeper.table.write("p", Replace("k", {"n": 1}, first))

        assert first != second
        with pytest.raises(RowChangedError):
            await keeper.table.write("p", Replace("k", {"n": 1}, first))

    async def test_refuses_when_somebody_wrote_since_and_names_the_key(self, keeper: Keeper) -> None:
        (first,) = await keeper.table.write("p", Insert("k", {"n": 1}))
        await keeper.table.write("p", Replace("k", {"n": 2}, first))

        with pytest.raises(RowChangedError) as refusal:
            await keeper.table.write("p", Replace("k", {"n": 3}, first))

        assert refusal.value.key == "k"
        assert (await kept(keeper, "k")).values == {"n": 2}

    async def test_refuses_when_the_row_is_gone(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"n": 1}))
        await keeper.table.write("p", Delete("k", etag))

        with pytest.raises(RowChangedError):
            await keeper.table.write("p", Replace("k", {"n": 2}, etag))

    async def test_tells_a_missing_table_from_a_missing_row(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"n": 1}))

        with pytest.raises(StorageSetupError):
            await keeper.storage.table("neverMade").write("p", Replace("k", {"n": 2}, etag))

    async def test_lets_exactly_one_of_many_at_once_win(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"n": 0}))

        answers = await asyncio.gather(
            *(keeper.table.write("p", Replace("k", {"n": n}, etag)) for n in range(1, 9)), return_exceptions=True
        )

        assert sum(isinstance(answer, RowChangedError) for answer in answers) == 7

    @pytest.mark.parametrize("etag", ["", "*", "bad\r\nX-Header: 1", "é"])
    async def test_takes_only_etags_that_storage_gave(self, keeper: Keeper, etag: str) -> None:
        await keeper.table.write("p", Insert("k", {"n": 1}))

        with pytest.raises(ValueError, match="etag"):
            await keeper.table.write("p", Replace("k", {"n": 2}, etag))


class TestUpsert:
    async def test_writes_where_there_was_none_and_over_what_there_was(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Upsert("k", {"old": 1}))

        (etag,) = await keeper.table.write("p", Upsert("k", {"new": 2}))

        assert await kept(keeper, "k") == Row(partition="p", key="k", values={"new": 2}, etag=etag)


class TestDelete:
    async def test_removes_the_row_that_was_read(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"n": 1}))

        assert list(await keeper.table.write("p", Delete("k", etag))) == [""]
        assert await keeper.table.get("p", "k") is None

    async def test_refuses_when_somebody_wrote_since(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"n": 1}))
        await keeper.table.write("p", Upsert("k", {"n": 2}))

        with pytest.raises(RowChangedError):
            await keeper.table.write("p", Delete("k", etag))

        assert (await kept(keeper, "k")).values == {"n": 2}

    async def test_refuses_when_the_row_is_gone(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("k", {"n": 1}))
        await keeper.table.write("p", Delete("k", etag))

        with pytest.raises(RowChangedError):
            await keeper.table.write("p", Delete("k", etag))


class TestTransaction:
    async def test_does_all_kinds_of_writes_at_once_and_returns_their_etags(self, keeper: Keeper) -> None:
        replaced, deleted = await keeper.table.write("p", Insert("a", {"n": 1}), Insert("b", {"n": 1}))

        etags = await keeper.table.write(
            "p",
            Replace("a", {"n": 2}, replaced),
            Delete("b", deleted),
            Insert("c", {"n": 3}),
            Upsert("d", {"n": 4}),
        )

        rows = await keeper.all_rows("p")
        assert [(row.key, row.values["n"]) for row in rows] == [("a", 2), ("c", 3), ("d", 4)]
        assert etags[1] == ""
        assert [etags[0], etags[2], etags[3]] == [row.etag for row in rows]

    async def test_returned_etags_are_good_for_the_next_write(self, keeper: Keeper) -> None:
        first, second = await keeper.table.write("p", Insert("a", {"n": 1}), Insert("b", {"n": 1}))

        await keeper.table.write("p", Replace("a", {"n": 2}, first), Delete("b", second))

        assert [row.key for row in await keeper.all_rows("p")] == ["a"]

    async def test_does_nothing_when_one_row_exists(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("there", {"n": 1}))

        with pytest.raises(RowExistsError) as refusal:
            await keeper.table.write("p", Upsert("other", {}), Insert("there", {"n": 2}), Insert("new", {}))

        assert refusal.value.key == "there"
        assert await keeper.all_rows("p") == [Row(partition="p", key="there", values={"n": 1}, etag=etag)]

    async def test_does_nothing_when_one_row_changed(self, keeper: Keeper) -> None:
        stale, _ = await keeper.table.write("p", Insert("a", {"n": 1}), Insert("b", {"n": 1}))
        await keeper.table.write("p", Upsert("a", {"n": 2}))
        before = await keeper.all_rows("p")

        with pytest.raises(RowChangedError) as refusal:
            await keeper.table.write("p", Insert("log", {}), Replace("a", {"n": 3}, stale), Upsert("b", {"n": 3}))

        assert refusal.value.key == "a"
        assert await keeper.all_rows("p") == before

    async def test_does_nothing_when_one_row_to_replace_is_gone(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("gone", {}))
        await keeper.table.write("p", Delete("gone", etag))

        with pytest.raises(RowChangedError) as refusal:
            await keeper.table.write("p", Insert("log", {}), Replace("gone", {}, etag))

        assert refusal.value.key == "gone"
        assert await keeper.all_rows("p") == []

    async def test_does_nothing_when_one_row_to_delete_is_gone(self, keeper: Keeper) -> None:
        (etag,) = await keeper.table.write("p", Insert("gone", {}))
        await keeper.table.write("p", Delete("gone", etag))

        with pytest.raises(RowChangedError) as refusal:
            await keeper.table.write("p", Insert("log", {}), Delete("gone", etag))

        assert refusal.value.key == "gone"
        assert await keeper.all_rows("p") == []

    async def test_tells_the_first_of_several_conflicts(self, keeper: Keeper) -> None:
        (stale,) = await keeper.table.write("p", Insert("a", {}))
        await keeper.table.write("p", Upsert("a", {}), Insert("b", {}))

        with pytest.raises(RowChangedError) as refusal:
            await keeper.table.write("p", Replace("a", {}, stale), Insert("b", {}))

        assert refusal.value.key == "a"

    async def test_tells_a_missing_table(self, keeper: Keeper) -> None:
        with pytest.raises(StorageSetupError):
            await keeper.storage.table("neverMade").write("p", Insert("a", {}), Insert("b", {}))

    async def test_refuses_one_row_twice(self, keeper: Keeper) -> None:
        with pytest.raises(ValueError, match="twice"):
            await keeper.table.write("p", Insert("a", {}), Upsert("a", {}))

        assert await keeper.all_rows("p") == []

    async def test_refuses_no_writes(self, keeper: Keeper) -> None:
        with pytest.raises(ValueError, match="nothing to write"):
            await keeper.table.write("p")

    async def test_keeps_text_of_any_script_and_line_ends_in_its_rows(self, keeper: Keeper) -> None:
        text = "Zoë 東京 𝄞\r\n--boundary\r\n\nHTTP/1.1 409 Conflict\u2028"

        await keeper.table.write("p", Insert("a", {"text": text}), Insert("ключ ü", {"text": text}))

        assert (await kept(keeper, "a")).values["text"] == text
        assert (await kept(keeper, "ключ ü")).values["text"] == text


class TestCreateMissing:
    async def test_twice_changes_nothing(self, keeper: Keeper) -> None:
        await keeper.storage.create_missing(tables=["madeTwice"], queues=["made-twice"])
        await keeper.storage.table("madeTwice").write("p", Upsert("k", {"n": 1}))

        await keeper.storage.create_missing(tables=["madeTwice"], queues=["made-twice"])

        assert await keeper.storage.table("madeTwice").get("p", "k") is not None

    @pytest.mark.parametrize("name", ["", "ab", "with-dash", "1st", "x" * 64, "a b"])
    async def test_refuses_names_that_no_table_can_have(self, keeper: Keeper, name: str) -> None:
        with pytest.raises(ValueError, match="table"):
            await keeper.storage.create_missing(tables=[name], queues=[])

    @pytest.mark.parametrize("name", ["", "ab", "Upper", "two--dashes", "-first", "x" * 64, "a_b"])
    async def test_refuses_names_that_no_queue_can_have(self, keeper: Keeper, name: str) -> None:
        with pytest.raises(ValueError, match="queue"):
            await keeper.storage.create_missing(tables=[], queues=[name])
