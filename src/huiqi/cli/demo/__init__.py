"""The main job on real data, driven as people would drive it: through the JSON API."""
