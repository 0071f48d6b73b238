"""A real Home Assistant and a real mosquitto around `forceband demo`, as at somebody's home."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from tests.homeassistant.hass import NOTHING, PATIENCE_S, Hass, hass_program
from tests.mosquitto_server import Mosquitto, free_port

AUTOMATION = """\
counter: {rep: {}, rep_withdrawn: {}, set_end: {}}
automation:
- alias: count
  mode: queued
  max: 100
  triggers: [{trigger: state, entity_id: event.band_left_training, not_from: unavailable}]
  variables: {kind: "{{ trigger.to_state.attributes.event_type }}"}
  actions: [{action: counter.increment, target: {entity_id: "counter.{{ kind }}"}}]
"""
EVENT, FORCE = "event.band_left_training", "sensor.band_left_force"
LINK = "binary_sensor.band_left_link"
REPS, LAST_REPS = "counter.rep", "sensor.band_left_last_set_reps"


class Home:
    """Home Assistant, a broker, and bands that come and go."""

    def __init__(self, folder: Path, hass: Hass, broker: Mosquitto, stack: AsyncExitStack) -> None:
        self.hass = hass
        self._folder, self._broker, self._stack = folder, broker, stack

    def band(self, name: str, page_port: int = 0) -> subprocess.Popen[bytes]:
        """A person begins to train."""
        command = [sys.executable, "-m", "pipeline", "demo", "--seed", "1", "--name", name]
        command += ["--mqtt-host", "127.0.0.1", "--mqtt-port", str(self._broker.port)]
        command += ["--exercise", "low-row", "--data", str(self._folder / "recordings")]
        command += ["--http-port", str(page_port)] if page_port else ["--no-page"]
        with (self._folder / f"{name}.txt").open("a") as out:
            process = subprocess.Popen(command, stdout=out, stderr=out)
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process

    def told(self, kind: str) -> list[dict[str, Any]]:
        """Events of a kind that the band's event entity took, each once."""
        states = [each for each in self.hass.changes if each["entity_id"] == EVENT]
        events = [each["attributes"] for each in states if each["state"] not in NOTHING]
        return list({e["id"]: e for e in events if e.get("event_type") == kind}.values())


async def scene(folder: Path) -> None:
    async with AsyncExitStack() as stack:
        broker = stack.enter_context(Mosquitto(folder))
        hass = Hass(folder / "hass", AUTOMATION)
        await hass.start()
        stack.push_async_callback(hass.stop)
        await hass.add_broker(broker.port)
        home = Home(folder, hass, broker, stack)
        page_port = free_port()
        left = home.band("band-left", page_port)
        await hass.becomes("the band appears", FORCE)
        await hass.becomes("two reps are counted", REPS, lambda n: int(n) >= 2)
        await check_card(hass, page_port)  # by now the band has said what it is

        await hass.stop()
        await hass.start()
        await hass.becomes("values are back after a restart of Home Assistant", FORCE)
        await hass.becomes("it counts on", REPS, lambda n: int(n) >= 4)
        for each in home.told("rep"):
            assert each["exercise"] == "low-row"
            assert each["peak_n"] > 30, "a practice pull was told"
            assert isinstance(each["peak_n"], int)

        left.kill()
        await hass.becomes("a killed program is seen", FORCE, lambda state: not state)
        await hass.becomes("and its link as down", LINK, lambda state: state == "off")
        right, left = home.band("band-right"), home.band("band-left")
        seen = len(hass.changes)
        await hass.becomes("it comes back", FORCE)
        changes = [e["state"] for e in hass.changes[seen:] if e["entity_id"] == FORCE]
        shown = [float(state) for state in changes if state not in NOTHING]
        assert shown[0] < 30, "an old force was shown"
        await hass.becomes("the second band appears", "sensor.band_right_force")
        right.terminate()
        await hass.becomes("it goes", "sensor.band_right_force", lambda state: not state)
        assert (await hass.states())[FORCE]["state"] not in NOTHING
        before = int((await hass.states())[REPS]["state"])
        await hass.becomes("the new session counts", REPS, lambda n: int(n) >= before + 3)

        left.send_signal(signal.SIGINT)
        await hass.becomes("the end of the set is told", "counter.set_end", int)
        await hass.becomes("the session is over", FORCE, lambda state: not state)
        await check_counts(home)
        states = await hass.states()
        (end,) = home.told("set_end")
        assert int(states[LAST_REPS]["state"]) == end["reps"]
        assert float(states["sensor.band_left_last_set_peak"]["state"]) == end["peak_n"]
        assert states["sensor.band_left_exercise"]["state"] == "low-row"
        assert states["sensor.band_left_reps_in_set"]["state"] == str(end["reps"])

        await hass.stop()
        await hass.start()
        reps = await hass.becomes("results are there the next day", LAST_REPS)
        assert reps == str(end["reps"])
        assert not [line for line in hass.log() if "WARNING" in line or "ERROR" in line]


async def check_card(hass: Hass, page_port: int) -> None:
    """The device's page, and which entities are off until they are asked for."""
    until_s = time.monotonic() + PATIENCE_S
    while True:  # the band says what it is a moment after it is announced
        (device,) = (d for d in await hass.registry("device") if d["name"] == "Band left")
        if device["model"] == "forceband green":
            break
        assert time.monotonic() < until_s, device["model"]
        await asyncio.sleep(0.5)
    assert device["manufacturer"] == "forceband"
    assert device["configuration_url"] == f"http://127.0.0.1:{page_port}/"
    ((kind, address),) = device["connections"]
    assert kind == "bluetooth"
    assert device["serial_number"] == address.replace(":", "")[-4:].upper()
    assert device["sw_version"]
    entities = await hass.registry("entity")
    off = {e["entity_id"] for e in entities if e["disabled_by"] and e["platform"] == "mqtt"}
    assert off == {"sensor.band_left_phase", "sensor.band_left_tempo"}


async def check_counts(home: Home) -> None:
    """Ten for ten: of the session that ended, and by the automation over both."""
    (end,) = home.told("set_end")
    taken_back = {(e["session"], e["set"], e["rep"]) for e in home.told("rep_withdrawn")}
    reps = [e for e in home.told("rep") if e["session"] == end["session"]]
    assert len(reps) - len([t for t in taken_back if t[0] == end["session"]]) == end["reps"]
    await home.hass.becomes("each rep counts once", REPS, lambda n: int(n) == len(home.told("rep")))


def test_a_band_at_home(tmp_path: Path) -> None:
    hass_program()
    asyncio.run(scene(tmp_path))
