"""Data engines that run in processes of their own."""
