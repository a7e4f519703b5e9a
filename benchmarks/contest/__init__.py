"""A contest: the same awards of one city by this product, by other engines and by hand-written scripts."""
