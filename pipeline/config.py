"""Configuration: defaults, then a TOML file, then the environment, then flags.

    [mqtt]
    host = "broker.local"
    username = "band"
    password_file = "/run/secrets/mqtt"

`FORCEBAND_MQTT_HOST` sets the same from the environment; `FORCEBAND_MQTT_PASSWORD` or
`FORCEBAND_MQTT_PASSWORD_FILE` give a secret. docs/configuration.md lists every
key. No secret is a flag: `ps` shows flags.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_type_hints

from platformdirs import user_config_path, user_data_path

from sensor.errors import BandError

LONGEST_NAME = 64
JOINERS = "\u200c\u200d"
"""Unseen signs that Persian, Indic scripts and emoji are written with."""
SECRETS = {"password", "token"}


class ConfigError(BandError, ValueError):
    """A setting is wrong; the text says which, where it stands and what would be right."""


def default_data_dir() -> Path:
    """Where recordings go: the platform's place for a person's application data."""
    return user_data_path("forceband", appauthor=False)


def default_config_file() -> Path:
    """Where the configuration is looked for when none is named."""
    return user_config_path("forceband", appauthor=False) / "config.toml"


@dataclass(frozen=True, slots=True)
class BandConfig:
    """Which band, and whose."""

    transport: str | None = None
    """Of the bumble host stack (`usb:0`, `serial:/dev/...`, `unix:PATH`, `tcp:HOST:PORT`), instead
    of the system's own Bluetooth."""
    address: str | None = None
    """Of one of several bands; else the first that is found."""
    name: str = "band"
    """Of the device; topics and points take an identifier that is derived from it."""
    pair: bool = False
    """Bond with the band, for one that demands it."""
    scale: float | None = None
    """Newtons per count of a device that sends counts, a correcting factor for one that sends
    newtons; our own band keeps its calibration itself."""
    side: str = "both"
    """`left`, `right` or `both`."""
    exercise: str = "unknown"
    """Such as `low-row`: a line in any language."""
    athlete: str = "me"
    """Whose session it is: a line in any language."""

    def __post_init__(self) -> None:
        for key in ("name", "exercise", "athlete"):
            value = getattr(self, key)
            seen = "".join(sign for sign in value if sign not in JOINERS)
            if not seen.strip() or not seen.isprintable() or len(value) > LONGEST_NAME:
                raise ValueError(
                    f"{key} takes a line of at most {LONGEST_NAME} characters, not {value!r}"
                )
        if self.scale is not None and not 0 < abs(self.scale) < 1e6:
            raise ValueError(f"scale is a number other than 0, below a million, not {self.scale:g}")
        if self.side not in ("left", "right", "both"):
            raise ValueError(f"side is left, right or both, not {self.side!r}")


@dataclass(frozen=True, slots=True)
class MqttConfig:
    """The broker: an embedded one unless `host` names another."""

    enabled: bool = True
    """Whether anything goes out over MQTT."""
    host: str | None = None
    """Of your broker; without one an embedded broker serves this machine."""
    port: int | None = None
    """1883, or 8883 with TLS; 0 lets the embedded broker pick a free one."""
    bind: str = "127.0.0.1"
    """Where the embedded broker listens; elsewhere it asks for username and password."""
    username: str | None = None
    """At the broker."""
    password: str | None = field(default=None, repr=False)
    """At the broker."""
    tls: bool = False
    """Encrypted, with the system's authorities unless `ca_file` names another."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust instead of the system's."""
    cert_file: Path | None = None
    """Our own certificate, for a broker that asks for one."""
    key_file: Path | None = None
    """The key of our certificate."""
    base_topic: str = "forceband"
    """What all topics begin with."""
    home_assistant: bool = True
    """Announce the band to Home Assistant."""
    discovery_prefix: str = "homeassistant"
    """Where Home Assistant listens for devices."""
    protocol: str = "3.1.1"
    """Version of MQTT: `3.1.1` or `5`."""

    def __post_init__(self) -> None:
        _check_port("port", self.port)
        if self.host is not None and any(sign in self.host for sign in "@/?#"):
            # not shown, as it may hold a password
            raise ValueError(
                "host holds more than a name or an address: port, tls, username and "
                "password_file are settings of their own"
            )


