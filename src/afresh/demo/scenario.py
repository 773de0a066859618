"""What happens in the demo's shop: it opens, customers order, an analyst edits a model.

Each function does one event on a project folder and returns what a narrator needs to tell it. Nothing here runs dbt or prints.
"""

from __future__ import annotations

import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from afresh.errors import UsageError

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATABASE = "shop.duckdb"
EDITED_MODEL = Path("models", "marts", "best_sellers.sql")

_HERE = Path(__file__).parent
_BEFORE_EDIT = "    sum(revenue) as revenue\n"
_AFTER_EDIT = "    sum(revenue) as revenue,\n    cast(sum(revenue) / sum(quantity) as decimal(12, 2)) as average_price\n"

# New orders go on where the recorded ones end, so that the same call on the same shop always adds the same rows.
_ADD_ORDERS = """
insert into raw.orders
select
    last.id + i,
    1 + (last.id + i * 17) % 600,
    'placed',
    1000 + i * 130,
    last.at + to_minutes(i * 7),
    last.at + to_minutes(i * 7)
from range(1, $count + 1) as new_order (i)
cross join (select max(id) as id, max(updated_at) as at from raw.orders) as last
"""


def create(folder: Path) -> Path:
    """Put the example project and its warehouse with raw data into ``folder`` and return the folder's absolute path.

    Raises:
        UsageError: the folder exists and holds something, or dbt-duckdb is not installed.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError("the demo needs a folder of its own", where=str(folder), hint="Name a folder that is empty or does not exist.")
    raw_data = (_HERE / "raw_data.sql").read_text(encoding="utf-8")
    _require_duckdb()
    shutil.copytree(_HERE / "project", folder, dirs_exist_ok=True)
    with _connect(folder) as connection:
        connection.execute(raw_data)
    return folder.resolve()


def add_orders(folder: Path, *, count: int = 25) -> int:
    """Add ``count`` orders to the source ``raw.orders``, as the shop's own system would, and return how many orders there are now."""
    with _connect(folder) as connection:
        connection.execute(_ADD_ORDERS, {"count": count})
        row = connection.execute("select count(*) from raw.orders").fetchone()
    return 0 if row is None else int(row[0])


def edit_model(folder: Path) -> Path:
    """Give ``best_sellers`` one more column, as an analyst would, and return the path of the edited file.

    Raises:
        UsageError: the file is not as :func:`create` left it.
    """
    path = folder / EDITED_MODEL
    sql = path.read_text(encoding="utf-8")
    edited = sql.replace(_BEFORE_EDIT, _AFTER_EDIT)
    if edited == sql:
        raise UsageError("the demo has already edited this model, or somebody else has", where=str(path), hint="Start from a new folder.")
    path.write_text(edited, encoding="utf-8")
    return path


def _connect(folder: Path) -> DuckDBPyConnection:
    import duckdb

    return duckdb.connect(folder / DATABASE)


def _require_duckdb() -> None:
    if find_spec("dbt.adapters.duckdb") is None:
        raise UsageError("the demo runs on DuckDB, which is not installed", hint="Run: pip install 'afresh[demo]'")
