"""What a benchmark's folder was made with, in `run.toml`: enough to do it again, and to refuse a mixture."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal, Self

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from pickem.benchmark.machine import Machine
from pickem.benchmark.profile import Profile
from pickem.datasets import Dataset
from pickem.durable import write_durably
from pickem.errors import JournalError, RunConflictError
from pickem.learning import effort

FILE = "run.toml"
REMEDY = "restore the file; or delete it and start the same benchmark command again: finished rounds are kept"
_MAY_GROW = {"strategies", "seeds", "rounds", "machines"}


class Configuration(BaseModel):
    """The resolved settings of a benchmark's folder.

    Strategies, seeds and rounds can be added to later, and the search for full supervision can be changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    split: Literal["test", "dev"]
    strategies: tuple[str, ...]
    seeds: int
    rounds: int
    classes: tuple[str, ...]
    annotation: str
    voxel_size: tuple[float, float, float] | None = None  # nm, (z, y, x)
    effort_version: int
    settings: Profile  # device and precision resolved: never "auto"
    profile: str
    machines: tuple[Machine, ...]  # on which it was begun and continued, in that order, each once

    @model_validator(mode="before")
    @classmethod
    def _of_one_machine(cls, data: dict[str, Any]) -> dict[str, Any]:
        """Folders of earlier versions name the last machine alone, in [hardware] and [versions]."""
        if "hardware" not in data or "versions" not in data:
            return data
        kept = {key: value for key, value in data.items() if key not in ("hardware", "versions")}
        return kept | {"machines": [data["hardware"] | {"versions": data["versions"]}]}

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        split: Literal["test", "dev"],
        profile: Profile,
        strategies: tuple[str, ...],
        seeds: int,
        rounds: int,
    ) -> Self:
        """The configuration of a benchmark about to start on this machine."""
        return cls(
            dataset=dataset.name,
            split=split,
            strategies=strategies,
            seeds=seeds,
            rounds=rounds,
            classes=tuple(dataset.classes),
            annotation=dataset.annotation or "",
            voxel_size=dataset.voxel_size,
            effort_version=effort.VERSION,
            settings=profile.model_copy(update={"rounds": Profile.model_fields["rounds"].default}),
            profile=profile.name,
            machines=(Machine.here(profile.device),),
        )

    def merged_with(self, earlier: Configuration, folder: Path) -> Configuration:
        """This configuration for a folder made with `earlier`, with what may grow of both.

        Raises RunConflictError where anything else differs.
        """
        # No strategy's run depends on how long full supervision is looked for.
        search = {"full_supervision": self.settings.full_supervision}
        compared = earlier.model_copy(update={"settings": earlier.settings.model_copy(update=search)})
        for name in type(self).model_fields.keys() - _MAY_GROW:
            now, then = getattr(self, name), getattr(compared, name)
            if now != then:
                raise RunConflictError(
                    f"The folder {folder} holds a benchmark with other settings: its {name} differs.",
                    got=_difference(then, now),
                    expected="the same dataset, split and profile throughout a folder",
                    todo="choose another --out, or repeat the settings of the folder (see its run.toml)",
                )
        new = (machine for machine in self.machines if machine not in earlier.machines)
        return self.model_copy(
            update={
                "strategies": tuple(dict.fromkeys((*earlier.strategies, *self.strategies))),
                "seeds": max(self.seeds, earlier.seeds),
                "rounds": max(self.rounds, earlier.rounds),
                "machines": (*earlier.machines, *new),
            }
        )

    def write(self, folder: Path) -> None:
        """Write `run.toml`, durably."""
        kept_once: Any = {"settings": {"rounds"}}  # the profile's rounds are no setting of this folder
        data = self.model_dump(mode="json", exclude_none=True, exclude=kept_once)
        write_durably(folder / FILE, tomli_w.dumps(data).encode())


def read_configuration(folder: Path) -> Configuration | None:
    """The configuration of a benchmark's folder; None where there is none yet.

    Raises JournalError where the file is damaged.
    """
    path = folder / FILE
    try:
        return Configuration.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, ValidationError, UnicodeDecodeError) as error:
        raise JournalError(
            "The settings of this benchmark cannot be read.",
            got=f"{path}: {error}",
            expected="the file as pickem wrote it",
            todo=REMEDY,
        ) from error


def _difference(then: object, now: object) -> str:
    if isinstance(then, Profile) and isinstance(now, Profile):
        before, after = then.model_dump(), now.model_dump()
        keys = [key for key in before if before[key] != after[key]]
        return "; ".join(f"{key} = {after[key]}, in the folder {before[key]}" for key in keys)
    return f"{now}, in the folder {then}"
