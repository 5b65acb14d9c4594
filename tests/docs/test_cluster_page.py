"""The Slurm recipe in the how-to about clusters is constructed, and its job script is what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cluster.md"


def test_the_recipe_makes_a_job_script() -> None:
    (program,) = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    program = program.replace('"port": 8786', '"port": 0, "host": "127.0.0.1"')  # which may be in use here
    names: dict[str, Any] = {"__name__": "recipe"}
    exec(compile(program, str(PAGE), "exec"), names)
    with names["workers"]() as cluster:
        script = cluster.job_script()
        address = cluster.scheduler_address
    for line in ("-p gpu", "-A em", "--gres=gpu:1", "--cpus-per-task=8", "--mem=8G"):
        assert f"#SBATCH {line}\n" in script
    assert "export OMP_NUM_THREADS=8\n" in script
    assert "export MALLOC_ARENA_MAX=1\n" in script
    (command,) = (line for line in script.splitlines() if "dask_worker" in line)
    assert command.startswith("/shared/pickem/.venv/bin/python -m distributed.cli.dask_worker")
    assert address in command
    assert "--nthreads 2 " in command