@dataclass(frozen=True, slots=True)
class InfluxConfig:
    """Where points go, if `url` is set."""

    url: str | None = None
    """Such as `http://127.0.0.1:8086`; nothing is sent without one."""
    org: str = "forceband"
    """Organisation, of InfluxDB 2."""
    bucket: str = "forceband"
    """Bucket; on InfluxDB 1.8 the database, or `database/retention-policy`."""
    samples_bucket: str | None = None
    """Of the samples of force, where they are kept for a shorter time than the results."""
    token: str | None = field(default=None, repr=False)
    """Of InfluxDB 2 or 3; `user:password` on 1.8."""
    ca_file: Path | None = None
    """Certificates of the authorities to trust instead of the system's."""

    def __post_init__(self) -> None:
        if self.url is not None and any(sign in self.url for sign in "@?#"):
            # not shown, as it may hold a password
            raise ValueError("url holds more than scheme, host, port and path: use token_file")


@dataclass(frozen=True, slots=True)
class WebConfig:
    """The live page."""

    enabled: bool = True
    """Whether there is a page."""
    host: str = "127.0.0.1"
    """`0.0.0.0` shows the page on the network, behind a token."""
    port: int = 8642
    """0 picks a free one."""
    token: str | None = field(default=None, repr=False)
    """Asked of everybody when `host` is not loopback or `hosts` are named; made up when missing."""
    hosts: tuple[str, ...] = ()
    """Further names by which the page is called, such as that of a reverse proxy."""

    def __post_init__(self) -> None:
        _check_port("port", self.port)
        for host in self.hosts:
            if re.search(r"[\s/:*@?#]", host):
                raise ValueError(
                    "hosts are names alone, such as band.home, without scheme, port or path, "
                    f"not {host!r}"
                )


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """`forceband serve`: sessions one after the other."""

    pause_s: float = 600.0
    """A session ends after so long without a pull, or without the band."""

    def __post_init__(self) -> None:
        if not 0 < self.pause_s < 1e6:
            raise ValueError(f"pause_s is a number above 0, below a million, not {self.pause_s:g}")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that can be set."""

    data_dir: Path = field(default_factory=default_data_dir)
    """Folder of the recordings."""
    band: BandConfig = field(default_factory=BandConfig)
    mqtt: MqttConfig = field(default_factory=MqttConfig)
    influx: InfluxConfig = field(default_factory=InfluxConfig)
    web: WebConfig = field(default_factory=WebConfig)
    serve: ServeConfig = field(default_factory=ServeConfig)


_SECTIONS = {
    "band": BandConfig,
    "mqtt": MqttConfig,
    "influx": InfluxConfig,
    "web": WebConfig,
    "serve": ServeConfig,
}


def load(
    path: Path | None = None,
    *,
    flags: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] = os.environ,
) -> Config:
    """The configuration from all its places.

    Parameters
    ----------
    path
        The TOML file; None looks in the default place and is content without.
    flags
        Values by dotted name, such as `{"mqtt.port": 0}`; None means that a flag was not given.

    Raises
    ------
    ConfigError
        If a file cannot be read, or a key is unknown or has a wrong value.
    """
    values, where = _from_file(path)
    _overlay_environment(values, where, environment)
    for name, value in (flags or {}).items():
        if value is not None:
            values[name], where[name] = value, "the command line"
    sections = {
        section: _build(section, kind, values, where) for section, kind in _SECTIONS.items()
    }
    data_dir = _convert("data_dir", Path, values.pop("data_dir", default_data_dir()), where)
    if values:
        name = next(iter(values))
        raise ConfigError(
            f"{where[name]}: there is no setting {name!r}{_near(name, _names())}; "
            "see docs/configuration.md"
        )
    return Config(data_dir=data_dir, **sections)  # type: ignore[arg-type]


def _from_file(path: Path | None) -> tuple[dict[str, Any], dict[str, str]]:
    named = path is not None
    path = path or default_config_file()
    if not named and not path.exists():
        return {}, {}
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: the configuration cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the configuration is not valid TOML: {error}") from error
    values: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            values.update({f"{key}.{inner}": each for inner, each in value.items()})
        else:
            values[key] = value
    return values, dict.fromkeys(values, str(path))


def _overlay_environment(
    values: dict[str, Any], where: dict[str, str], environment: Mapping[str, str]
) -> None:
    names = {f"FORCEBAND_{name.replace('.', '_')}".upper(): name for name in _names()}
    for variable, value in environment.items():
        if not variable.startswith("FORCEBAND_") or not value:
            continue
        if variable not in names:
            raise ConfigError(
                f"the environment: there is no setting {variable}{_near(variable, names)}; "
                "see docs/configuration.md"
            )
        values[names[variable]], where[names[variable]] = value, variable


def _names() -> list[str]:
    """Every setting by its dotted name."""
    names = ["data_dir"]
    for section, kind in _SECTIONS.items():
        for each in fields(kind):
            names.append(f"{section}.{each.name}")
            if each.name in SECRETS:
                names.append(f"{section}.{each.name}_file")
    return names


def _near(name: str, names: Iterable[str]) -> str:
    found = get_close_matches(name, names, 1)
    return f": did you mean {found[0]}?" if found else ""


def _build(section: str, kind: type, values: dict[str, Any], where: dict[str, str]) -> object:
    hints = get_type_hints(kind)
    given: dict[str, Any] = {}
    for each in fields(kind):
        name = f"{section}.{each.name}"
        if each.name in SECRETS and f"{name}_file" in values:
            named = f"{name}_file"
            given[each.name] = _secret(named, values.pop(named), where[named])
            values.pop(name, None)
        elif name in values:
            given[each.name] = _convert(name, hints[each.name], values.pop(name), where)
    try:
        return kind(**given)
    except ValueError as error:
        setting = f"{section}.{str(error).split()[0]}"  # each of these texts begins with the key
        place = f"{where[setting]}: " if setting in where else ""
        raise ConfigError(f"{place}[{section}] {error}") from error


def _secret(name: str, path: object, where: str) -> str:
    try:
        return Path(str(path)).expanduser().read_text("utf-8").strip()
    except (OSError, ValueError, RuntimeError) as error:  # a NUL in it, or nobody's ~home
        # Neither the name nor the error is shown: people put the secret itself there.
        why = (error.strerror if isinstance(error, OSError) else None) or "it is no file's name"
        raise ConfigError(
            f"{where}: {name} names a file that holds the secret, which cannot be read: {why}"
        ) from None


def _convert(name: str, hint: Any, value: Any, where: Mapping[str, str]) -> Any:
    kinds = getattr(hint, "__args__", (hint,))
    text = isinstance(value, str)
    if hint == tuple[str, ...]:
        return _several(name, value, where)
    if bool in kinds and text and value.lower() in ("1", "true", "yes", "on"):
        return True
    if bool in kinds and text and value.lower() in ("0", "false", "no", "off"):
        return False
    if int in kinds and text and re.fullmatch(r"-?[0-9]{1,18}", value):
        return int(value)
    if float in kinds and (isinstance(value, int) or text) and not isinstance(value, bool):
        with suppress(ValueError):
            return float(value)
    if Path in kinds and text:
        if "\0" in value:
            raise ConfigError(f"{where.get(name, 'default')}: {name}: no path has a NUL in it")
        try:
            return Path(value).expanduser()
        except RuntimeError as error:
            raise ConfigError(f"{where.get(name, 'default')}: {name}: {error}") from error
    accepted = tuple(kind for kind in kinds if isinstance(kind, type))
    if isinstance(value, accepted) and not (isinstance(value, bool) and bool not in kinds):
        return value
    wanted = " or ".join(kind.__name__ for kind in accepted if kind is not type(None))
    shown = "a secret" if name.rpartition(".")[2] in SECRETS else repr(value)
    raise ConfigError(f"{where.get(name, 'default')}: {name} takes {wanted}, not {shown}")


def _several(name: str, value: Any, where: Mapping[str, str]) -> tuple[str, ...]:
    """A list of a file, or words with commas between them."""
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list | tuple) or not all(isinstance(word, str) for word in words):
        raise ConfigError(f"{where.get(name, 'default')}: {name} takes a list of names")
    return tuple(word.strip() for word in words if word.strip())


def _check_port(name: str, port: int | None) -> None:
    if port is not None and not 0 <= port <= 65535:
        raise ValueError(f"{name} not in 0..65535: {port}")
