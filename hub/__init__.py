"""The hub: from the prescription sheet to the ledger."""
