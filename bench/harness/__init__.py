"""Parts of bench/proxy; bench/README.md says how they fit together."""
