"""What went wrong with Bluetooth, as one sentence that helps."""

from __future__ import annotations

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakCharacteristicNotFoundError,
    BleakDBusError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from sensor.errors import LinkError

WITHOUT = "or try `forceband demo`, which needs no Bluetooth"
NO_BLUETOOTH = (
    "there is no Bluetooth on this computer: plug in an adapter and start its service, "
    f"name another radio with --transport, {WITHOUT}"
)
_REASONS = {
    BleakBluetoothNotAvailableReason.NO_BLE_CENTRAL_ROLE: (
        "this Bluetooth adapter knows no Bluetooth LE: plug in a newer one, "
        f"name another radio with --transport, {WITHOUT}"
    ),
    BleakBluetoothNotAvailableReason.POWERED_OFF: (
        "Bluetooth is switched off: switch it on in the settings or with `bluetoothctl power on`"
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_USER: (
        "this program may not use Bluetooth: allow it in the system's privacy settings"
    ),
    BleakBluetoothNotAvailableReason.DENIED_BY_SYSTEM: (
        "the system does not let this program use Bluetooth: ask its administrator"
    ),
}
_DBUS = {
    "org.freedesktop.DBus.Error.ServiceUnknown": (
        "the Bluetooth service does not run: start it with `sudo systemctl start bluetooth`, "
        f"{WITHOUT}"
    ),
    "org.freedesktop.DBus.Error.AccessDenied": (
        "this user may not use Bluetooth: add it to the group `bluetooth` and log in again"
    ),
    "org.bluez.Error.NotReady": _REASONS[BleakBluetoothNotAvailableReason.POWERED_OFF],
    "org.bluez.Error.InProgress": (
        "another program is using the Bluetooth adapter: close it, or try again in a moment"
    ),
    "org.bluez.Error.AuthenticationFailed": (
        "the band refused to pair: forget it with `bluetoothctl remove ADDRESS` and try again"
    ),
}
_NEEDS_PAIRING = (
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHENTICATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_AUTHORIZATION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION,
    BleakGATTProtocolErrorCode.INSUFFICIENT_ENCRYPTION_KEY_SIZE,
)

BLUETOOTH_ERRORS = (BleakError, OSError, EOFError)
"""All that bleak and its backends raise where Bluetooth does not do what it should."""


def link_error(error: BaseException, band: str, address: str | None = None) -> LinkError:
    """The error to raise instead of bleak's. `band` says which band, as the subject."""
    return LinkError(_sentence(error, band), address)


def _sentence(error: BaseException, band: str) -> str:
    match error:
        case LinkError():
            return str(error)
        case BleakBluetoothNotAvailableError():
            message = str(error.args[0]).rstrip(".")
            if error.reason is BleakBluetoothNotAvailableReason.NO_BLUETOOTH:
                return f"{message}: plug in an adapter, check --transport, {WITHOUT}"
            return _REASONS.get(error.reason, f"Bluetooth is not available: {message}")
        case BleakDeviceNotFoundError():
            return f"{band} was not found: switch it on, and bring it near"
        case BleakCharacteristicNotFoundError():
            return (
                f"{band} has no characteristic {error.char_specifier}: "
                "it is no forceband, or its firmware is of another version"
            )
        case BleakGATTProtocolError() if error.code in _NEEDS_PAIRING:
            return f"{band} wants to be paired first: use --pair"
        case BleakDBusError():
            return _DBUS.get(error.dbus_error, f"Bluetooth failed with {band}: {error}")
        case TimeoutError():
            return (
                f"{band} does not answer: bring it near, and close other programs and phones "
                "that are connected to it"
            )
        case FileNotFoundError() | ConnectionRefusedError():
            # The D-Bus system bus, on which bleak asks for BlueZ.
            return NO_BLUETOOTH
        case PermissionError():
            return _DBUS["org.freedesktop.DBus.Error.AccessDenied"]
        case _:
            return f"the link to {band} failed: {str(error) or repr(error)}"
