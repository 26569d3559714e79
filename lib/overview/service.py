"""What we tell of a customer in one look."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lib.customers.service import CustomerNotFoundError, CustomerService, check_customer_id
from lib.overview.sections import NothingReadError, Reader, Section, SectionStatus, read_sections

PROFILE: Final = "profile"


@dataclass(frozen=True, slots=True)
class OverviewService:
    """Reads all that is known of a customer."""

    customers: CustomerService
    limit_seconds: float

    async def read(self, *, customer_id: str, readers: Mapping[str, Reader]) -> dict[str, Section]:
        """Return what these readers find, section by section; what one cannot read, the others still tell.

        The profile is read in any case, as it alone says whether there is such a customer.

        Raises:
            CustomerNotFoundError: there is no such customer.
            NothingReadError: no section could be read.
        """
        check_customer_id(customer_id)

        async def profile() -> str:
            return (await self.customers.read(customer_id=customer_id)).document

        found = await read_sections({**readers, PROFILE: profile}, limit_seconds=self.limit_seconds)
        for section in found.values():
            if isinstance(section.problem, CustomerNotFoundError):
                raise section.problem
        if all(section.status is not SectionStatus.OK for section in found.values()):
            raise NothingReadError
        return found
