"""Reading what departments really send into frames of the registries' shapes."""
