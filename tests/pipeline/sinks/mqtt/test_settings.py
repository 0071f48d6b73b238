"""Settings that cannot work are refused by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.sinks.loopback import is_loopback
from pipeline.sinks.mqtt.settings import MqttSettings


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"host": ""}, "host"),
        ({"host": "a..b"}, "host"),
        ({"host": "x" * 64 + ".org"}, "host"),
        ({"host": "mqtt://me:secret@broker"}, "host"),
        ({"port": 0}, "port"),
        ({"port": 65536}, "port"),
        ({"password": "secret"}, "password"),
        ({"ca_file": Path("ca.pem")}, "ca_file"),
        ({"tls": True, "key_file": Path("k.pem")}, "key_file"),
        ({"base_topic": ""}, "base_topic"),
        ({"base_topic": "/forceband"}, "base_topic"),
        ({"base_topic": "force/#"}, "base_topic"),
        ({"base_topic": "force+"}, "base_topic"),
        ({"base_topic": "$SYS"}, "base_topic"),
        ({"base_topic": "a" * 101}, "base_topic"),
        ({"base_topic": "a\n"}, "base_topic"),
        ({"discovery_prefix": "home assistant"}, "discovery_prefix"),
        ({"protocol": "4"}, "protocol"),
        ({"reconnect_max_s": 0.0}, "reconnect_max_s"),
        ({"reconnect_max_s": float("nan")}, "reconnect_max_s"),
    ],
)
def test_what_cannot_work_is_refused_by_name(wrong: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named) as raised:
        MqttSettings(**wrong)
    assert "secret" not in str(raised.value)


def test_the_defaults_and_nested_base_topics_work() -> None:
    assert MqttSettings().address == "127.0.0.1:1883"
    assert MqttSettings(base_topic="home/gym_2/band").tls_context() is None


@pytest.mark.parametrize(
    ("host", "tls", "shown"),
    [
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("localhost", False, False),
        ("broker.local", True, False),
        ("broker.local", False, True),
        ("192.168.1.4", False, True),
    ],
)
def test_a_password_in_the_clear_is_noticed(host: str, tls: bool, shown: bool) -> None:
    settings = MqttSettings(host=host, tls=tls, username="ann", password="secret")
    assert settings.shows_password is shown
    assert "secret" not in repr(settings)


def test_only_this_machine_is_loopback() -> None:
    assert is_loopback("127.3.4.5")
    assert not is_loopback("0.0.0.0")
    assert not is_loopback("localhost.example.org")
