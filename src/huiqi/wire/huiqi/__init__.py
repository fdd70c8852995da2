"""The plain JSON dialect between our own systems, until DSP and NDI take its place."""
