"""Which package may import which: the contracts are in ``pyproject.toml``."""

from pathlib import Path

from importlinter.api import read_configuration
from importlinter.application import use_cases

CONFIGURATION = str(Path(__file__).parents[2] / "pyproject.toml")


def test_every_import_contract_is_kept(capsys):
    assert use_cases.lint_imports(config_filename=CONFIGURATION), capsys.readouterr().out


def test_the_layers_leave_no_package_out():
    (layers,) = (contract for contract in read_configuration(CONFIGURATION)["contracts_options"] if contract["type"] == "layers")

    assert layers["exhaustive"] == "True"
