"""Bonds kept in a file that only this user can read."""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from pathlib import Path
from typing import Any

from bumble import hci
from bumble.keys import JsonKeyStore


class BondFile(JsonKeyStore):  # type: ignore[misc]
    """bumble's JSON key store, with its keys kept from other users."""

    async def save(self, db: dict[str, Any]) -> None:
        """Replace the file as a whole."""
        _write_privately(Path(self.filename), json.dumps(db, sort_keys=True, indent=1))

    async def delete(self, name: str) -> None:
        """Forget a bond; nothing happens where there is none."""
        db, keys = await self.load()
        if keys.pop(name, None) is not None:
            await self.save(db)


def own_address(bonds: Path | None) -> hci.Address:
    """A static random address: another one each time, or always the same for a file of bonds.

    A peer knows its bonded central by this address.
    """
    if bonds is None:
        return hci.Address.generate_static_address()
    seed = f"{uuid.getnode()} {bonds.resolve()}".encode()
    octets = bytearray(hashlib.sha256(seed).digest()[:6])
    octets[5] |= 0xC0
    return hci.Address(bytes(octets), hci.Address.RANDOM_DEVICE_ADDRESS)


def _write_privately(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as output:  # noqa: PTH123 - a descriptor
        output.write(text)
    temporary.replace(path)
