"""Advertising data from anybody."""

from __future__ import annotations

from bumble.core import UUID, AdvertisingData
from hypothesis import given
from hypothesis import strategies as st

from sensor.bumble_backend.advert import MAX_UUIDS, Advert, from_bumble, parse, uuid_string
from sensor.wire.profile import SERVICE_UUID


def test_the_parts_of_an_advert_are_read() -> None:
    data = AdvertisingData(
        [
            (AdvertisingData.FLAGS, b"\x06"),
            (0x07, bytes(UUID(SERVICE_UUID))),
            (0x03, b"\x0f\x18\x0a\x18"),
            (0x08, b"BA"),
            (0x09, "Bänd".encode()),
            (0x0A, b"\xf4"),
            (0x16, b"\x0f\x18\x5a"),
            (0xFF, b"\x59\x00abc"),
        ]
    )
    assert from_bumble(data) == Advert(
        name="Bänd",
        service_uuids=[
            SERVICE_UUID,
            "0000180f-0000-1000-8000-00805f9b34fb",
            "0000180a-0000-1000-8000-00805f9b34fb",
        ],
        service_data={"0000180f-0000-1000-8000-00805f9b34fb": b"\x5a"},
        manufacturer_data={0x59: b"abc"},
        tx_power_dbm=-12,
    )


def test_control_characters_in_a_name_do_not_reach_the_terminal() -> None:
    assert parse([(0x09, b"\x1b[31mBAND\x07\xff")]).name == "[31mBAND�"
    assert parse([(0x09, b"\x00\x1b ")]).name is None


def test_a_flood_of_uuids_is_cut() -> None:
    uuids = b"".join(k.to_bytes(2, "little") for k in range(1000))
    assert len(parse([(0x03, uuids)]).service_uuids) == MAX_UUIDS


@given(st.binary(max_size=255))
def test_any_bytes_are_an_advert(data: bytes) -> None:
    advert = from_bumble(AdvertisingData.from_bytes(data))
    assert advert.name is None or advert.name.isprintable()
    assert all(len(uuid) == 36 for uuid in [*advert.service_uuids, *advert.service_data])


@given(st.sampled_from([2, 4, 16]).flatmap(lambda n: st.binary(min_size=n, max_size=n)))
def test_uuids_are_written_as_bumble_writes_them(raw: bytes) -> None:
    assert uuid_string(raw).replace("-", "") == UUID.from_bytes(raw).uuid_128_bytes[::-1].hex()
