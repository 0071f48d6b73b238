"""Without an extra: what needs it says so with the command, and all else works."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sensor.extras import EXTRAS, command

CSV = "time_s,force_n\n" + "".join(f"{k / 80},{20 + 10 * (k % 80 < 40)}\n" for k in range(400))
ABSENT = "import sys; sys.modules.update(dict.fromkeys({names}))\n"
RUN = "from pipeline.__main__ import main; sys.exit(main(sys.argv[1:]))"


def run(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """The command line where no extra is installed."""
    (folder / "pull.csv").write_text(CSV)
    program = ABSENT.format(names=list(EXTRAS)) + RUN
    command_line = [sys.executable, "-c", program, *args]
    return subprocess.run(
        command_line, capture_output=True, text=True, cwd=folder, check=False, timeout=60
    )


@pytest.mark.parametrize(
    ("args", "package", "extra"),
    [
        (["demo"], "bumble", "sim"),
        (["sim"], "bumble", "sim"),
        (["live", "--transport", "usb:0"], "bumble", "sim"),
        (["analyse", "pull.csv", "--plot", "out.png"], "matplotlib", "plot"),
        (["analyse", "pull.parquet"], "pyarrow", "parquet"),
    ],
)
def test_a_missing_extra_is_a_sentence_with_the_command(
    tmp_path: Path, args: list[str], package: str, extra: str
) -> None:
    (tmp_path / "pull.parquet").write_bytes(b"PAR1" + bytes(40) + b"PAR1")
    done = run(tmp_path, *args)
    assert done.returncode == 1
    last = done.stderr.splitlines()[-1]
    assert f"needs {package}, which is not installed: pip install 'forceband[{extra}]'" in last
    assert "Traceback" not in done.stderr


def test_an_export_to_parquet_says_so_and_one_to_csv_is_made(tmp_path: Path) -> None:
    assert run(tmp_path, "import", "pull.csv", "--data", str(tmp_path)).returncode == 0
    (recording,) = tmp_path.glob("*.forceband")
    refused = run(tmp_path, "export", str(recording), "--out", "out.parquet")
    assert refused.returncode == 1
    assert "pip install 'forceband[parquet]'" in refused.stderr
    assert run(tmp_path, "export", str(recording), "--out", "out.csv").returncode == 0
    assert (tmp_path / "out.csv").stat().st_size > 1000


def test_a_file_is_analysed_without_any_extra(tmp_path: Path) -> None:
    done = run(tmp_path, "analyse", "pull.csv", "--json")
    assert done.returncode == 0
    assert '"rate_hz"' in done.stdout


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("/home/a/.local/share/pipx/venvs/forceband", "pipx install --force"),
        ("/home/a/.local/share/uv/tools/forceband", "uv tool install --force"),
        ("/home/a/venv", "pip install"),
    ],
)
def test_the_command_is_that_of_how_it_was_installed(prefix: str, words: str) -> None:
    assert command("sim", prefix) == f"{words} 'forceband[sim]'"
