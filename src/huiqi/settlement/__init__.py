"""Who owes whom: metering from receipts, price plans, split, ledger, statements, replay."""
