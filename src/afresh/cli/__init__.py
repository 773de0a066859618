"""The command line: one module per command. Everything that is dbt's own goes to dbt's own command line."""
