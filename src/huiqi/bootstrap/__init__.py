"""Which parts are plugged together in this process? The one place that knows every adapter."""
