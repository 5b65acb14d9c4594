"""A person's project: a folder with what they chose, what they painted and what the network learned from it.

NAME.pickem/
  project.toml       what the person chose
  project.sqlite     the truth: patches, masks, queue, rounds, events
  labels.ome.zarr/   what was painted, drawn from the database
  checkpoints/       pretrained.safetensors; round-0000.safetensors …, one a round, the oldest deleted when
                     they are many
  pool/              what the newest network has found on its way through the volumes; may be deleted
  server.lock        held by the server that is at work on the project
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from filelock import FileLock, Timeout

from pickem.acquisition import Feature, Selection, Strategy
from pickem.durable import storage_error
from pickem.errors import (
    ConfigError,
    ProjectDamagedError,
    ProjectExistsError,
    ProjectLockedError,
)
from pickem.geometry import PatchId, Shape3
from pickem.learning import Purpose, stream
from pickem.predictor.settings import DeviceName
from pickem.project.candidates import Candidates, audit_patches, first_picks
from pickem.project.identity import identify
from pickem.project.images import PatchImages
from pickem.project.inputs import NetworkInputs, settle_normalisation
from pickem.project.settings import ProjectSettings, settings_of, write_settings
from pickem.project.sources import home_of, open_images, open_masks, remembered
from pickem.project.store import Store
from pickem.project.where import patches_anywhere
from pickem.strategies import strategy
from pickem.volumes import Rescaled

if TYPE_CHECKING:
    from pickem.predictor import NetworkPredictor

FIRST_CANDIDATES = 1000  # among which the first picks are spread, before there is a network
QUEUE = 3  # rounds' worth of patches are queued, so that nobody waits for a round to end


class Project:
    """An open project. Use as a context manager, or call `close`."""

    def __init__(self, folder: Path, settings: ProjectSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.images = PatchImages(open_images(folder, settings))
        self.masks = open_masks(folder, settings, self._shapes_on_disk())
        self.store = Store(folder / "project.sqlite")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self.store.close()

    @property
    def checkpoints(self) -> Path:
        """Folder of the networks' weights."""
        return self.folder / "checkpoints"

    @property
    def shapes(self) -> dict[str, Shape3]:
        """Shapes of the volumes on the working grid, by name."""
        return {name: volume.shape for name, volume in self.images.volumes.items()}

    @property
    def sections(self) -> int:
        """How many sections the network sees at once, an odd number."""
        return self.settings.recipe.network.channels

    @cached_property
    def inputs(self) -> NetworkInputs:
        """What the network sees. The first time in the life of a project, a sample of its volumes is read."""
        kind = self.settings.recipe.normalisation
        normalisation = settle_normalisation(self.store, self.checkpoints, self.images, kind)
        return NetworkInputs(self.images, normalisation, self.sections)

    @cached_property
    def id(self) -> str:
        """Tells this project from every other one, its own copies included."""
        return identify(self.store, self.folder)

    @cached_property
    def strategy(self) -> Strategy:
        """The rule that picks what to label next."""
        return strategy(self.settings.strategy)

    @property
    def resolution(self) -> float | None:
        """nm a pixel along y at which the network works, where it is known; that of the first volume."""
        sizes = [volume.voxel_size for volume in self.images.volumes.values()]
        return sizes[0][1] if sizes[0] else None

    def candidates(self) -> Candidates:
        """The tiling of the volumes, less what is too near an audit patch and what the masks leave out."""
        audit = [stored.patch for stored in self.store.patches("audit")]
        return Candidates(self.shapes, self.settings.patch, audit, self.settings.audit_gap, self.masks)

    def draw(self, count: int, rng: np.random.Generator, without: Collection[PatchId] = ()) -> list[PatchId]:
        """Patches that may be labelled, none of `without`: all of a fixed pool, or `count` of the tiling."""
        tiling, size, seed = self.candidates(), self.settings.patch, self.settings.seed
        if self.settings.candidates == "tiling":
            left = [patch for patch in tiling.draw(count + len(without), rng) if patch not in without]
            taken = np.sort(rng.permutation(len(left))[:count]) if len(left) > count else range(len(left))
            return [left[i] for i in taken]
        drawing = stream(seed, Purpose.POOL)
        pool = patches_anywhere(self.shapes, size, self.settings.pool, drawing, self.masks)
        return [patch for patch in pool if patch not in without and tiling.allows(patch)]

    def first_picks(self, drawing: np.random.Generator, selecting: np.random.Generator) -> Selection:
        """What to label while there is no network: patches from everywhere, none that was answered."""
        settings, gone = self.settings, set(self.store.answered())
        drawn = self.draw(FIRST_CANDIDATES, drawing, gone)
        wanted = min(settings.first_patches + (QUEUE - 1) * settings.per_round, len(drawn))
        if settings.candidates == "random":
            return Selection(tuple(drawn[:wanted]), (0.0,) * wanted, ("drawn at random",) * wanted)
        if not drawn:
            return Selection((), (), ())
        return first_picks(drawn, wanted, selecting)

    def predictor(self, device: DeviceName = "auto") -> NetworkPredictor:
        """A network with newly drawn weights, for what `inputs` gives."""
        # Here and not above: they load PyTorch, which serving a page does not need.
        from pickem.predictor import resolve_backend, unet_predictor

        recipe = self.settings.recipe
        return unet_predictor(
            recipe.network,
            len(self.settings.classes) + 1,
            self.inputs.normalisation,
            resolve_backend(device, recipe.precision),
            recipe.training,
            recipe.measuring,
            stream(self.settings.seed, Purpose.INITIAL_WEIGHTS),
            about={
                "class_names": list(self.settings.classes),
                "resolution": self.resolution,
                "voxel_sizes": {name: v.voxel_size for name, v in self.images.volumes.items()},
            },
        )

    def lock(self) -> FileLock:
        """A lock that one server at a time holds. Raises ProjectLockedError where another one does."""
        lock = FileLock(self.folder / "server.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            raise ProjectLockedError(
                "Another server is at work on this project.",
                got=self.folder,
                expected="one server a project; several people share one",
                todo="use the page that is open already, or stop the other server",
            ) from error
        return lock

    def _shapes_on_disk(self) -> dict[str, Shape3]:
        volumes = self.images.volumes.items()
        return {name: v.original.shape if isinstance(v, Rescaled) else v.shape for name, v in volumes}


