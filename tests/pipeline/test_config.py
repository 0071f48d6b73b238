"""Configuration comes from where it should, and wrong settings get a sentence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.config import ConfigError, load


def test_flags_win_over_environment_over_file(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('data_dir = "/a"\n[mqtt]\nhost = "file"\nport = 1\nbase_topic = "t"\n')
    config = load(
        file,
        flags={"mqtt.port": 3, "mqtt.host": None},
        environment={"FORCEBAND_MQTT_HOST": "environment", "FORCEBAND_MQTT_PORT": "2"},
    )
    assert (config.mqtt.host, config.mqtt.port, config.mqtt.base_topic) == ("environment", 3, "t")
    assert config.data_dir == Path("/a")


def test_secrets_come_from_files_and_show_nowhere(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n")
    config = load(
        environment={
            "XDG_CONFIG_HOME": str(tmp_path),
            "FORCEBAND_MQTT_PASSWORD_FILE": str(secret),
            "FORCEBAND_INFLUX_TOKEN": "t0ken",
        }
    )
    assert config.mqtt.password == "hunter2"
    assert config.influx.token == "t0ken"
    assert "hunter2" not in repr(config)
    assert "t0ken" not in repr(config)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[mqtt]\nhots = 'x'", "no setting 'mqtt.hots'"),
        ("[mqtt]\nport = 'abc'", "mqtt.port takes int"),
        ("[mqtt]\nport = 70000", "not in 0..65535"),
        ("[mqtt]\nport = true", "mqtt.port takes int"),
        ("[band]\nside = 'up'", "left, right or both"),
        ("[band]\nname = 'My Band'", "lower-case"),
        ("[mqtt\n", "not valid TOML"),
        ("[influx]\ntoken_file = '/nowhere/at/all'", "cannot be read"),
        ("[influx]\ntoken_file = '~nobody-of-that-name/a'", "cannot be read"),
        ('[influx]\ntoken_file = "a\\u0000b"', "cannot be read"),
        ("data_dir = '~nobody-of-that-name/a'", "data_dir: Could not determine home directory"),
        ('data_dir = "a\\u0000b"', "data_dir"),
        ("[influx]\ntoken = 5", "not a secret"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=words):
        load(file, environment={})


@pytest.mark.parametrize(
    "text",
    [
        "[mqtt]\nhost = 'mqtt://me:hunter2@broker'",
        "[mqtt]\nhost = 'me:hunter2@broker'",
        "[influx]\nurl = 'http://me:hunter2@host:8086'",
        "[influx]\nurl = 'http://host:8086/?p=hunter2'",
        "[mqtt]\npassword_file = 'hunter2'",
        "[mqtt]\npassword_file = '/hunter2'",
        "[influx]\ntoken_file = 'hunter2'",
        "[web]\ntoken_file = '~hunter2/a'",
        '[web]\ntoken_file = "hunter2\\u0000"',
        "[mqtt]\npassword = ['hunter2']",
    ],
)
@pytest.mark.parametrize("command", ["live", "doctor", "deliver"])
def test_a_secret_in_the_wrong_place_is_refused_and_never_shown(
    tmp_path: Path, text: str, command: str, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text)
    arguments = [command, "--config", str(file), *(["x.forceband"] if command == "deliver" else [])]
    assert main(arguments) == 1
    said = "".join(capfd.readouterr())
    assert "hunter2" not in said
    assert text[1:].partition("]")[0] in said


@pytest.mark.parametrize("port", ["--5", "²", "1e3", "9" * 5000])
def test_what_only_looks_like_a_number_is_named(port: str) -> None:
    with pytest.raises(ConfigError, match=r"mqtt\.port takes int"):
        load(environment={"FORCEBAND_MQTT_PORT": port})


def test_a_named_file_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path / "none.toml", environment={})
