from __future__ import annotations

import os
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
BAND: dict[str, Any] = yaml.safe_load((ROOT / "compose.band.yaml").read_text())["services"]
PROVISIONING = ROOT / "dashboards/grafana/provisioning"


SECRET = r"(?<!\$)\$\{(\w+):\?"
TOKENS = ROOT / "deploy/influxdb-tokens.sh"

FAKE_INFLUX = """\
#!/bin/sh
# The answers of InfluxDB's own command line, for what the script asks of it; no server behind it.
set -eu
echo "$*" >> "$FAKE/asked"
case "$1 $2" in
  "bucket list") grep -h "^id-$4	" "$FAKE/buckets" || { echo "not found" >&2; exit 1; } ;;
  "bucket create") printf 'id-%s\\t%s\\t%s\\n' "$4" "$4" "$6" >> "$FAKE/buckets" ;;
  "bucket update") ;;
  "auth create")
    printf '{\\n\\t"id": "0a",\\n\\t"token": "secret-of-%s==",\\n\\t"status": "a"\\n}\\n' "$4" ;;
esac
"""


def mounts(service: str) -> dict[str, str]:
    """Host path or volume of each mounted path."""
    parts = [volume.split(":") for volume in SERVICES[service].get("volumes", ())]
    return {part[1]: part[0] for part in parts}


def test_what_is_mounted_exists() -> None:
    for service in SERVICES:
        for source in mounts(service).values():
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                assert source in COMPOSE["volumes"], source


def test_ports_are_bound_to_loopback_only() -> None:
    ports = {name: port for name, each in SERVICES.items() for port in each.get("ports", ())}
    assert ports.pop("forceband") == "${WEB_BIND:-127.0.0.1}:8642:8642", "where it is asked for"
    for name, port in ports.items():
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), name


def test_images_are_pinned_and_every_service_tells_its_health() -> None:
    for name, service in SERVICES.items():
        assert "build" in service or re.search(r":\d+\.\d+\.\d+$", service["image"]), name
        ends = "ports" not in service
        assert ends or service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
        for needed, state in service.get("depends_on", {}).items():
            waits_for_end = state["condition"] == "service_completed_successfully"
            assert waits_for_end == ("ports" not in SERVICES[needed])


def test_secrets_come_from_the_env_file_and_nowhere_else() -> None:
    example = (ROOT / ".env.example").read_text()
    asked = set(re.findall(SECRET, TEXT))
    others = set(re.findall(r"(?<!\$)\$\{?(\w+)", TEXT)) - asked
    assert asked == set(re.findall(r"(?m)^([A-Z_]+)=$", example))
    assert others == set(re.findall(r"(?m)^# ([A-Z_]+)=\S", example))
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if re.search("(PASSWORD|TOKEN)$", name):
                assert value.startswith("${"), name


def test_secrets_are_made_at_random_for_every_name() -> None:
    def made() -> dict[str, str]:
        done = subprocess.run(
            ["sh", str(ROOT / "deploy/secrets.sh")], capture_output=True, text=True, check=True
        )
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    first, second = made(), made()
    assert set(first) == set(re.findall(SECRET, TEXT))
    values = [*first.values(), *second.values()]
    assert len(set(values)) == len(values)
    assert all(re.fullmatch("[0-9a-f]{48}", value) for value in values)


def test_forceband_understands_its_environment(tmp_path: Path) -> None:
    def filled(value: str) -> str:
        return "secret" if re.fullmatch(SECRET + ".*", value) else "" if "$" in value else value

    environment = {k: filled(v) for k, v in SERVICES["forceband"]["environment"].items()}
    token = tmp_path / "token"
    token.write_text("secret")
    assert environment["FORCEBAND_INFLUX_TOKEN_FILE"].startswith("/run/secrets/")
    environment["FORCEBAND_INFLUX_TOKEN_FILE"] = str(token)
    config = load(environment=environment)
    assert config.mqtt.host in SERVICES
    assert config.influx.url == SERVICES["grafana"]["environment"]["INFLUX_URL"]
    assert config.influx.token == config.web.token == config.mqtt.password == "secret"
    assert config.mqtt.username == SERVICES["mosquitto"]["environment"]["MQTT_USERNAME"]
    influx = SERVICES["influxdb"]["environment"]
    assert config.influx.org == influx["DOCKER_INFLUXDB_INIT_ORG"]
    assert f"made {config.influx.bucket} 7d" in TOKENS.read_text()
    real = {**environment, **BAND["forceband"]["environment"]}
    assert (load(environment=real).influx.bucket, load(environment=real).influx.samples_bucket) == (
        "forceband",
        "forceband-samples",
    )


