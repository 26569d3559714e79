import math
from datetime import UTC, datetime, timedelta, timezone
from enum import IntEnum, StrEnum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lib.storage.limits import is_legal_key
from lib.storage.ports import Insert, Replace, Upsert, Value
from tests.contracts.conftest import Keeper


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


async def there_and_back(keeper: Keeper, value: Value) -> Value:
    await keeper.table.write("p", Upsert("k", {"value": value}))
    row = await keeper.table.get("p", "k")
    assert row is not None
    (from_page,) = await keeper.all_rows("p")
    assert repr(from_page) == repr(row)
    return row.values["value"]


class TestValues:
    @pytest.mark.parametrize(
        "value",
        [
            0, 1, -1, 2**31 - 1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63),
            0.0, 1.0, -2.0, 0.1, 1e308, 5e-324, 1e16, math.inf, -math.inf,
            True, False,
            "", " ", "plain", "it's \"quoted\" \\ <&>", "2026-01-01T00:00:00Z", "true", "12", "null",
            "Zoë", "Zoe\u0308", "東京", "𝄞", "\u2028\u2029", "\u202eevil", "\ufeffbom",
            "\x00nul", "a\r\nb\tc\x1f\x7f\x85", "\ufffe",
            b"", b"\x00\x01\xff", b"text",
            datetime(2026, 3, 4, 5, 6, 7, 891234, tzinfo=UTC),
            datetime(1601, 1, 1, tzinfo=UTC),
            datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
        ],
        ids=repr,
    )  # fmt: skip
    async def test_come_back_as_they_were_with_their_type(self, keeper: Keeper, value: Value) -> None:
        back = await there_and_back(keeper, value)

        assert back == value
        assert type(back) is type(value)

    async def test_not_a_number_comes_back(self, keeper: Keeper) -> None:
        back = await there_and_back(keeper, math.nan)

        assert isinstance(back, float)
        assert math.isnan(back)

    async def test_times_come_back_in_utc(self, keeper: Keeper) -> None:
        moment = datetime(2026, 3, 4, 5, 6, 7, 8, tzinfo=timezone(timedelta(hours=14)))

        back = await there_and_back(keeper, moment)

        assert back == moment
        assert isinstance(back, datetime)
        assert back.utcoffset() == timedelta(0)

    @pytest.mark.parametrize(("value", "plain"), [(Colour.RED, "red"), (Level.HIGH, 3)])
    async def test_enumerations_come_back_as_their_plain_value(
        self, keeper: Keeper, value: Value, plain: Value
    ) -> None:
        back = await there_and_back(keeper, value)

        assert back == plain
        assert type(back) is type(plain)

    async def test_a_row_without_values_is_a_row(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("k", {}))

        row = await keeper.table.get("p", "k")

        assert row is not None
        assert row.values == {}

    async def test_a_kept_row_does_not_follow_the_writers_dict(self, keeper: Keeper) -> None:
        values: dict[str, Value] = {"n": 1}
        await keeper.table.write("p", Insert("k", values))

        values["n"] = 2

        row = await keeper.table.get("p", "k")
        assert row is not None
        assert row.values == {"n": 1}

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("half \ud83d pair", "surrogate"),
            (2**63, "64 bits"),
            (-(2**63) - 1, "64 bits"),
            (datetime(2026, 1, 1), "offset"),  # noqa: DTZ001 - naive on purpose
            (datetime(1600, 12, 31, 23, 59, 59, tzinfo=UTC), "1601"),
            (None, "type"),
            (["list"], "type"),
            ({"a": 1}, "type"),
        ],
        ids=repr,
    )
    async def test_that_no_row_can_hold_are_refused(self, keeper: Keeper, value: Value, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            await keeper.table.write("p", Insert("k", {"value": value}))

        assert await keeper.table.get("p", "k") is None

    @pytest.mark.parametrize(
        "name", ["", "bad-name", "1st", "a b", "PartitionKey", "RowKey", "Timestamp", "x@odata.type", "n" * 256]
    )
    async def test_names_that_no_value_can_have_are_refused(self, keeper: Keeper, name: str) -> None:
        with pytest.raises(ValueError, match="cannot name a value"):
            await keeper.table.write("p", Insert("k", {name: 1}))

    @given(
        values=st.dictionaries(
            st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
                lambda n: n not in {"PartitionKey", "RowKey", "Timestamp"}
            ),
            st.one_of(
                st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
                st.integers(-(2**63), 2**63 - 1),
                st.floats(allow_nan=False),
                st.booleans(),
                st.binary(max_size=60),
                st.datetimes(datetime(1601, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - the strategy adds the zone
            ),
            max_size=8,
        )
    )
    @settings(
        max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
    )  # the row is written over by each example
    async def test_any_row_comes_back(self, keeper: Keeper, values: dict[str, Value]) -> None:
        await keeper.table.write("p", Upsert("k", values))

        row = await keeper.table.get("p", "k")

        assert row is not None
        assert row.values == values
        assert {name: type(value) for name, value in row.values.items()} == {n: type(v) for n, v in values.items()}


class TestKeys:
    @pytest.mark.parametrize(
        "key",
        ["k", "it's", "a b", "a%2fb", "a%b", "ü", "東京~1", "𝄞", "x" * 512, "𝄞" * 256,
         "()=,;:@&+$!*\"'<>|^`{}[]~.", ".", ".."],
    )  # fmt: skip
    async def test_that_are_legal_address_a_row_alone_and_in_a_transaction(self, keeper: Keeper, key: str) -> None:
        assert is_legal_key(key)
        await keeper.table.write(key, Insert(key, {"n": 1}))
        row = await keeper.table.get(key, key)
        assert row is not None
        assert (row.partition, row.key) == (key, key)

        (etag, _) = await keeper.table.write(key, Replace(key, {"n": 2}, row.etag), Insert("second", {}))

        row = await keeper.table.get(key, key)
        assert row is not None
        assert row.etag == etag
        assert key in [one.key for one in await keeper.all_rows(key, from_key=key, limit=1)]

    async def test_composed_and_decomposed_letters_are_two_keys(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("é", {"form": "NFC"}), Insert("e\u0301", {"form": "NFD"}))

        composed = await keeper.table.get("p", "é")
        decomposed = await keeper.table.get("p", "e\u0301")

        assert composed is not None
        assert decomposed is not None
        assert (composed.values["form"], decomposed.values["form"]) == ("NFC", "NFD")

    async def test_case_makes_two_keys(self, keeper: Keeper) -> None:
        await keeper.table.write("p", Insert("A", {}), Insert("a", {}))

        assert len(await keeper.all_rows("p")) == 2

    @pytest.mark.parametrize(
        "key",
        ["", "a/b", "a\\b", "a#b", "a?b", "\x00", "a\tb", "a\nb", "\x7f", "\x85", "x" * 513, "𝄞" * 257, "\ud800"],
        ids=repr,
    )
    async def test_that_are_illegal_are_refused_before_the_wire(self, keeper: Keeper, key: str) -> None:
        assert not is_legal_key(key)
        for call in (
            keeper.table.get("p", key),
            keeper.table.get(key, "k"),
            keeper.table.page(key),
            keeper.table.write("p", Insert(key, {})),
            keeper.table.write(key, Insert("k", {})),
        ):
            with pytest.raises(ValueError, match=r"key|surrogate"):
                await call
