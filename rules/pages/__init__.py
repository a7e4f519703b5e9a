"""A page for every item, in Chinese, generated from the catalogue."""
