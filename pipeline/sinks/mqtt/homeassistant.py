"""Home Assistant: the band as a device that sets itself up.

Pure. Follows the MQTT integration's device discovery: one retained message names the device, its
origin and its entities. Long key names and whole topics: Home Assistant refuses a `~` beside
`device`, and reads `qos` of a component only.

References
----------
https://www.home-assistant.io/integrations/mqtt/ (device discovery, availability, event, button)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pipeline.analysis.types import Phase
from pipeline.sinks.mqtt.happenings import HAPPENING_TOPIC, HAPPENINGS
from pipeline.sinks.mqtt.messages import Message, Topics, to_json

EXPIRE_AFTER_S = 90
"""Three heartbeats of the state without one: the value is no longer true."""
SUPPORT_URL = "https://github.com/forceband/forceband"
BLUETOOTH_ADDRESS = re.compile(r"([0-9A-F]{2}:){5}[0-9A-F]{2}")
BUTTONS = {
    "tare": {"name": "Tare", "icon": "mdi:scale-balance", "entity_category": "config"},
    "start": {"name": "Start", "icon": "mdi:play"},
    "stop": {"name": "Stop", "icon": "mdi:stop"},
    "identify": {
        "name": "Identify",
        "device_class": "identify",
        "entity_category": "diagnostic",
    },
}
Keys = dict[str, Any]

MEASURED: Keys = {"state_class": "measurement"}
NEWTON: Keys = {"unit_of_measurement": "N", "suggested_display_precision": 0, **MEASURED}
SECONDS: Keys = {"device_class": "duration", "unit_of_measurement": "s", **MEASURED}
DIAGNOSTIC: Keys = {"entity_category": "diagnostic"}
HIDDEN: Keys = {"enabled_by_default": False}
"""What changes many times in a set would fill the logbook of whoever does not ask for it."""


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """What a person is told about a band."""

    name: str
    model: str | None = None
    manufacturer: str | None = None
    serial_number: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None
    address: str | None = None
    """Of Bluetooth; macOS gives another kind, which says nothing outside it."""
    configuration_url: str | None = None
    """The live page's."""


def discovery_topic(prefix: str, base: str, device: str) -> str:
    """Where Home Assistant looks for the device; an empty retained message there removes it."""
    return f"{prefix}/device/{_object_id(base, device)}/config"


def discovery_message(
    prefix: str, base: str, device: str, card: DeviceCard, version: str, *, commands: bool
) -> Message:
    """The retained message that makes the device and its entities appear.

    Parameters
    ----------
    version : str
        Of this program, shown as the origin's.
    commands : bool
        Whether buttons are offered.
    """
    object_id = _object_id(base, device)
    topics = Topics(base, device)
    components = _running(topics) | _results(topics) | {"happening": _event(topics)}
    if commands:
        components |= {name: _button(topics, name) for name in BUTTONS}
    for key, component in components.items():
        component |= {"unique_id": f"{object_id}_{key}", "qos": 1}
    body = {
        "device": _about(card, object_id),
        "origin": {"name": "forceband", "sw_version": version, "support_url": SUPPORT_URL},
        "components": components,
    }
    return Message(discovery_topic(prefix, base, device), to_json(body), retain=True)


def _about(card: DeviceCard, object_id: str) -> Keys:
    about: Keys = {
        "identifiers": [object_id],
        "name": card.name,
        "model": card.model or "Resistance band with force sensor",
        "manufacturer": card.manufacturer or "forceband",
        "serial_number": card.serial_number,
        "sw_version": card.sw_version,
        "hw_version": card.hw_version,
        "configuration_url": card.configuration_url,
    }
    if card.address is not None and BLUETOOTH_ADDRESS.fullmatch(card.address.upper()):
        about["connections"] = [["bluetooth", card.address.upper()]]
    return {key: value for key, value in about.items() if value}


