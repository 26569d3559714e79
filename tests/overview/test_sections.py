"""Feature 12: a section that fails or is slow says so, and the others are read as if it were not there."""

import asyncio
import logging

import pytest

from lib.errors import NotFoundError
from lib.overview.sections import SectionStatus, read_sections
from lib.storage.errors import StorageUnavailableError

LONG = 60.0


async def good() -> str:
    return '{"a":1}'


async def slow() -> str:
    await asyncio.sleep(LONG)
    return "{}"


async def missing() -> str:
    raise NotFoundError("There is no such thing.")


async def broken_storage() -> str:
    raise StorageUnavailableError("a name that callers must not see")


async def storage_that_timed_out() -> str:
    raise TimeoutError


async def defect() -> str:
    raise KeyError("a value that callers must not see")


class TestReadSections:
    async def test_returns_what_each_found(self) -> None:
        found = await read_sections({"one": good, "two": good}, limit_seconds=LONG)

        assert list(found) == ["one", "two"]
        assert {section.data for section in found.values()} == {'{"a":1}'}

    async def test_reads_them_side_by_side(self) -> None:
        met = asyncio.Barrier(3)

        async def wait_for_the_others() -> str:
            await met.wait()
            return "1"

        found = await read_sections(dict.fromkeys("abc", wait_for_the_others), limit_seconds=LONG)

        assert all(section.status is SectionStatus.OK for section in found.values())

    async def test_cuts_off_what_is_slow(self) -> None:
        found = await read_sections({"slow": slow, "good": good}, limit_seconds=0.01)

        assert (found["slow"].status, found["slow"].data) == (SectionStatus.TIMED_OUT, None)
        assert found["slow"].problem is not None
        assert found["slow"].problem.kind == "section-slow"
        assert found["good"].status is SectionStatus.OK

    @pytest.mark.parametrize(
        ("reader", "kind"),
        [
            (missing, "not-found"),
            (broken_storage, "unavailable"),
            (defect, "internal-error"),
            (storage_that_timed_out, "internal-error"),
        ],
    )
    async def test_tells_why_one_failed_and_reads_the_others(self, reader: object, kind: str) -> None:
        found = await read_sections({"bad": reader, "good": good}, limit_seconds=LONG)  # type: ignore[dict-item]

        assert (found["bad"].status, found["good"].status) == (SectionStatus.FAILED, SectionStatus.OK)
        assert found["bad"].problem is not None
        assert found["bad"].problem.kind == kind
        assert "must not see" not in str(found["bad"].problem)

    async def test_logs_a_defect_with_its_stack(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.ERROR):
            await read_sections({"bad": defect}, limit_seconds=LONG)

        [record] = caplog.records
        assert "section.defect" in record.getMessage()
        assert record.exc_info

    async def test_ends_with_who_asked(self) -> None:
        asking = asyncio.create_task(read_sections({"slow": slow}, limit_seconds=LONG))
        await asyncio.sleep(0)

        asking.cancel()

        with pytest.raises(asyncio.CancelledError):
            await asking
