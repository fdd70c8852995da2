"""Which pages does the console have? One page object, one pure function, one handler each."""
