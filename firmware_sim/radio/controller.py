"""A virtual Bluetooth controller: bumble's, with what a real one does and it does not."""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

from bumble import hci
from bumble.controller import Connection, Controller

from firmware_sim.radio.lane import Lane, Shape


class Around(Protocol):
    """What a controller asks of the air."""

    shape: Shape | None
    rssi_dbm: int

    def reaches(self, controller: VirtualController, peer_address: Any, /) -> bool: ...

    def scan_response(self, address: Any, /) -> bytes: ...

    def find_le_controller(self, address: Any, /) -> Any: ...


class VirtualController(Controller):  # type: ignore[misc]
    """One adapter on the air.

    Different from bumble's: a cancelled connect is reported and forgotten, a reset ends links,
    adverts and scans, a scan response is the advertiser's own, packets are as long as Bluetooth 4.2
    allows, and the host hears that a packet is through when it is.
    """

    le_acl_data_packet_length = 251
    acl_data_packet_length = 251
    pending_le_connection: Any

    def __init__(self, name: str, air: Around, **options: Any) -> None:
        super().__init__(name, link=air, **options)
        self.air = air
        self.lanes: dict[Any, Lane] = {}
        self.in_range = True

    def lane(self, connection: Connection) -> Lane:
        """The outgoing direction of a connection."""
        lane = self.lanes.get(connection.peer_address)
        if lane is None:
            lane = self.lanes[connection.peer_address] = Lane(self.air.shape)
            lane.held = not self.air.reaches(self, connection.peer_address)
        return lane

    def drop_links(self, *, both: bool = True) -> None:
        """Lose all links at once, without a word on the air, as an expired supervision does.

        With `both` False only this controller's host hears of it, and the other still believes in
        the link.
        """
        for peer_address, connection in list(self.le_connections.items()):
            if both and (peer := self.air.find_le_controller(peer_address)) is not None:
                peer.lose(peer.le_connections.get(connection.self_address))
            self.lose(connection)

    def lose(self, connection: Connection | None) -> None:
        """Tell the host that a connection timed out."""
        if connection is not None:
            self.lane(connection).clear()
            self.on_le_disconnected(connection, hci.HCI_ErrorCode.CONNECTION_TIMEOUT_ERROR)

    def silence(self) -> None:
        """Stop advertising and scanning, forget a pending connect, lose all links."""
        self.le_legacy_advertiser.stop()
        for advertising_set in self.advertising_sets.values():
            advertising_set.stop()
        self.advertising_sets.clear()
        self.le_scan_enable = False
        self.pending_le_connection = None
        self.drop_links()

    def on_le_disconnected(self, connection: Connection, reason: int) -> None:
        """Forget the lane too; what is on its way still arrives."""
        self.lanes.pop(connection.peer_address, None)
        super().on_le_disconnected(connection, reason)

    def on_hci_reset_command(self, command: Any) -> Any:
        """bumble keeps links, adverts and scans, which would outlive a crashed host."""
        self.silence()
        return super().on_hci_reset_command(command)

    def on_hci_le_create_connection_cancel_command(self, command: Any) -> Any:
        """bumble acknowledges but keeps the request, so that no other connect is possible."""
        del command
        pending, self.pending_le_connection = self.pending_le_connection, None
        if pending is None:
            return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.COMMAND_DISALLOWED_ERROR)
        cancelled = hci.HCI_LE_Connection_Complete_Event(
            status=hci.HCI_ErrorCode.UNKNOWN_CONNECTION_IDENTIFIER_ERROR,
            connection_handle=0,
            role=hci.Role.CENTRAL,
            peer_address_type=pending.peer_address.address_type,
            peer_address=pending.peer_address,
            connection_interval=0,
            peripheral_latency=0,
            supervision_timeout=0,
            central_clock_accuracy=0,
        )
        asyncio.get_running_loop().call_soon(self.send_hci_packet, cancelled)
        return hci.HCI_StatusReturnParameters(hci.HCI_ErrorCode.SUCCESS)

    def on_hci_acl_data_packet(self, packet: Any) -> None:
        """Say that a packet is completed once it has crossed the air, as a host's pace needs."""
        connection = self.find_le_connection_by_handle(packet.connection_handle)
        if connection is None:
            return
        connection.assembler.feed_packet(packet)

        def completed() -> None:
            if self.le_connections.get(connection.peer_address) is connection:
                self.send_hci_packet(
                    hci.HCI_Number_Of_Completed_Packets_Event(
                        connection_handles=[connection.handle], num_completed_packets=[1]
                    )
                )

        self.lane(connection).follow(completed)

    def on_advertising_pdu(self, pdu: Any) -> None:
        """Report an advert and its scan response, which may be empty; connect if that waits.

        bumble reports the advert's own data as a scan response. Linux waits for a response before
        it reports an advert.
        """
        if self.le_scan_enable:
            response = self.air.scan_response(pdu.advertiser_address)
            self._report(pdu, pdu.data, response=False)
            self._report(pdu, response, response=True)
        pending = self.pending_le_connection
        if pending is not None and pending.peer_address == pdu.advertiser_address:
            self.create_le_connection(pdu.advertiser_address)

    def _report(self, pdu: Any, data: bytes, *, response: bool) -> None:
        address = pdu.advertiser_address
        if self.le_features & hci.LeFeatureMask.LE_EXTENDED_ADVERTISING:
            extended = hci.HCI_LE_Extended_Advertising_Report_Event
            kind = extended.EventType
            event_type = kind.SCAN_RESPONSE if response else kind.CONNECTABLE_ADVERTISING
            report = extended.Report(
                event_type=event_type,
                address_type=address.address_type,
                address=address,
                primary_phy=hci.Phy.LE_1M,
                secondary_phy=hci.Phy.LE_1M,
                advertising_sid=0,
                tx_power=0,
                rssi=self.air.rssi_dbm,
                periodic_advertising_interval=0,
                direct_address_type=0,
                direct_address=hci.Address.ANY,
                data=data,
            )
            self.send_hci_packet(extended([report]))
            return
        legacy = hci.HCI_LE_Advertising_Report_Event
        report = legacy.Report(
            event_type=legacy.EventType.SCAN_RSP if response else legacy.EventType.ADV_IND,
            address_type=address.address_type,
            address=address,
            data=data,
            rssi=self.air.rssi_dbm,
        )
        self.send_hci_packet(legacy([report]))