def _running(topics: Topics) -> dict[str, Keys]:
    """What happens now. Counts and results of the open set stay readable when the band is off."""
    live: Keys = {"expire_after": EXPIRE_AFTER_S, "availability": [{"topic": topics.status}]}
    phases: Keys = {
        "device_class": "enum",
        "options": [p.value for p in Phase if p != Phase.UNKNOWN],
    }
    battery: Keys = {
        "device_class": "battery",
        "unit_of_measurement": "%",
        **MEASURED,
        **DIAGNOSTIC,
    }
    known = {"value_template": "{{ value_json.phase if value_json.phase != 'unknown' else None }}"}
    state = topics.state
    return {
        "force": _sensor(state, "force_n", "Force", 0, icon="mdi:arm-flex", **NEWTON, **live),
        # a corrected count goes down, which `total_increasing` would take for a new meter
        "reps": _sensor(state, "reps", "Reps in set", icon="mdi:counter", **MEASURED),
        "set": _sensor(state, "set", "Set", icon="mdi:format-list-numbered", **MEASURED),
        "peak": _sensor(state, "peak_n", "Peak of last rep", 0, icon="mdi:summit", **NEWTON),
        "tut": _sensor(state, "tut_s", "Time under tension", 0, **SECONDS),
        "exercise": _sensor(state, "exercise", "Exercise", icon="mdi:weight-lifter"),
        "tempo": _sensor(state, "tempo", "Tempo", icon="mdi:metronome", **HIDDEN),
        # Home Assistant keeps `unknown` for itself and takes a rendered None to mean it
        "phase": _sensor(state, "phase", "Phase", icon="mdi:sine-wave", **phases, **live, **HIDDEN)
        | known,
        "battery": _sensor(state, "battery_percent", "Battery", **battery),
        "missing": _sensor(
            state,
            "missing_samples",
            "Missing samples",
            icon="mdi:chart-line-variant",
            state_class="total_increasing",
            **DIAGNOSTIC,
        ),
        "link": _link(topics),
    }


def _results(topics: Topics) -> dict[str, Keys]:
    """The set that closed last, readable until the next one closes."""
    last = topics.last_set
    return {
        "last_reps": _sensor(last, "reps", "Last set reps", icon="mdi:counter", **MEASURED),
        "last_peak": _sensor(last, "peak_n", "Last set peak", 0, icon="mdi:summit", **NEWTON),
        "last_tut": _sensor(last, "tut_s", "Last set time under tension", 0, **SECONDS),
        "last_exercise": _sensor(last, "exercise", "Last set exercise", icon="mdi:weight-lifter"),
        "last_end": _sensor(last, "utc", "Last set ended", device_class="timestamp"),
    }


def _sensor(topic: str, field: str, name: str, decimals: int | None = None, **more: Any) -> Keys:
    """A sensor of a field that may be null; a number rounded as on the live page."""
    value = f"value_json.{field}"
    if decimals is not None:
        value += f" | round({decimals}, default=None)"
    return {
        "platform": "sensor",
        "name": name,
        "state_topic": topic,
        "value_template": f"{{{{ {value} }}}}",
        **more,
    }


def _link(topics: Topics) -> Keys:
    """Always available, as the last will speaks for us when we are gone."""
    return {
        "platform": "binary_sensor",
        "name": "Link",
        "device_class": "connectivity",
        "state_topic": topics.status,
        "payload_on": "online",
        "payload_off": "offline",
        **DIAGNOSTIC,
    }


def _event(topics: Topics) -> Keys:
    """Always available: the end of a set may come when the band has gone."""
    return {
        "platform": "event",
        "name": "Training",
        "icon": "mdi:dumbbell",
        "event_types": list(HAPPENINGS),
        "state_topic": topics.event(HAPPENING_TOPIC),
    }


def _button(topics: Topics, command: str) -> Keys:
    return {
        "platform": "button",
        "command_topic": topics.command(command),
        "payload_press": "PRESS",
        "availability": [{"topic": topics.status}],
        **BUTTONS[command],
    }


def _object_id(base: str, device: str) -> str:
    return f"{base.replace('/', '-')}-{device}"