def test_the_board_reads_the_buckets_that_forceband_writes() -> None:
    for grafana, forceband in (
        (SERVICES["grafana"], SERVICES["forceband"]),
        (BAND["grafana"], BAND["forceband"]),
    ):
        reads, writes = grafana["environment"], forceband["environment"]
        bucket = writes["FORCEBAND_INFLUX_BUCKET"]
        assert reads["INFLUX_BUCKET"] == bucket
        assert reads["INFLUX_SAMPLES_BUCKET"] == writes.get(
            "FORCEBAND_INFLUX_SAMPLES_BUCKET", bucket
        )


def test_each_client_of_influxdb_gets_a_token_for_its_buckets_only(tmp_path: Path) -> None:
    folders = {name: tmp_path / name for name in ("forceband", "grafana")}
    for folder in folders.values():
        folder.mkdir()
    text = TOKENS.read_text()
    for name, folder in folders.items():
        assert f"/{name}/influx_token" in text
        text = text.replace(f"/{name}/influx_token", f"{folder}/influx_token")
    (tmp_path / "script").write_text(text)
    (tmp_path / "buckets").write_text("id-forceband\tforceband\tinfinite\n")
    (tmp_path / "influx").write_text(FAKE_INFLUX)
    (tmp_path / "influx").chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "FAKE": str(tmp_path),
        "SAMPLES_KEPT": "60d",
    }
    for _ in range(2):  # a second run makes nothing twice
        subprocess.run(["sh", tmp_path / "script"], env=environment, check=True)
    buckets = [line.split("\t")[1:] for line in (tmp_path / "buckets").read_text().splitlines()]
    assert buckets == [["forceband", "infinite"], ["forceband-samples", "60d"], ["demo", "7d"]]
    for name, folder in folders.items():
        assert (folder / "influx_token").read_text() == f"secret-of-{name}=="
        assert [each.name for each in folder.iterdir()] == ["influx_token"]
    asked = (tmp_path / "asked").read_text().splitlines()
    rights = {line.split()[3]: line for line in asked if line.startswith("auth create")}
    assert len([line for line in asked if line.startswith("auth create")]) == 2
    names = ("forceband", "forceband-samples", "demo")
    assert re.findall(r"--read-bucket id-(\S+)", rights["grafana"]) == [*names]
    assert re.findall(r"--write-bucket id-(\S+)", rights["forceband"]) == [*names]
    assert "--write" not in rights["grafana"]
    assert not any(re.search(r"--(operator|all-access|\w+-buckets)\b", line) for line in asked)


@pytest.mark.parametrize("files", [["compose.yaml"], ["compose.yaml", "compose.band.yaml"]])
def test_compose_takes_its_files(files: list[str], tmp_path: Path) -> None:
    compose = find_program("docker-compose", "docker-compose")
    secrets = subprocess.run(["sh", ROOT / "deploy/secrets.sh"], capture_output=True, check=True)
    (tmp_path / "env").write_bytes(secrets.stdout + b"BLUETOOTH_GID=112\nWEB_BIND=0.0.0.0\n")
    flags = [each for file in files for each in ("-f", str(ROOT / file))]
    made = subprocess.run(
        [compose, "--env-file", tmp_path / "env", *flags, "config"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (made.returncode, made.stderr) == (0, "")
    forceband = yaml.safe_load(made.stdout)["services"]["forceband"]
    assert forceband["ports"] == ["0.0.0.0:8642:8642/tcp"]
    assert forceband.get("command") == ("serve" if len(files) == 2 else None)


def test_grafana_finds_source_and_board_where_they_are_mounted() -> None:
    environment = SERVICES["grafana"]["environment"]
    source = (PROVISIONING / "datasources/influx.yaml").read_text()
    asked = set(re.findall(r"\$(\w+)", source))
    asked.remove("__file")
    assert asked == {"INFLUX_URL", "INFLUX_BUCKET", "INFLUX_SAMPLES_BUCKET"}
    assert asked <= set(environment)
    (secret,) = set(re.findall(r"\$__file\{(.+?)\}", source))
    assert secret == "/run/secrets/influx_token"
    assert mounts("grafana")["/run/secrets"] == mounts("influxdb-tokens")["/grafana"]
    assert mounts("forceband")["/run/secrets"] == mounts("influxdb-tokens")["/forceband"]
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
