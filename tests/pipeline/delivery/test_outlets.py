"""What a session says of where it can be listened to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.delivery.outlets import subscription
from pipeline.sinks.mqtt.settings import MqttSettings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (MqttSettings(), "mosquitto_sub -h 127.0.0.1 -p 1883"),
        (
            MqttSettings(
                host="broker",
                port=8883,
                username="me",
                password="secret",
                tls=True,
                ca_file=Path("/etc/my ca"),
            ),
            "mosquitto_sub -h broker -p 8883 --cafile '/etc/my ca' -u me -P PASSWORD",
        ),
        (
            MqttSettings(host="broker", tls=True, cert_file=Path("me.crt"), key_file=Path("k")),
            "mosquitto_sub -h broker -p 1883 --tls-use-os-certs --cert me.crt --key k",
        ),
    ],
)
def test_the_line_to_listen_with_has_what_the_broker_asks_for(
    settings: MqttSettings, said: str
) -> None:
    assert subscription(settings) == said