def create_project(
    folder: Path,
    settings: ProjectSettings,
    fill: Callable[[Project], None] | None = None,
) -> None:
    """Make a new project: its settings, its audit patches and the first patches to label; then `fill` it.

    Appears whole or not at all. Raises ProjectExistsError, ConfigError for a volume smaller than a patch,
    masks that leave too little or a strategy that has to know the labels, InvalidMaskError, StorageError, and
    the errors of opening volumes.
    """
    check_free(folder)
    _check_strategy(settings.strategy)
    volumes = remembered(settings.volumes, home_of(folder))
    settings = settings.model_copy(update={"volumes": volumes})
    building = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(building, ignore_errors=True)
    try:
        building.mkdir(parents=True)
    except OSError as error:
        raise storage_error(building, error) from error
    try:
        write_settings(building / "project.toml", settings)
        with Project(building, settings) as project:
            _reserve_and_queue(project)
            if fill:
                fill(project)
        building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def open_project(folder: Path) -> Project:
    """Open a project.

    Raises ProjectNotFoundError, VolumeMovedError, VolumeChangedError and ProjectDamagedError.
    """
    settings = settings_of(folder)
    database_of(folder)
    return Project(folder, settings)


def database_of(folder: Path) -> Path:
    """The database of a project. Raises ProjectDamagedError where it is gone."""
    database = folder / "project.sqlite"
    if not database.exists() or not database.stat().st_size:  # which SQLite would take for a new one
        raise ProjectDamagedError(
            "The project's database is missing or empty.",
            got=database,
            expected="the file with everything that was painted",
            todo="restore project.sqlite from a backup",
        )
    return database


def check_free(folder: Path) -> None:
    """Raise ProjectExistsError where something lies in the place of a new project."""
    if folder.exists():
        raise ProjectExistsError(
            "Something is there already.",
            got=folder,
            expected="a name that is free",
            todo=f"choose another name, or go on with: pickem label {folder}",
        )


def _check_strategy(name: str) -> None:
    if Feature.ORACLE_FOREGROUND in strategy(name).needs:
        raise ConfigError(
            "This strategy has to know the labels before it picks; only a benchmark can offer that.",
            got=name,
            expected="one that needs no labels",
            todo="choose another strategy; `pickem strategies` lists them",
        )


def _reserve_and_queue(project: Project) -> None:
    settings = project.settings
    shapes = project.shapes
    settle_normalisation(project.store, project.checkpoints, project.images, settings.recipe.normalisation)
    Candidates(shapes, settings.patch, [], 0)  # refuses volumes that are too small
    _check_masks(project)
    rng = stream(settings.seed, Purpose.POOL)
    count, gap = settings.audit_patches, settings.audit_gap
    project.store.reserve_audit(audit_patches(shapes, settings.patch, count, gap, rng, project.masks))
    picks = project.first_picks(rng, stream(settings.seed, Purpose.SELECT))
    _check_enough(project, len(picks))
    project.store.replace_queue(picks, None)
    project.store.note("created", f"project {settings.name}")


def _check_masks(project: Project) -> None:
    """Refuse a mask that allows nothing of its volume: it is rather a mistake than a wish."""
    size, seed = project.settings.patch, project.settings.seed
    for name in project.masks:
        alone = Candidates({name: project.shapes[name]}, size, [], 0, project.masks)
        if not alone.draw(1, stream(seed, Purpose.POOL)):
            raise ConfigError(
                f"The mask of the volume {name} leaves no patch to label.",
                got=f"no patch of {size} × {size} pixels with half of them or more inside",
                expected="a mask that is 0 where not to look, and anything else where to look",
                todo="check that it is not inside out",
            )


def _check_enough(project: Project, patches: int) -> None:
    least = project.settings.first_patches + project.settings.per_round  # a network, and something to ask it
    if project.masks and patches < least:
        raise ConfigError(
            "The masks leave too few patches to label.",
            got=f"{patches} patches besides the control patches",
            expected=f"{least} or more, with at least half of their pixels inside",
            todo="allow more with --where, or choose a smaller --patch",
        )
