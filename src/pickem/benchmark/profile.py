"""A profile: everything about a benchmark but the dataset, the strategies and the number of runs."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pickem.errors import ConfigError, nearest_names
from pickem.predictor import MeasuringSettings, Phase, PretrainingSettings, TrainingSettings, UNetSettings
from pickem.predictor.settings import (
    SMALLEST_PATCH,
    DeviceName,
    NormalisationKind,
    PrecisionName,
    check_sides,
)


class FullSupervision(BaseModel):
    """When "converged" is reached: doubling the optimiser steps no longer gains `least_gain` on `dev`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    least_gain: float = Field(0.005, gt=0)  # Jaccard
    most_doublings: int = Field(3, ge=0)


class Profile(BaseModel):
    """The settings of a benchmark; TOML in and out, unknown keys refused. Defaults are the paper's values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    about: str = ""
    patch: int = Field(128, ge=SMALLEST_PATCH)  # pixels, height and width; whole strides of the network
    pool: int = Field(2000, ge=1)  # patches
    initial: int = Field(20, ge=1)  # patches of the initial set, inside the pool
    per_round: int = Field(20, ge=1)  # patches per query
    rounds: int = Field(25, ge=1)  # evaluations; one query fewer
    first: Phase  # training on the initial set
    following: Phase  # fine-tuning after each query
    pretraining: PretrainingSettings = PretrainingSettings(task="none")  # on the pool, before any label
    normalisation: NormalisationKind = "deviation"  # of the training volume's grey values
    network: UNetSettings = UNetSettings()
    training: TrainingSettings = TrainingSettings()
    measuring: MeasuringSettings = MeasuringSettings()
    full_supervision: FullSupervision = FullSupervision()
    device: DeviceName = "auto"
    precision: PrecisionName = "fp32"
    threads: int = Field(2, ge=1)  # CPU threads a run; the sums, and so the last digits, depend on it

    @model_validator(mode="after")
    def _whole_strides(self) -> Self:
        check_sides(self.patch, self.training.context, self.network.stride)
        return self

    def labelled(self, round_number: int) -> int:
        """Number of labelled patches in a round."""
        return self.initial + round_number * self.per_round


def built_in_profiles() -> list[str]:
    """Names of the profiles that come with pickem."""
    folder = resources.files("pickem.benchmark") / "profiles"
    return sorted(Path(entry.name).stem for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_profile(name_or_file: str) -> Profile:
    """A built-in profile by name, or one's own by the path of a TOML file (ending .toml).

    Raises ConfigError for an unknown name, a missing or damaged file, and settings that make no sense.
    """
    if name_or_file.endswith(".toml"):
        try:
            text = Path(name_or_file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError("The profile cannot be read.", got=f"{name_or_file}: {error}") from error
    elif name_or_file in built_in_profiles():
        text = (resources.files("pickem.benchmark") / "profiles" / f"{name_or_file}.toml").read_text("utf-8")
    else:
        raise ConfigError(
            "There is no profile of this name.",
            got=name_or_file,
            expected=f"{', '.join(built_in_profiles())}, or the path of a .toml file",
            todo=nearest_names(name_or_file, built_in_profiles()),
        )
    return parse_profile(text, name_or_file)


def change_profile(profile: Profile, **changes: object) -> Profile:
    """The profile with some settings replaced; those given as None stay. Raises ConfigError."""
    given = {name: value for name, value in changes.items() if value is not None}
    return _validated(profile.model_dump() | given, "the command line")


def parse_profile(text: str, source: str) -> Profile:
    """A profile from TOML text; `source` names it in errors."""
    try:
        return _validated(tomllib.loads(text), source)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError("The profile is not valid TOML.", got=f"{source}: {error}") from error


def _validated(settings: dict[str, object], source: str) -> Profile:
    try:
        return Profile.model_validate(settings)
    except ValidationError as error:
        problems = "; ".join(_problem(e["loc"], e["msg"], e["input"]) for e in error.errors())
        raise ConfigError(
            "The profile has settings that make no sense.", got=f"{source}: {problems}"
        ) from error


def _problem(place: tuple[int | str, ...], message: str, given: object) -> str:
    found = f", got {given}" if isinstance(given, str | int | float) else ""
    setting = f"{'.'.join(map(str, place))}: " if place else ""  # several together have no place
    return f"{setting}{message}{found}"
