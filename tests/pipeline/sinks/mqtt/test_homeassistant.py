"""The discovery message in itself; tests/homeassistant asks Home Assistant what it makes of it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from pipeline.analysis.types import Phase
from pipeline.sinks.mqtt.commands import COMMANDS
from pipeline.sinks.mqtt.feed import HEARTBEAT_S, STATE_EVERY_S, LiveFeed
from pipeline.sinks.mqtt.happenings import HAPPENINGS
from pipeline.sinks.mqtt.homeassistant import DeviceCard, discovery_message, discovery_topic
from pipeline.sinks.mqtt.messages import Topics
from tests.example_session import FACTS, session

TOPICS = Topics("forceband", "band-left")


def discovery(
    base: str = "forceband", card: DeviceCard | None = None, *, commands: bool = True
) -> dict[str, Any]:
    message = discovery_message(
        "homeassistant", base, "band-left", card or DeviceCard("Band"), "0.1.0", commands=commands
    )
    assert (message.qos, message.retain) == (1, True)
    payload: dict[str, Any] = json.loads(message.payload)
    return payload


def test_the_topic_has_the_form_that_home_assistant_listens_to() -> None:
    form = r"homeassistant/device/[a-zA-Z0-9_-]+/config"
    for base in ("forceband", "home/gym"):
        assert re.fullmatch(form, discovery_topic("homeassistant", base, "band-left"))


def test_no_two_entities_and_no_two_devices_share_an_id() -> None:
    ids = [c["unique_id"] for c in discovery()["components"].values()]
    assert len(set(ids)) == len(ids)
    other = discovery("home/gym")
    assert not set(ids) & {c["unique_id"] for c in other["components"].values()}
    assert discovery()["device"]["identifiers"] != other["device"]["identifiers"]


def test_every_entity_reads_a_topic_and_a_field_that_exist() -> None:
    feed = LiveFeed("forceband", FACTS, True)
    feed.take(FACTS, session())
    told = {m.topic: m for m in feed.due(0.0)}
    assert {TOPICS.state, TOPICS.last_set, TOPICS.status} <= told.keys()
    for component in discovery()["components"].values():
        for field in re.findall(r"value_json\.(\w+)", component.get("value_template", "")):
            assert field in json.loads(told[component["state_topic"]].payload)
    components = discovery()["components"]
    assert components["link"]["state_topic"] == TOPICS.status
    assert components["happening"]["state_topic"] == TOPICS.event("ha")
    assert components["happening"]["event_types"] == list(HAPPENINGS)
    assert set(components["phase"]["options"]) | {"unknown"} == set(Phase)


def test_what_is_no_longer_true_without_the_band_goes_with_it_and_the_rest_stays() -> None:
    components = discovery()["components"]
    gone = {name for name, c in components.items() if "availability" in c}
    assert gone == {"force", "phase", *COMMANDS}
    assert all(components[name]["availability"] == [{"topic": TOPICS.status}] for name in gone)


def test_buttons_give_the_commands_that_are_heard() -> None:
    components = discovery()["components"].values()
    buttons = [c["command_topic"] for c in components if c["platform"] == "button"]
    assert buttons == [TOPICS.command(name) for name in COMMANDS]
    silent = discovery(commands=False)["components"].values()
    assert not [c for c in silent if c["platform"] == "button"]


def test_live_values_expire_only_after_heartbeats_stay_away() -> None:
    expiry = discovery()["components"]["force"]["expire_after"]
    assert expiry > 2 * (HEARTBEAT_S + STATE_EVERY_S)


@pytest.mark.parametrize(
    ("address", "connections"),
    [
        ("f0:fb:00:00:0a:1b", [["bluetooth", "F0:FB:00:00:0A:1B"]]),
        ("9E9B2C6E-7A53-4C3A-9C35-0F4A3F4C6D1E", None),  # of macOS
        (None, None),
    ],
)
def test_only_an_address_of_bluetooth_is_a_connection(
    address: str | None, connections: object
) -> None:
    card = DeviceCard("Band", address=address)
    assert discovery(card=card)["device"].get("connections") == connections
