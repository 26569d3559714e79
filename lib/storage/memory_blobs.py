"""Containers in memory: the twin of Azure's blobs for tests and simulations."""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from typing import Final

from lib.storage import limits
from lib.storage.errors import BlobChangedError, BlobMissingError, StorageSetupError
from lib.storage.ports import BlobInfo

_ETAGS: Final = count(1)


class MemoryBlobs:
    """One container."""

    def __init__(self) -> None:
        """Begin empty and not created."""
        self.exists = False
        self._kept: dict[str, tuple[bytes, str]] = {}

    async def put(self, name: str, body: bytes | AsyncIterator[bytes]) -> BlobInfo:
        """Keep a blob, whole or not at all."""
        limits.check_blob_name(name)
        content = body if isinstance(body, bytes) else b"".join([piece async for piece in body])
        await self._arrive()
        return self._keep(name, content)

    async def info(self, name: str) -> BlobInfo | None:
        """Return what a blob is."""
        limits.check_blob_name(name)
        await self._arrive()
        kept = self._kept.get(name)
        return BlobInfo(len(kept[0]), kept[1]) if kept else None

    async def read(self, name: str, *, start: int, length: int) -> bytes:
        """Return a part of a blob."""
        limits.check_blob_name(name)
        limits.check_range(start, length)
        await self._arrive()
        if name not in self._kept:
            raise BlobMissingError("there is no such blob")
        return self._kept[name][0][start : start + length]

    async def append(self, name: str, body: bytes, *, at: int) -> int:
        """Add to the end of a log whose end the writer knows."""
        limits.check_blob_name(name)
        limits.check_append(body, at)
        await self._arrive()
        before = self._kept.get(name, (b"", ""))[0]
        if len(before) != at:
            raise BlobChangedError("the log has another length")
        return self._keep(name, before + body).size

    async def delete(self, name: str) -> None:
        """Remove a blob."""
        limits.check_blob_name(name)
        await self._arrive()
        self._kept.pop(name, None)

    def names(self) -> list[str]:
        """Return the names of all blobs at this instant, for those who look at what was left."""
        return sorted(self._kept)

    def _keep(self, name: str, content: bytes) -> BlobInfo:
        info = BlobInfo(len(content), f'"{next(_ETAGS)}"')
        self._kept[name] = content, info.etag
        return info

    async def _arrive(self) -> None:
        await asyncio.sleep(0)
        if not self.exists:
            raise StorageSetupError("the container does not exist")
