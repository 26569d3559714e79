"""The list of customers, the change log, and reading under ETags. Feature 1 has its writes in test_create_and_amend."""

import json

from local.simulation.world import World
from tests.customers.support import details, operation, patch


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
