from local.azurite import Azurite
from local.bench.storage import IN_FLIGHT, compare, table_of


class TestCompare:
    async def test_measures_both_sides_at_all_kinds_of_work(self, azurite: Azurite) -> None:
        results = await compare(azurite.connection_string, seconds=0.02, rounds=1)

        assert len(results) == 5 * len(IN_FLIGHT)
        assert all(result["ours"]["perSecond"] > 0 and result["sdk"]["perSecond"] > 0 for result in results)
        assert "queue send" in table_of(results)
