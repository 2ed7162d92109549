"""The Realtime protocol, both ends: a client for any provider, and the engine of our own."""
