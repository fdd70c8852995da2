"""What was agreed: negotiation in rounds, signatures of all, filing, termination."""
