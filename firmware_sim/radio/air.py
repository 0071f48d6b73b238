"""The air between virtual Bluetooth controllers: who hears whom, and what goes wrong on the way.

bumble brings controllers and a bus between them; here they are made fit for use. A link keeps its
order, can be shaped like a radio's, disturbed PDU by PDU, and lost on one side or on both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from bumble import hci, ll
from bumble.controller import Connection
from bumble.link import LocalLink
from bumble.transport.common import Transport

from firmware_sim.radio.controller import VirtualController
from firmware_sim.radio.lane import Shape

SUPERVISION_TIMEOUT_S = 4.0
"""What phones and BlueZ commonly ask for."""

Fault = Callable[[Any, Any, bytes], "bytes | tuple[float, bytes] | None"]
"""What becomes of one L2CAP PDU: `fault(source, destination, pdu)`, with bumble addresses.

The PDU (as it is or altered) passes, None loses it, and `(delay_s, pdu)` holds it back: all that
follows in the same direction of the same link waits behind it, as on a real link.
"""


def att_opcode(pdu: bytes) -> int | None:
    """Opcode of the ATT PDU in an L2CAP PDU; None where the PDU carries something else."""
    return pdu[4] if len(pdu) > 4 and pdu[2:4] == b"\x04\x00" else None


class Air(LocalLink):  # type: ignore[misc]
    """Controllers that hear each other.

    Attributes
    ----------
    fault
        Called for every L2CAP PDU, see `Fault`; None leaves all as it is.
    shape
        The pace of links that are made from now on; None delivers at once.
    supervision_timeout_s
        How long a link outlives silence.
    """

    def __init__(
        self,
        fault: Fault | None = None,
        shape: Shape | None = None,
        supervision_timeout_s: float = SUPERVISION_TIMEOUT_S,
    ) -> None:
        super().__init__()
        self.fault = fault
        self.shape = shape
        self.supervision_timeout_s = supervision_timeout_s
        self.rssi_dbm = -50
        self._expiries: dict[VirtualController, asyncio.TimerHandle] = {}

    def transport(self, name: str) -> Transport:
        """A new controller, to be opened by a host in this process.

        The controller itself is the transport's `source`.
        """
        controller = VirtualController(name, self)
        return Transport(controller, controller)

    def out_of_range(self, controller: VirtualController) -> None:
        """Take a controller out of earshot.

        Its links stall; what is sent waits. They go on if it is `back_in_range` in time; after the
        supervision timeout both hosts see them lost. Adverts are not heard meanwhile.
        """
        if not controller.in_range:
            return
        controller.in_range = False
        self._hold_lanes()
        self._expiries[controller] = asyncio.get_running_loop().call_later(
            self.supervision_timeout_s, self._expire, controller
        )

    def back_in_range(self, controller: VirtualController) -> None:
        """Undo `out_of_range`."""
        controller.in_range = True
        if (timer := self._expiries.pop(controller, None)) is not None:
            timer.cancel()
        self._hold_lanes()

    def reaches(self, controller: VirtualController, peer_address: Any) -> bool:
        """Whether a controller and its peer hear each other."""
        peer = self.find_le_controller(peer_address)
        return controller.in_range and peer is not None and bool(peer.in_range)

    def scan_response(self, address: Any) -> bytes:
        """What the advertiser with this address answers to a scan request; may be empty."""
        for controller in self.controllers:
            legacy = controller.le_legacy_advertiser
            if legacy.enabled and legacy.address == address:
                return bytes(legacy.scan_response_data)
            for advertiser in controller.advertising_sets.values():
                if advertiser.enabled and advertiser.address == address:
                    return bytes(advertiser.scan_response_data)
        return b""

    def remove_controller(self, controller: VirtualController) -> None:
        """Take a controller off the air for good."""
        if (timer := self._expiries.pop(controller, None)) is not None:
            timer.cancel()
        super().remove_controller(controller)

    def send_acl_data(
        self, sender: VirtualController, destination: Any, transport: Any, data: bytes
    ) -> None:
        """Carry one L2CAP PDU. bumble takes every sender for one with a random address."""
        connection = sender.le_connections.get(destination)
        if connection is None:
            return
        delay_s = 0.0
        if self.fault is not None:
            outcome = self.fault(connection.self_address, destination, data)
            if outcome is None:
                return
            delay_s, data = outcome if isinstance(outcome, tuple) else (0.0, outcome)
        peer, far_end = self._far_end(connection)
        if peer is None:
            return

        def deliver() -> None:
            if peer.le_connections.get(connection.self_address) is far_end:
                peer.on_link_acl_data(connection.self_address, transport, data)

        packets = -(-len(data) // VirtualController.le_acl_data_packet_length)
        sender.lane(connection).send(deliver, delay_s, packets)

    def send_ll_control_pdu(
        self, sender_address: Any, receiver_address: Any, packet: ll.ControlPdu
    ) -> None:
        """Carry a control PDU behind the data; nobody hears one that has no receiver."""
        sender = self.find_le_controller(sender_address)
        connection = sender.le_connections.get(receiver_address) if sender is not None else None
        if connection is None:
            return
        peer, far_end = self._far_end(connection)
        if peer is None:
            return

        def deliver() -> None:
            if peer.le_connections.get(sender_address) is far_end:
                peer.on_ll_control_pdu(sender_address, packet)

        sender.lane(connection).send(deliver)

    def send_advertising_pdu(self, sender: VirtualController, packet: ll.AdvertisingPdu) -> None:
        """Let all in range hear an advert, or a request to connect."""
        if not sender.in_range:
            return
        loop = asyncio.get_running_loop()
        for controller in self.controllers:
            if controller is not sender and controller.in_range:
                loop.call_soon(controller.on_ll_advertising_pdu, packet)
        if isinstance(packet, ll.ConnectInd):
            loop.call_soon(self._check_established, sender, packet)

    def _check_established(self, initiator: VirtualController, request: ll.ConnectInd) -> None:
        """bumble's initiator believes in a link that the advertiser gave to somebody else."""
        connection = initiator.le_connections.get(request.advertiser_address)
        if connection is not None and self._far_end(connection)[0] is None:
            initiator.on_le_disconnected(
                connection, hci.HCI_ErrorCode.CONNECTION_FAILED_TO_BE_ESTABLISHED_ERROR
            )

    def _far_end(
        self, connection: Connection
    ) -> tuple[VirtualController, Connection] | tuple[None, None]:
        """The peer's controller and its view of a connection; nothing where it has none."""
        peer = self.find_le_controller(connection.peer_address)
        far_end = peer.le_connections.get(connection.self_address) if peer is not None else None
        return (None, None) if far_end is None else (peer, far_end)

    def _hold_lanes(self) -> None:
        for controller in self.controllers:
            for peer_address, lane in controller.lanes.items():
                lane.hold(not self.reaches(controller, peer_address))

    def _expire(self, away: VirtualController) -> None:
        """The supervision timeout of all links of a controller that is out of range."""
        self._expiries.pop(away, None)
        for controller in self.controllers:
            for connection in list(controller.le_connections.values()):
                if away in (controller, self.find_le_controller(connection.peer_address)):
                    controller.lose(connection)
