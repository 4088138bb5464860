"""What the end-to-end tests stand on: the real binary, a provider that records, a raw client."""
