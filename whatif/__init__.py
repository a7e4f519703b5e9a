"""What if: other laws on the same registries, compared, bridged, fitted to a budget."""
