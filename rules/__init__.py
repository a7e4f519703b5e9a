"""The law: policies as data, and the small engine that applies them. Imports only `schemas`."""
