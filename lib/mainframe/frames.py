"""Length-prefixed frames over a byte stream, as IMS Connect does.

LL (two bytes, big-endian, counting itself), ZZ (two zero bytes), then the payload.
"""

import asyncio

from lib.mainframe.errors import FrameError

HEADER_LENGTH = 4
MAX_FRAME_LENGTH = 32_767
_ZZ = b"\x00\x00"


def framed(payload: bytes, *, max_length: int = MAX_FRAME_LENGTH) -> bytes:
    """Return the frame around a payload. Raises FrameError when it would be longer than allowed."""
    length = len(payload) + HEADER_LENGTH
    if length > max_length:
        raise FrameError(f"a frame of {length} bytes is longer than {max_length}")
    return length.to_bytes(2, "big") + _ZZ + payload


async def read_frame(reader: asyncio.StreamReader, *, max_length: int = MAX_FRAME_LENGTH) -> bytes | None:
    """Return the payload of the next frame, or None when the peer closed between two frames.

    Raises:
        FrameError: the stream ended inside a frame, or what arrived is not a frame; the stream cannot be used further.
    """
    try:
        header = await reader.readexactly(HEADER_LENGTH)
    except asyncio.IncompleteReadError as cut:
        if not cut.partial:
            return None
        raise FrameError("the stream ended inside a frame's header") from None
    length = int.from_bytes(header[:2], "big")
    if header[2:] != _ZZ or length < HEADER_LENGTH:
        raise FrameError("what arrived is not a frame")
    if length > max_length:
        raise FrameError(f"a frame of {length} bytes is longer than {max_length}")
    try:
        return await reader.readexactly(length - HEADER_LENGTH)
    except asyncio.IncompleteReadError:
        raise FrameError("the stream ended inside a frame") from None
