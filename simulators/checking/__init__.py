"""The independent checker's parts: the chain, the book the ledger tells, the plant the truth tells, and their comparison."""
