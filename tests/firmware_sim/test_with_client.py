"""The band and the product's own client over a bad virtual air: nothing is lost."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from firmware_sim.band import BandSetup
from firmware_sim.person.workout import LOW_ROW, Workout
from firmware_sim.radio.air import Air
from firmware_sim.radio.faults import Chances, Faults
from firmware_sim.source import SimulatedBand
from pipeline.session.session import Session
from sensor.ble.source import BleSource
from sensor.bumble_backend import BumbleCentral
from sensor.errors import FrameError
from sensor.samples import Channel, Notification
from sensor.source import About
from sensor.wire.frames import ForceFrame

SETUP = BandSetup(seed=8, workout=Workout((replace(LOW_ROW, reps=3),), lead_in_s=1.0))


def test_the_client_gets_every_sample_of_a_band_whose_notifications_suffer() -> None:
    async def test() -> None:
        air = Air(Faults(Chances(drop=0.05, corrupt=0.05), seed=3))
        central = await BumbleCentral.open(air.transport("host"))
        transport = air.transport("band")
        notes: list[Notification] = []
        async with (
            asyncio.timeout(60),
            central,
            SimulatedBand(transport, SETUP, speed=4.0) as band,
            BleSource(central=central, find_timeout_s=30.0) as source,
        ):
            session = Session()
            source.follow(lambda: session.ledger)
            stopping: asyncio.Task[None] | None = None
            dropped = False
            async for note in source:
                notes.append(note)
                session.receive(note, len(notes))
                forces = sum(note.channel is Channel.FORCE for note in notes)
                if forces >= 40 and not dropped:
                    dropped = True
                    transport.source.drop_links()
                if forces >= 120 and stopping is None:
                    stopping = asyncio.create_task(source.stop())
            held = band.band.firmware.held(0)
            assert source.about == About(
                band.address, "forceband", "forceband green", band.band.serial, "1.0.0"
            )
        got: dict[int, int] = {}
        first = None
        for note in notes:
            if note.channel is Channel.FORCE:
                try:
                    frame = ForceFrame.from_bytes(note.payload)
                except FrameError:
                    continue
                first = frame.first_sample if first is None else first
                for k, count in enumerate(frame.counts.tolist()):
                    got[frame.first_sample + k] = count
        assert first is not None
        assert len(got) > 900
        assert sorted(got) == list(range(min(got), max(got) + 1))
        original = held.counts.tolist()
        assert all(original[index - held.first] == count for index, count in got.items())
        assert [n.payload[:4] for n in notes if n.channel is Channel.LINK][:3] == [
            b"up",
            b"down",
            b"up",
        ]

    asyncio.run(test())
