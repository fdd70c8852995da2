"""What is being done with data now: grants as leases, counters, receipts signed by both sides."""
