"""What the person chose, in project.toml. Written by `pickem new` and `pickem move`, or by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self

import tomli_w
import tomlkit
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pickem.durable import write_durably
from pickem.errors import ProjectDamagedError, ProjectNotFoundError
from pickem.predictor import (
    AugmentationSettings,
    MeasuringSettings,
    Phase,
    PretrainingSettings,
    TrainingSettings,
    UNetSettings,
)
from pickem.predictor.settings import SMALLEST_PATCH, NormalisationKind, PrecisionName, check_sides

Unpainted = Literal["background", "unlabelled"]
MOST_CLASSES = 9  # the number keys of the page
LARGEST_PATCH = 4096  # pixels; the server takes no larger masks


class VolumeSource(BaseModel):
    """Where a volume lies, and what it was when the project was made.

    A relative path is relative to the folder that holds the project. `shape` and `dtype` are those of the
    file, so that another file in its place is noticed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    voxel_size: tuple[float, float, float] | None = None  # nm, (z, y, x); replaces what the file says
    factor: int = Field(1, ge=1)  # pixels along y and x that the network and the page see as one
    where: str | None = None  # a mask, 0 = not to be looked at
    shape: tuple[int, int, int] | None = None  # voxels, (z, y, x)
    dtype: str | None = None


class Recipe(BaseModel):
    """How the network is built, trained and measured. The defaults are those of the `auto` benchmark, less
    steps of the first network, for which somebody waits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    normalisation: NormalisationKind = "percentiles"  # how `pickem new` measures each volume's grey values
    network: UNetSettings = UNetSettings(space_to_depth=2, feature_maps=16, depth=3)
    pretraining: PretrainingSettings = PretrainingSettings()  # while the first patches are labelled
    training: TrainingSettings = TrainingSettings(
        loss="dice-cross-entropy",
        batch_size=8,
        balance="at-least-half",
        averaging=0.99,
        context=32,
        augmentation=AugmentationSettings(
            zoom=(0.75, 1.3), rotation=10, shear=0.05, contrast=0.2, brightness=0.2, noise=0.1
        ),
    )
    first: Phase = Phase(learning_rate=1e-3, steps=800)
    following: Phase = Phase(learning_rate=1e-3, steps=400)
    measuring: MeasuringSettings = MeasuringSettings(passes=5, views="turns", smoothing=1)
    precision: PrecisionName = "auto"  # pinned, machines with and without bf16 learn the same


class ProjectSettings(BaseModel):
    """The settings of a project; TOML in and out, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    classes: tuple[str, ...] = Field(min_length=1, max_length=MOST_CLASSES)  # foreground
    volumes: dict[str, VolumeSource] = Field(min_length=1)
    # pixels, height and width; whole strides of the network
    patch: int = Field(128, ge=SMALLEST_PATCH, le=LARGEST_PATCH)
    margin: int = Field(64, ge=0)  # pixels of surroundings that the page shows
    start: str | None = None  # weights to begin with, of another project; a file in `checkpoints`
    unpainted: Unpainted = "background"
    strategy: str = "auto"
    candidates: Literal["tiling", "random"] = "tiling"  # random: a fixed pool, as in the benchmark
    first_patches: int = Field(10, ge=1)  # labels before the first network is trained
    per_round: int = Field(10, ge=1)  # labels before the network is trained again
    pool: int = Field(2000, ge=1)  # candidates scored per round; of a tiling, drawn anew each time
    survey: int = Field(1_000_000, ge=0)  # most candidates looked at while nobody waits; 0 = none
    audit_patches: int = Field(60, ge=0)
    audit_every: int = Field(5, ge=2)  # one patch in so many is an audit patch
    audit_gap: int = Field(2, ge=0)  # sections to either side of an audit patch that are not trained on
    seed: int = Field(0, ge=0)
    recipe: Recipe = Recipe()

    @model_validator(mode="after")
    def _distinct_classes(self) -> Self:
        if len(set(self.classes)) != len(self.classes):
            raise ValueError("two classes have the same name")
        return self

    @model_validator(mode="after")
    def _whole_strides(self) -> Self:
        check_sides(self.patch, self.recipe.training.context, self.recipe.network.stride)
        return self


def write_settings(path: Path, settings: ProjectSettings) -> None:
    """Write project.toml, whole or not at all."""
    write_durably(path, tomli_w.dumps(settings.model_dump(mode="json", exclude_none=True)).encode())


def rewrite_volume(path: Path, name: str, changes: Mapping[str, str]) -> None:
    """Set some keys of a volume in project.toml; comments and all else that somebody wrote there stay.

    Raises StorageError.
    """
    document = tomlkit.parse(path.read_text("utf-8"))
    document["volumes"][name].update(changes)
    write_durably(path, tomlkit.dumps(document).encode())


def settings_of(project: Path) -> ProjectSettings:
    """The settings of the project in a folder. Raises ProjectNotFoundError and ProjectDamagedError."""
    if not (project / "project.toml").exists():
        raise ProjectNotFoundError(
            "There is no pickem project here.",
            got=project,
            expected="a folder made by `pickem new`",
            todo=f"pickem new {project} VOLUME --class NAME",
        )
    return read_settings(project / "project.toml")


def read_settings(path: Path) -> ProjectSettings:
    """Read project.toml. Raises ProjectDamagedError, naming what is wrong."""
    try:
        return ProjectSettings.model_validate(tomllib.loads(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ProjectDamagedError("The project's settings cannot be read.", got=f"{path}: {error}") from error
    except ValidationError as error:
        problems = "; ".join(_problem(e["loc"], e["msg"]) for e in error.errors())
        raise ProjectDamagedError(
            "The project's settings make no sense.", got=f"{path}: {problems}"
        ) from error


def _problem(place: tuple[int | str, ...], message: str) -> str:
    return f"{'.'.join(map(str, place))}: {message}" if place else message  # several together have none
