"""Where the live page is found: its address, the address as a code to scan, and why it is not."""

from __future__ import annotations

import errno
import io
import ipaddress
import socket

import qrcode

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def page_url(host: str, port: int) -> str:
    """An address to type: that of this machine on its network where `host` means all of them."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return f"http://{host}:{port}/"
    if address.is_unspecified:
        address = own_address(address.version)
    return f"http://[{address}]:{port}/" if address.version == 6 else f"http://{address}:{port}/"


def own_address(version: int = 4) -> Address:
    """This machine's address on its network: where a packet would leave from. None is sent."""
    # Addresses reserved for documentation: routed like any other, and nobody's.
    family, far, here = {
        4: (socket.AF_INET, "192.0.2.1", "127.0.0.1"),
        6: (socket.AF_INET6, "2001:db8::1", "::1"),
    }[version]
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as plug:
            plug.connect((far, 9))
            return ipaddress.ip_address(plug.getsockname()[0])
    except OSError:
        return ipaddress.ip_address(here)


def qr_text(url: str) -> str:
    """`url` as a QR code of half-block characters, for a terminal with light text on dark."""
    code = qrcode.QRCode(border=2, error_correction=qrcode.ERROR_CORRECT_L)
    code.add_data(url)
    out = io.StringIO()
    code.print_ascii(out=out, invert=True)
    return out.getvalue()


def why_not(host: str, port: int, error: OSError) -> str:
    """A sentence for a server that could not listen."""
    where = f"port {port} on {host}"
    if error.errno == errno.EADDRINUSE:
        return (
            f"the live page cannot have {where}: another program uses it. "
            "Choose another port, or 0 for any free one"
        )
    if error.errno == errno.EACCES:
        return f"the live page may not have {where}: choose a port from 1024 up"
    return f"the live page cannot listen at {where}: {error.strerror or error}"
