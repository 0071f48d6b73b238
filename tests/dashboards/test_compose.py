from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from paho.mqtt.client import MQTT_ERR_SUCCESS, Client
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.config import load
from tests.mosquitto_server import Mosquitto, find_program

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "compose.yaml").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROVISIONING = ROOT / "dashboards/grafana/provisioning"


def mounts(service: str) -> dict[str, str]:
    """Host path or volume of each mounted path."""
    parts = [volume.split(":") for volume in SERVICES[service]["volumes"]]
    return {part[1]: part[0] for part in parts}


def test_what_is_mounted_exists() -> None:
    for service in SERVICES:
        for source in mounts(service).values():
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                assert source in COMPOSE["volumes"], source


def test_ports_are_bound_to_loopback_only() -> None:
    for name, service in SERVICES.items():
        assert service["ports"], name
        for port in service["ports"]:
            assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), name


def test_images_are_pinned_and_every_service_tells_its_health() -> None:
    for name, service in SERVICES.items():
        assert "build" in service or re.search(r":\d+\.\d+\.\d+$", service["image"]), name
        assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        for needed in service.get("depends_on", {}):
            assert needed in SERVICES


def test_secrets_come_from_the_env_file_and_nowhere_else() -> None:
    asked = set(re.findall(r"(?<!\$)\$\{(\w+):\?", TEXT))
    assert asked == set(re.findall(r"(?<!\$)\$\{?(\w+)", TEXT))
    assert asked == set(re.findall(r"(?m)^([A-Z_]+)=$", (ROOT / ".env.example").read_text()))
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|TOKEN", name):
                assert value.startswith("${"), name


def test_secrets_are_made_at_random_for_every_name() -> None:
    def made() -> dict[str, str]:
        done = subprocess.run(
            ["sh", str(ROOT / "deploy/secrets.sh")], capture_output=True, text=True, check=True
        )
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    first, second = made(), made()
    assert set(first) == set(re.findall(r"\$\{(\w+):\?", TEXT))
    values = [*first.values(), *second.values()]
    assert len(set(values)) == len(values)
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in values)


def test_forceband_understands_its_environment() -> None:
    environment = {
        name: value if not value.startswith("$") else "secret"
        for name, value in SERVICES["forceband"]["environment"].items()
    }
    config = load(environment=environment)
    assert config.mqtt.host in SERVICES
    assert config.influx.url == SERVICES["grafana"]["environment"]["INFLUX_URL"]
    assert config.influx.token == config.web.token == config.mqtt.password == "secret"
    assert config.mqtt.username == SERVICES["mosquitto"]["environment"]["MQTT_USERNAME"]
    influx = SERVICES["influxdb"]["environment"]
    assert config.influx.org == influx["DOCKER_INFLUXDB_INIT_ORG"]
    assert config.influx.bucket == influx["DOCKER_INFLUXDB_INIT_BUCKET"]


def test_grafana_finds_source_and_board_where_they_are_mounted() -> None:
    environment = SERVICES["grafana"]["environment"]
    source = (PROVISIONING / "datasources/influx.yaml").read_text()
    asked = set(re.findall(r"\$(\w+)", source))
    assert asked == {"INFLUX_URL", "INFLUX_BUCKET", "INFLUX_TOKEN"}
    assert asked <= set(environment)
    assert mounts("grafana")["/etc/grafana/provisioning"] == "./dashboards/grafana/provisioning"
    provider = yaml.safe_load((PROVISIONING / "dashboards/forceband.yaml").read_text())
    folder = provider["providers"][0]["options"]["path"]
    home = Path(environment["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"])
    assert str(home.parent) == folder
    assert (ROOT / mounts("grafana")[folder] / home.name).is_file()


def test_the_image_is_built_from_what_the_context_lets_in() -> None:
    let_in = re.findall(r"(?m)^!(.+)$", (ROOT / ".dockerignore").read_text())
    copied = [
        source
        for line in re.findall(r"(?m)^COPY (.+)$", (ROOT / "Dockerfile").read_text())
        for source in line.split()[:-1]
    ]
    assert set(copied) == set(let_in)
    assert all((ROOT / source).exists() for source in copied)


@pytest.mark.parametrize(("password", "admitted"), [("right", True), ("wrong", False)])
def test_the_broker_admits_only_who_knows_the_password(
    tmp_path: Path, password: str, admitted: bool
) -> None:
    passwords = tmp_path / "passwords"
    passwords.write_text("forceband:right\n")
    subprocess.run([find_program("mosquitto_passwd", "mosquitto"), "-U", passwords], check=True)
    settings = (ROOT / "deploy/mosquitto.conf").read_text()
    kept = [
        line.replace("/tmp/passwords", str(passwords))
        for line in settings.splitlines()
        if line.startswith(("allow_anonymous", "password_file"))
    ]
    assert len(kept) == 2
    with Mosquitto(tmp_path, "\n".join(kept)) as broker:
        client = Client(CallbackAPIVersion.VERSION2)
        client.username_pw_set("forceband", password)
        answers: list[bool] = []
        client.on_connect = lambda *call: answers.append(not call[3].is_failure)
        client.connect("127.0.0.1", broker.port)
        while not answers:
            assert client.loop(timeout=5) == MQTT_ERR_SUCCESS or answers
        client.disconnect()
    assert answers == [admitted]
