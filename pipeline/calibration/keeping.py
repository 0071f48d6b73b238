"""One setting written into the configuration file; all else in it stays as it is."""

from __future__ import annotations

from pathlib import Path

from pipeline.config import ConfigError, load


def write_setting(path: Path, section: str, key: str, value: float | str) -> None:
    """Set a key of a section; the file and the section are made where missing.

    Raises
    ------
    ConfigError
        If the file cannot be read or written, or would be no configuration any more.
    """
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        text = path.read_text("utf-8") if path.exists() else ""
        document = tomlkit.parse(text)
        if section not in document:
            document[section] = tomlkit.table()
        document[section][key] = value
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.part")
        new.write_text(tomlkit.dumps(document), "utf-8")
        try:
            load(new, environment={})
            new.chmod(path.stat().st_mode if path.exists() else 0o600)
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except (TOMLKitError, TypeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: the configuration is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error.strerror}") from error
