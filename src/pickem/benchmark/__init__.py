"""Benchmarks of strategies: protocol, runs, tables, report.

from pathlib import Path
from pickem.benchmark import benchmark
results = benchmark("vnc", Path("out"), strategies=["random", "entropy"], seeds=2, profile="fast")
print(results.read_text())
"""

from __future__ import annotations

from pickem.benchmark.profile import Profile, built_in_profiles, load_profile
from pickem.benchmark.run import Progress
from pickem.benchmark.runner import Prospect, benchmark

__all__ = ["Profile", "Progress", "Prospect", "benchmark", "built_in_profiles", "load_profile"]
