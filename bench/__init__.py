"""How fast is Huiqi, each figure beside a baseline of the same run? See docs/benchmarks.md."""
