"""What an installation consists of."""

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)], cwd=ROOT, check=True, capture_output=True
    )
    (file,) = folder.glob("*.whl")
    with ZipFile(file) as archive:
        yield archive


def test_the_wheel_holds_everything_under_src(wheel):
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}

    assert {source for source in sources if "__pycache__" not in source} - set(wheel.namelist()) == set()


def test_the_wheel_holds_two_packages_and_nothing_else(wheel):
    folders = {name.partition("/")[0] for name in wheel.namelist()}

    assert {folder for folder in folders if not folder.endswith(".dist-info")} == {"afresh", "dbt_afresh"}


def test_the_wheel_installs_the_command(wheel):
    (entry_points,) = (name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert "afresh = afresh.cli.main:run" in wheel.read(entry_points).decode()
