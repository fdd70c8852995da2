"""Which crypto suites can sign? One file each; names stand in contracts and are never reused."""
