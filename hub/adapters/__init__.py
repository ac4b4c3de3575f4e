"""The edges: tables, ledger store, intake formats, device gateways."""
