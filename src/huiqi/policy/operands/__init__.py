"""Which operands can be enforced? One file each; a new operand is a new file and no more."""
