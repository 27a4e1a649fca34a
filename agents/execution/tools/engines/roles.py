"""What an administrator runs once, so that the second wall stands in the database: a role per tenant."""

import hashlib
from collections.abc import Sequence

from agents.execution.guards.verdict import Bounds

_LONGEST_ROLE = 60


def role_of(tenant: str) -> str:
    """The role of a tenant; a long name is shortened, and stays unlike any other."""
    name = f"opsloom_{tenant}"
    if len(name) <= _LONGEST_ROLE:
        return name
    return f"{name[: _LONGEST_ROLE - 13]}_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def postgres_roles(catalogue: Bounds, tenants: Sequence[str], schema: str = "public") -> str:
    """SELECT on the listed columns, row security for every role, a policy per tenant. Passwords are set by hand."""
    lines = ["BEGIN;", f"REVOKE CREATE ON SCHEMA {_id(schema)} FROM PUBLIC;"]
    for table in catalogue.tables:
        if catalogue.tenant_column is not None:
            lines.append(f"ALTER TABLE {_id(schema)}.{_id(table)} ENABLE ROW LEVEL SECURITY;")
    for tenant in tenants:
        role = _id(role_of(tenant))
        lines += [
            f"CREATE ROLE {role} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS CONNECTION LIMIT 20;",
            f"ALTER ROLE {role} SET default_transaction_read_only = on;",
            f"ALTER ROLE {role} SET statement_timeout = '60s';",
            f"ALTER ROLE {role} SET work_mem = '32MB';",
            f"GRANT USAGE ON SCHEMA {_id(schema)} TO {role};",
        ]
        for table, columns in catalogue.tables.items():
            listed = f" ({', '.join(map(_id, columns))})" if columns else ""
            lines.append(f"GRANT SELECT{listed} ON {_id(schema)}.{_id(table)} TO {role};")
            if catalogue.tenant_column is not None:
                lines.append(
                    f"CREATE POLICY {role} ON {_id(schema)}.{_id(table)} FOR SELECT TO {role} "
                    f"USING ({_id(catalogue.tenant_column)} = {_text(tenant)});"
                )
    return "\n".join([*lines, "COMMIT;"])


def mysql_roles(catalogue: Bounds, tenants: Sequence[str], database: str) -> str:
    """A database of views per tenant, and an account that may read only that."""
    lines: list[str] = []
    for tenant in tenants:
        place, user = _tick(role_of(tenant)), _text(role_of(tenant)[:32], backslash=True)
        lines.append(f"CREATE DATABASE {place};")
        for table, columns in catalogue.tables.items():
            rows = ""
            if catalogue.tenant_column is not None:
                column = _tick(catalogue.tenant_column)
                rows = f" WHERE {column} = {_text(tenant, backslash=True)}"
                rows += f" AND BINARY {column} = {_text(tenant, backslash=True)}"
            listed = ", ".join(map(_tick, columns)) or "*"
            lines.append(
                f"CREATE SQL SECURITY DEFINER VIEW {place}.{_tick(table)} AS "
                f"SELECT {listed} FROM {_tick(database)}.{_tick(table)}{rows};"
            )
        lines += [f"CREATE USER {user}@'%';", f"GRANT SELECT ON {place}.* TO {user}@'%';"]
    return "\n".join(lines)


def clickhouse_roles(catalogue: Bounds, tenants: Sequence[str], database: str = "default") -> str:
    """A user per tenant that reads the listed columns of its rows, with limits it cannot change."""
    lines: list[str] = []
    for tenant in tenants:
        user = _clickhouse(role_of(tenant))
        lines.append(
            f"CREATE USER {user} IDENTIFIED WITH no_password SETTINGS readonly = 1, max_execution_time = 60, "
            "max_memory_usage = 2000000000, max_result_rows = 20000;"
        )
        for table, columns in catalogue.tables.items():
            listed = f"({', '.join(map(_clickhouse, columns))})" if columns else ""
            lines.append(f"GRANT SELECT{listed} ON {_clickhouse(database)}.{_clickhouse(table)} TO {user};")
            if catalogue.tenant_column is not None:
                lines.append(
                    f"CREATE ROW POLICY {user} ON {_clickhouse(database)}.{_clickhouse(table)} FOR SELECT "
                    f"USING {_clickhouse(catalogue.tenant_column)} = {_text(tenant, backslash=True)} TO {user};"
                )
    return "\n".join(lines)


def _id(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _tick(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _clickhouse(name: str) -> str:
    """ClickHouse reads a backslash in a quoted name as the beginning of an escape."""
    return _tick(name.replace("\\", "\\\\"))


def _text(value: str, *, backslash: bool = False) -> str:
    value = value.replace("\\", "\\\\") if backslash else value
    return "'" + value.replace("'", "''") + "'"
