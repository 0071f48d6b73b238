"""The discovery message against the rules that Home Assistant publishes for it.

The rules are facts from the documentation of the MQTT integration and of its sensor, binary sensor,
event and button platforms, written here as a JSON Schema.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from pipeline.analysis.types import Phase, RepAnnounced
from pipeline.session.events import Emitted
from pipeline.sinks.mqtt.commands import COMMANDS
from pipeline.sinks.mqtt.feed import HEARTBEAT_S, STATE_EVERY_S, LiveFeed
from pipeline.sinks.mqtt.homeassistant import (
    DeviceCard,
    discovery_message,
    discovery_topic,
    happening,
)
from pipeline.sinks.mqtt.messages import Topics, event_message
from tests.example_session import FACTS, START_US, rep, session

TEXT = {"type": "string", "minLength": 1}
TOPIC = {"type": "string", "pattern": r"^(~/)?[^+#~]+$", "maxLength": 65535}
TEMPLATE = {"type": "string", "pattern": r"\{\{.*\}\}"}
CATEGORY = {"enum": ["config", "diagnostic"]}
AVAILABILITY = {
    "availability": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["topic"],
            "properties": {
                "topic": TOPIC,
                "payload_available": TEXT,
                "payload_not_available": TEXT,
                "value_template": TEMPLATE,
            },
            "additionalProperties": False,
        },
    },
    "availability_mode": {"enum": ["all", "any", "latest"]},
}
SHARED = {"qos": {"enum": [0, 1, 2]}, "encoding": TEXT, "state_topic": TOPIC, **AVAILABILITY}
COMMON = {
    **SHARED,
    "name": {"type": ["string", "null"]},
    "unique_id": TEXT,
    "icon": {"type": "string", "pattern": "^mdi:[a-z0-9-]+$"},
    "enabled_by_default": {"type": "boolean"},
    "default_entity_id": TEXT,
}
# measuring units of the device classes that suit a training device
UNITS = {
    "duration": ["d", "h", "min", "s", "ms", "µs"],
    "battery": ["%"],
    "weight": ["kg", "g", "mg", "µg", "oz", "lb", "st"],
    "voltage": ["V", "mV", "µV", "kV", "MV"],
    "signal_strength": ["dB", "dBm"],
    "frequency": ["Hz", "kHz", "MHz", "GHz"],
}


def platform(name: str, required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    """The rules for entities of one platform."""
    return {
        "if": {"properties": {"platform": {"const": name}}},
        "then": {
            "required": ["unique_id", *required],
            "properties": {"platform": True, **COMMON, **properties},
            "additionalProperties": False,
        },
    }


SENSOR = {
    "device_class": {"enum": ["enum", *UNITS]},
    "unit_of_measurement": TEXT,
    "state_class": {"enum": ["measurement", "measurement_angle", "total", "total_increasing"]},
    "options": {"type": "array", "minItems": 1, "items": TEXT, "uniqueItems": True},
    "expire_after": {"type": "integer", "minimum": 0},
    "suggested_display_precision": {"type": "integer", "minimum": 0},
    "value_template": TEMPLATE,
    "force_update": {"type": "boolean"},
    "entity_category": {"const": "diagnostic"},
}
ENUM_SENSOR = {
    "if": {"required": ["options"]},
    "then": {
        "required": ["device_class"],
        "properties": {
            "device_class": {"const": "enum"},
            "state_class": False,
            "unit_of_measurement": False,
        },
    },
}
UNIT_RULES = [
    {
        "if": {
            "required": ["device_class"],
            "properties": {"platform": {"const": "sensor"}, "device_class": {"const": name}},
        },
        "then": {
            "required": ["unit_of_measurement"],
            "properties": {"unit_of_measurement": {"enum": units}},
        },
    }
    for name, units in UNITS.items()
]
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["device", "origin", "components"],
    "properties": {
        "~": TOPIC,
        **SHARED,
        "command_topic": TOPIC,
        "device": {
            "type": "object",
            "anyOf": [{"required": ["identifiers"]}, {"required": ["connections"]}],
            "properties": {
                "identifiers": {"type": "array", "minItems": 1, "items": TEXT},
                **dict.fromkeys(
                    (
                        "name",
                        "model",
                        "model_id",
                        "manufacturer",
                        "serial_number",
                        "sw_version",
                        "hw_version",
                        "suggested_area",
                        "via_device",
                        "configuration_url",
                    ),
                    TEXT,
                ),
            },
            "additionalProperties": False,
        },
        "origin": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": TEXT, "sw_version": TEXT, "support_url": TEXT},
            "additionalProperties": False,
        },
        "components": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {
                "type": "object",
                "required": ["platform"],
                "properties": {
                    "platform": {"enum": ["sensor", "binary_sensor", "event", "button"]}
                },
                "allOf": [
                    platform("sensor", ["value_template"], SENSOR),
                    platform(
                        "binary_sensor",
                        ["state_topic"],
                        {
                            "device_class": {"enum": ["connectivity", "battery", "problem"]},
                            "payload_on": TEXT,
                            "payload_off": TEXT,
                            "expire_after": {"type": "integer", "minimum": 0},
                            "value_template": TEMPLATE,
                            "entity_category": {"const": "diagnostic"},
                        },
                    ),
                    platform(
                        "event",
                        ["event_types", "state_topic"],
                        {
                            "event_types": {"type": "array", "minItems": 1, "items": TEXT},
                            "device_class": {"enum": ["button", "doorbell", "motion"]},
                            "value_template": TEMPLATE,
                            "entity_category": {"const": "diagnostic"},
                        },
                    ),
                    platform(
                        "button",
                        ["command_topic"],
                        {
                            "command_topic": TOPIC,
                            "command_template": TEMPLATE,
                            "payload_press": TEXT,
                            "retain": {"type": "boolean"},
                            "device_class": {"enum": ["identify", "restart", "update"]},
                            "entity_category": CATEGORY,
                        },
                    ),
                    ENUM_SENSOR,
                    *UNIT_RULES,
                ],
            },
        },
    },
    "additionalProperties": False,
}


def check(payload: dict[str, Any]) -> None:
    """Raise ValidationError unless Home Assistant would take all of it."""
    Draft202012Validator(SCHEMA).validate(payload)


def discovery(base: str = "forceband", *, commands: bool = True) -> dict[str, Any]:
    card = DeviceCard("Band left", serial_number="0a1b2c", sw_version="1.4.0")
    message = discovery_message(
        "homeassistant", base, "band-left", card, "0.1.0", commands=commands
    )
    assert (message.qos, message.retain) == (1, True)
    payload: dict[str, Any] = json.loads(message.payload)
    return payload


@pytest.mark.parametrize("base", ["forceband", "home/gym"])
@pytest.mark.parametrize("commands", [True, False])
def test_the_discovery_message_keeps_the_published_rules(base: str, commands: bool) -> None:
    check(discovery(base, commands=commands))


def spoil(path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def act(payload: dict[str, Any]) -> None:
        *way, last = path.split(".")
        place = payload
        for step in way:
            place = place[step]
        if value is None:
            del place[last]
        else:
            place[last] = value

    return act


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("device", None),
        ("device.identifiers", None),
        ("origin", None),
        ("origin.name", None),
        ("components.force.platform", None),
        ("components.force.unique_id", None),
        ("components.force.device_class", "force"),
        ("components.tut.unit_of_measurement", "N"),
        ("components.tut.unit_of_measurement", None),
        ("components.phase.state_class", "measurement"),
        ("components.phase.device_class", None),
        ("components.phase.entity_category", "config"),
        ("components.happening.event_types", None),
        ("components.tare.command_topic", "~/cmd/+"),
        ("components.reps.units", "1"),
        ("availability_mode", "most"),
    ],
)
def test_the_rules_find_what_home_assistant_would_refuse(path: str, value: object) -> None:
    payload = copy.deepcopy(discovery())
    spoil(path, value)(payload)
    with pytest.raises(ValidationError):
        check(payload)


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
    topics = Topics("forceband", "band-left")
    feed = LiveFeed("forceband", FACTS, True)
    feed.take(FACTS, session())
    state = next(json.loads(m.payload) for m in feed.due(0.0) if m.topic == topics.state)
    payload = discovery()
    root = payload["~"]
    assert payload["state_topic"].replace("~", root) == topics.state
    assert [a["topic"].replace("~", root) for a in payload["availability"]] == [
        "forceband/bridge/status",
        topics.status,
    ]
    for component in payload["components"].values():
        for field in re.findall(r"value_json\.(\w+)", component.get("value_template", "")):
            assert field in state
    link, event = payload["components"]["link"], payload["components"]["happening"]
    assert link["state_topic"].replace("~", root) == topics.status
    assert event["state_topic"].replace("~", root) == topics.event("ha")
    assert set(payload["components"]["phase"]["options"]) | {"unknown"} == set(Phase)


def test_the_link_can_be_seen_as_disconnected() -> None:
    link = discovery()["components"]["link"]
    assert link["availability"] == [{"topic": "forceband/bridge/status"}]


def test_buttons_give_the_commands_that_are_heard() -> None:
    components = discovery()["components"]
    buttons = [c for c in components.values() if c["platform"] == "button"]
    topics = Topics("forceband", "band-left")
    assert [b["command_topic"].replace("~", topics.root) for b in buttons] == [
        topics.command(name) for name in COMMANDS
    ]
    silent = discovery(commands=False)["components"].values()
    assert not [c for c in silent if c["platform"] == "button"]


def test_live_values_expire_only_after_heartbeats_stay_away() -> None:
    expiry = discovery()["components"]["force"]["expire_after"]
    assert expiry > 2 * (HEARTBEAT_S + STATE_EVERY_S)


def test_happenings_have_a_listed_type_and_the_id_of_their_event() -> None:
    types = discovery()["components"]["happening"]["event_types"]
    seen = set()
    for emitted in [*session(), Emitted(9, 9, START_US, RepAnnounced(rep(1, 1, 2.0)))]:
        if message := happening("forceband", FACTS, emitted):
            body = json.loads(message.payload)
            seen.add(body["event_type"])
            twin = event_message("forceband", FACTS, emitted)
            assert twin is not None
            assert body["id"] == json.loads(twin.payload)["id"]
    assert seen == set(types)
