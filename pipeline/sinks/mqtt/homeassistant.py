"""Home Assistant: the band as a device that sets itself up, and events for automations.

Pure. Follows the MQTT integration's device discovery: one retained message names the device, its
origin and its entities; long key names are used throughout.

References
----------
https://www.home-assistant.io/integrations/mqtt/ (device discovery, availability, event, button)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.analysis.types import Phase, RepAnnounced, SetClosed
from pipeline.session.events import Emitted, GapFound
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.messages import Message, Topics, bridge_status, head, to_json

EXPIRE_AFTER_S = 90
"""Three heartbeats of the state without one: the value is no longer true."""
HAPPENINGS = ("rep", "set_end", "gap")
HAPPENING_TOPIC = "ha"
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


@dataclass(frozen=True, slots=True)
class DeviceCard:
    """What a person is told about a band."""

    name: str
    model: str = "Resistance band with force sensor"
    manufacturer: str = "forceband"
    serial_number: str | None = None
    sw_version: str | None = None
    hw_version: str | None = None


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
    about = {
        "identifiers": [object_id],
        "name": card.name,
        "model": card.model,
        "manufacturer": card.manufacturer,
        "serial_number": card.serial_number,
        "sw_version": card.sw_version,
        "hw_version": card.hw_version,
    }
    components = _sensors() | {"link": _link(base), "happening": _event()}
    if commands:
        components |= {name: _button(name) for name in BUTTONS}
    for key, component in components.items():
        component["unique_id"] = f"{object_id}_{key}"
    body = {
        "device": {key: value for key, value in about.items() if value},
        "origin": {"name": "forceband", "sw_version": version},
        "~": Topics(base, device).root,
        "availability": [{"topic": bridge_status(base)}, {"topic": "~/status"}],
        "availability_mode": "all",
        "state_topic": "~/state",
        "qos": 1,
        "components": components,
    }
    return Message(discovery_topic(prefix, base, device), to_json(body), retain=True)


def happening(base: str, facts: SessionFacts, emitted: Emitted) -> Message | None:
    """A short event for automations; None for what should not trigger any."""
    body: dict[str, Any]
    match emitted.event:
        case RepAnnounced(rep):
            body = {
                "event_type": "rep",
                "set": rep.set,
                "rep": rep.rep,
                "peak_n": rep.peak_n,
                "tempo": rep.tempo,
                "concentric_s": rep.concentric_s,
                "eccentric_s": rep.eccentric_s,
            }
        case SetClosed(summary):
            body = {
                "event_type": "set_end",
                "set": summary.set,
                "reps": summary.reps,
                "peak_n": summary.peak_n,
                "tut_s": summary.tut_s,
                "rest_s": summary.rest_s,
            }
        case GapFound(gap):
            body = {"event_type": "gap", "missing": gap.missing}
        case _:
            return None
    topic = Topics(base, facts.device).event(HAPPENING_TOPIC)
    return Message(topic, to_json({**body, **head(facts, emitted)}))


def _sensors() -> dict[str, dict[str, Any]]:
    live = {"expire_after": EXPIRE_AFTER_S}
    measured = {"state_class": "measurement"}
    counted = {"state_class": "total_increasing"}
    diagnostic = {"entity_category": "diagnostic"}
    newton = {"unit_of_measurement": "N", "suggested_display_precision": 0, **measured}
    seconds = {"device_class": "duration", "unit_of_measurement": "s", **measured}
    # Home Assistant keeps `unknown` for itself and takes a rendered None to mean it
    known = {"value_template": "{{ value_json.phase if value_json.phase != 'unknown' else None }}"}
    phases = {"device_class": "enum", "options": [p.value for p in Phase if p != Phase.UNKNOWN]}
    battery = {"device_class": "battery", "unit_of_measurement": "%", **measured, **diagnostic}
    missing = {"icon": "mdi:chart-line-variant", **counted, **diagnostic}
    return {
        "force": _sensor("force_n", "Force", icon="mdi:arm-flex", **newton, **live),
        "peak": _sensor("peak_n", "Peak of last rep", icon="mdi:summit", **newton),
        "reps": _sensor("reps", "Reps in set", icon="mdi:counter", **counted),
        "set": _sensor("set", "Set", icon="mdi:format-list-numbered", **counted),
        "tempo": _sensor("tempo", "Tempo", icon="mdi:metronome"),
        "phase": _sensor("phase", "Phase", icon="mdi:sine-wave", **phases, **live) | known,
        "tut": _sensor("tut_s", "Time under tension", suggested_display_precision=1, **seconds),
        "battery": _sensor("battery_percent", "Battery", **battery),
        "missing": _sensor("missing_samples", "Missing samples", **missing),
    }


def _sensor(field: str, name: str, **more: Any) -> dict[str, Any]:
    return {
        "platform": "sensor",
        "name": name,
        "value_template": f"{{{{ value_json.{field} }}}}",
        **more,
    }


def _link(base: str) -> dict[str, Any]:
    return {
        "platform": "binary_sensor",
        "name": "Link",
        "device_class": "connectivity",
        "entity_category": "diagnostic",
        "state_topic": "~/status",
        "payload_on": "online",
        "payload_off": "offline",
        # of its own, or it could never be seen as disconnected
        "availability": [{"topic": bridge_status(base)}],
    }


def _event() -> dict[str, Any]:
    return {
        "platform": "event",
        "name": "Training",
        "icon": "mdi:dumbbell",
        "event_types": list(HAPPENINGS),
        "state_topic": f"~/event/{HAPPENING_TOPIC}",
    }


def _button(command: str) -> dict[str, Any]:
    return {
        "platform": "button",
        "command_topic": f"~/cmd/{command}",
        "payload_press": "PRESS",
        **BUTTONS[command],
    }


def _object_id(base: str, device: str) -> str:
    return f"{base.replace('/', '-')}-{device}"
