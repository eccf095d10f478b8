"""How records are written: their bytes and headers to events in JSON. No I/O, no clock."""
