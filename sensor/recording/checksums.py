"""Checksums of what a band says of itself: one bit of it would change every force.

Force frames carry their own. The CRC-32 of a row is a fact of the recording, `crc32/` and the row's
number; rows of older recordings have none.
"""

from __future__ import annotations

from zlib import crc32

from sensor.samples import Channel, Notification

PREFIX = "crc32/"
RESEND = b"\x06"
"""What answers to a resend begin with: they are many, and nothing is computed from them."""
SUMMED = (Channel.INFO, Channel.RESPONSE)


def is_summed(channel: int, payload: bytes) -> bool:
    """Whether a row gets a checksum: all that calibrations, rates and counts are taken from."""
    if channel == Channel.RESPONSE:
        return payload[:1] != RESEND
    return channel == Channel.INFO


def checksum(notification: Notification) -> int:
    """Of a row's channel and payload."""
    return _checksum(notification.payload, notification.channel)


def mended(payload: bytes, channel: int, wanted: int) -> bytes | None:
    """The payload that has this checksum: as it is, or with one bit turned; None if there is none.

    A CRC-32 tells all single bits of some hundred bytes apart.
    """
    if _checksum(payload, channel) == wanted:
        return payload
    turned = bytearray(payload)
    for bit in range(8 * len(payload)):
        turned[bit // 8] ^= 1 << bit % 8
        if _checksum(turned, channel) == wanted:
            return bytes(turned)
        turned[bit // 8] ^= 1 << bit % 8
    return None


def _checksum(payload: bytes | bytearray, channel: int) -> int:
    return crc32(payload, channel)
