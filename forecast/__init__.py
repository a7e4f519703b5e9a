"""Look ahead: what the coming years will owe, as a distribution."""
