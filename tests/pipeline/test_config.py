"""Configuration comes from where it should, and wrong settings get a sentence."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.config import ConfigError, load
from pipeline.delivery.session_log import new_session_name, session_recording


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
        ("[mqtt]\nhots = 'x'", "no setting 'mqtt.hots': did you mean mqtt.host"),
        ("[mqtt]\nport = 'abc'", "mqtt.port takes int"),
        ("[mqtt]\nport = 70000", "not in 0..65535"),
        ("[mqtt]\nport = true", "mqtt.port takes int"),
        ("[band]\nside = 'up'", "left, right or both"),
        ("[band]\nname = ' '", "a line of at most"),
        ('[band]\nname = "\\u200d "', "a line of at most"),
        ('[band]\nathlete = "\\u202eabc"', "a line of at most"),
        ('[band]\nexercise = "a\\nb"', "a line of at most"),
        ("[web]\nhosts = 5", "web.hosts takes a list of names"),
        (
            "[web]\nhosts = ['a.lan', 'https://b.lan']",
            "hosts are names alone, .* not 'https://b.lan'",
        ),
        ("[web]\nhosts = ['b.lan:443']", "hosts are names alone"),
        ("[web]\nhosts = ['*']", "hosts are names alone"),
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
    with pytest.raises(ConfigError, match=words) as caught:
        load(file, environment={})
    assert str(file) in str(caught.value)


def test_a_value_that_cannot_be_says_where_it_was_given() -> None:
    with pytest.raises(ConfigError, match=r"^FORCEBAND_SERVE_PAUSE_S: \[serve\] pause_s is"):
        load(environment={"FORCEBAND_SERVE_PAUSE_S": "0", "FORCEBAND_BAND_NAME": "x"})
    with pytest.raises(ConfigError, match=r"^the command line: \[web\] port not in"):
        load(flags={"web.port": 70000}, environment={"FORCEBAND_WEB_PORT": "1"})


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


def test_an_unknown_variable_is_named_with_what_was_meant() -> None:
    with pytest.raises(ConfigError, match="FORCEBAND_MQTT_HOTS: did you mean FORCEBAND_MQTT_HOST"):
        load(environment={"FORCEBAND_MQTT_HOTS": "x"})


def test_names_of_the_page_come_as_a_list_or_with_commas(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[web]\nhosts = ["band.home", "b.lan"]')
    assert load(file, environment={}).web.hosts == ("band.home", "b.lan")
    given = {"FORCEBAND_WEB_HOSTS": "band.home, b.lan"}
    assert load(environment=given).web.hosts == ("band.home", "b.lan")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("band-left", "band-left"),
        ("Größe 2", "grosse-2"),
        ("Жим лёжа", "zhim-lezha"),
        ("懸垂", None),
        ("💪", None),
        ("🏋\ufe0f\u200d♀\ufe0f", None),
        ("نیم\u200cتنه", None),
    ],
)
def test_a_name_in_any_language_has_an_identifier(
    tmp_path: Path, name: str, made: str | None
) -> None:
    exercise = f"Klimmzüge {name}"
    flags = {"data_dir": tmp_path, "band.name": name, "band.exercise": exercise}
    with session_recording(load(flags=flags, environment={})) as log:
        facts = log.facts
    assert facts.exercise == exercise
    assert re.fullmatch("[a-z0-9-]+", facts.device)
    assert made in (None, facts.device)
    assert re.fullmatch("[a-z0-9-]+", facts.session)


def test_a_session_is_named_by_local_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")  # 14 h ahead
    time.tzset()
    try:
        named = datetime.strptime(new_session_name()[:15], "%Y%m%d-%H%M%S")
    finally:
        monkeypatch.undo()
        time.tzset()
    ahead = named - datetime.now(UTC).replace(tzinfo=None)
    assert abs(ahead - timedelta(hours=14)) < timedelta(minutes=1)
