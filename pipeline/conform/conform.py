"""A band found, and its promises tried; the entry to it all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from pipeline.conform.probe import FIND_S, Probe
from pipeline.conform.promise import Kept, Promise, is_kept
from pipeline.conform.trials import tried
from sensor.ble.finder import find
from sensor.errors import LinkError

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral


async def promises(
    wanted: str | None,
    *,
    central: BumbleCentral | None = None,
    pair: bool = False,
    changing: bool = False,
) -> AsyncIterator[Promise]:
    """Connect to a band and try one promise after the other.

    Parameters
    ----------
    wanted
        Its address or name; the first one heard by default.
    changing
        Also try what changes the band's calibration and rate, and set them back.

    Raises
    ------
    LinkError
        If there is no band, or no Bluetooth.
    """
    found = await find(wanted, FIND_S, central=central)
    advertises = "advertises the band's service"
    if not found.is_band:
        of = "is a device that nobody here knows"
        if found.driver is not None:
            able = found.driver.capabilities.words()
            of = (
                f"is a {found.driver.title} ({able}): `forceband live` takes it, and its maker "
                "promises nothing of this"
            )
        yield Promise(advertises, Kept.NO, f"{found.name or found.address} {of}")
        return
    yield Promise(advertises, Kept.YES)
    fits = 0 < len((found.name or "").encode()) <= 8
    yield is_kept("advertises a name of at most 8 bytes", fits, f"it is {found.name!r}")
    probe = Probe(found, central, pair=pair)
    try:
        async for each in tried(probe, changing=changing):
            yield each
    except LinkError as error:
        yield Promise("keeps the link and answers", Kept.NO, str(error))
    finally:
        await probe.leave()
