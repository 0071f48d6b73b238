"""bumble's exceptions as bleak's."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterator
from contextlib import contextmanager

from bleak.exc import BleakError, BleakGATTProtocolError
from bumble import att, core, hci


@contextmanager
def bleak_errors(doing: str) -> Iterator[None]:
    """Raise bleak's exceptions for bumble's; `doing` starts the message.

    bumble cancels what waits for an answer when the link is lost: a cancellation that nobody asked
    this task for is a lost link.
    """
    try:
        yield
    except att.ATT_Error as error:
        raise BleakGATTProtocolError(int(error.error_code)) from error
    except asyncio.CancelledError:
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise BleakError(f"{doing}: the link was lost") from None
    except core.TimeoutError as error:
        raise TimeoutError(f"{doing}: no answer") from error
    except hci.HCI_Error as error:
        raise BleakError(f"{doing}: {hci.HCI_Constant.error_name(error.error_code)}") from error
    except (core.BaseBumbleError, AssertionError, struct.error, ValueError, IndexError) as error:
        # bumble also raises the last three on what a peer sends.
        raise BleakError(f"{doing}: {str(error) or type(error).__name__}") from error
