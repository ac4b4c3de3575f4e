"""Draft the next migration from what the tables have and the newest migration has not: `python -m hub.adapters.migrations.draft MESSAGE`.

A draft is read and finished by a person: triggers, data and indexes on expressions are not seen by the comparison. Then
`HEAD` of hub.adapters.database is set to its number.
"""

import sys
from pathlib import Path

from alembic import command
from pysqlite3 import dbapi2 as sqlite
from sqlmodel import SQLModel

from hub.adapters import tables, verification_tables
from hub.adapters.database import HEAD, alembic_config, engine_on, migrate


def draft(message: str, scripts: Path) -> str:
    """Write the draft into the folder of the scripts and return its number."""
    assert {tables.LedgerRow.__tablename__, verification_tables.LookRow.__tablename__} <= set(SQLModel.metadata.tables)
    number = f"{int(HEAD) + 1:04}"
    connection = sqlite.connect(":memory:", isolation_level=None)
    migrate(connection)
    with engine_on(connection).connect() as bound:
        config = alembic_config()
        config.set_main_option("script_location", str(scripts))
        config.attributes.update(connection=bound, target_metadata=SQLModel.metadata)
        command.revision(config, message, autogenerate=True, rev_id=number)
    connection.close()
    return number


if __name__ == "__main__":
    draft(sys.argv[1], Path(__file__).parent)
