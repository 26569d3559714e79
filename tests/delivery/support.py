"""What the tests of the protocol do to a world: create, amend, wake up, ask."""

from datetime import timedelta

from lib.changes.operation import Operation
from lib.customers.models import CustomerDetails
from lib.customers.patch import CustomerPatch
from lib.mainframe.status import DeliveryStatusState
from lib.messaging.catalogue import Subject
from lib.messaging.envelope import WakeUp
from local.faults.taps import When
from local.simulation.world import World


async def quiet(point: str, when: When) -> None: ...


async def create(world: World, **fields: object) -> str:
    details = CustomerDetails.model_validate({"lastName": "Lovelace", "email": "ada@example.com", **fields})
    name = world.platform.ids.new("att")
    operation = Operation(name="create_customer", id=name, attempt=name, actor="test")
    return (await world.platform.customers.create(details=details, operation=operation)).entity_id


async def amend(world: World, customer_id: str, version: int) -> None:
    name = world.platform.ids.new("att")
    await world.platform.customers.amend(
        customer_id=customer_id,
        patch=CustomerPatch.model_validate({"title": f"T{version}"}),
        expected_version=version,
        operation=Operation(name="update_customer", id=name, attempt=name, actor="test"),
    )


def wake_up(world: World, customer_id: str, version: int, *, deadline_seconds: float = 75) -> WakeUp:
    now = world.clock.now()
    return WakeUp(
        subject=Subject.CUSTOMER,
        id=customer_id,
        version=version,
        accepted_at=now,
        deadline=now + timedelta(seconds=deadline_seconds),
    )


async def state_of(world: World, customer_id: str) -> DeliveryStatusState:
    status = await world.platform.customer_deliveries.of(customer_id, partition=customer_id)
    assert status is not None
    return status.state


async def messages(world: World, queue: str) -> int:
    return (await world.storage.queue(queue).depth()).messages
