import pytest

from lib.storage.errors import RowTooLargeError
from lib.storage.ports import Insert, Upsert, Value
from tests.contracts.conftest import Keeper

KIB = 1024


class TestWrite:
    @pytest.mark.parametrize("value", ["x" * 32 * KIB, "ü" * 32 * KIB, "𝄞" * 16 * KIB, b"\xff" * 64 * KIB], ids=len)
    async def test_takes_a_value_of_64_kib(self, keeper: Keeper, value: Value) -> None:
        await keeper.table.write("p", Insert("k", {"value": value}))

        row = await keeper.table.get("p", "k")
        assert row is not None
        assert row.values["value"] == value

    @pytest.mark.parametrize("value", ["x" * (32 * KIB + 1), "𝄞" * (16 * KIB + 1), b"\xff" * (64 * KIB + 1)], ids=len)
    async def test_refuses_a_larger_value(self, keeper: Keeper, value: Value) -> None:
        with pytest.raises(RowTooLargeError):
            await keeper.table.write("p", Insert("k", {"value": value}))

        assert await keeper.table.get("p", "k") is None

    async def test_takes_a_row_just_below_1_mib(self, keeper: Keeper) -> None:
        values = {f"v{n}": b"x" * 64 * KIB for n in range(15)} | {"last": b"x" * 65_000}

        await keeper.table.write("p", Insert("k", values))

        row = await keeper.table.get("p", "k")
        assert row is not None
        assert row.values == values

    async def test_refuses_a_row_over_1_mib(self, keeper: Keeper) -> None:
        with pytest.raises(RowTooLargeError):
            await keeper.table.write("p", Insert("k", {f"v{n}": "x" * 32 * KIB for n in range(16)}))

    async def test_takes_252_values_and_no_more(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("k", {f"v{n}": n for n in range(252)}))

        with pytest.raises(RowTooLargeError):
            await keeper.table.write("p", Upsert("k", {f"v{n}": n for n in range(253)}))

        row = await keeper.table.get("p", "k")
        assert row is not None
        assert len(row.values) == 252

    async def test_takes_a_transaction_of_100_rows_and_no_more(self, keeper: Keeper) -> None:
        await keeper.table.write("p", *(Insert(f"k{n:03}", {}) for n in range(100)))

        with pytest.raises(RowTooLargeError):
            await keeper.table.write("q", *(Insert(f"k{n:03}", {}) for n in range(101)))

        assert len(await keeper.all_rows("p")) == 100
        assert await keeper.all_rows("q") == []

    async def test_takes_a_transaction_below_4_mib_and_none_above(self, keeper: Keeper) -> None:
        values = {f"v{n}": "x" * 32_000 for n in range(15)}
        await keeper.table.write("p", *(Insert(f"k{n}", values) for n in range(8)))

        with pytest.raises(RowTooLargeError):
            await keeper.table.write("q", *(Insert(f"k{n}", values) for n in range(9)))

        assert len(await keeper.all_rows("p")) == 8
        assert await keeper.all_rows("q") == []
