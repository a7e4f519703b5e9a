"""What a scenario lays over the law, kind by kind. It changes data; nothing here computes an award."""
