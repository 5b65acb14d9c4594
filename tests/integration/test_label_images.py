"""labels.ome.zarr: whatever happens to the project or to the folder, it ends as a plain painting does."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st

from pickem.errors import ProjectLockedError, StorageError
from pickem.geometry import PatchId
from pickem.project.label_images import FOLDER, Upkeep, refresh
from pickem.project.project import Project, open_project
from pickem.project.settings import VolumeSource
from tests.fixtures.ome_zarr_reading import valid_group_of_labels
from tests.fixtures.tiny_project import answer, make_tiny_project, paint_audit, paint_queue, truth

SIDE = 16
SHAPES = {"whole": (3, 40, 48), "halved": (2, 65, 301)}  # the second is labelled at half its resolution
FACTORS = {"whole": 1, "halved": 2}
PATCHES = [  # they overlap
    *(PatchId("whole", 2, y, x, SIDE, SIDE) for y in (0, 9) for x in (0, 7, 23)),
    *(PatchId("halved", 1, y, x, SIDE, SIDE) for y in (0, 16) for x in (5, 16)),
]
MASKS = st.builds(
    lambda seed, values: np.random.default_rng(seed).choice(values, (SIDE, SIDE)).astype(np.uint8),
    st.integers(0, 99),
    st.sampled_from([[0], [1], [0, 1], [0, 1, 255]]),
)
WHAT = st.sampled_from(["submitted", "submitted", "submitted", "skipped", "draft", "refresh"])
HISTORIES = st.lists(st.tuples(WHAT, st.sampled_from(PATCHES), MASKS), min_size=5, max_size=15)


@pytest.fixture(scope="module")
def two_volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a project of two volumes and three audit patches, nothing painted."""
    folder = tmp_path_factory.mktemp("two")
    rng = np.random.default_rng(0)
    for name, shape in SHAPES.items():
        tifffile.imwrite(
            folder / f"{name}.tif", rng.integers(0, 255, shape, np.uint8), photometric="minisblack"
        )
    sources = {name: VolumeSource(path=f"{name}.tif", factor=FACTORS[name]) for name in SHAPES}
    make_tiny_project(folder, volumes=sources, patch=SIDE, audit_patches=3)
    return folder


@pytest.fixture
def project(two_volumes: Path, tmp_path: Path) -> Iterator[Project]:
    """A copy of it with some labels, drawn."""
    with copied(two_volumes, tmp_path / "copy") as opened:
        for count, patch in enumerate(PATCHES):
            submit(opened, patch, count % 2)
        refresh(opened)
        yield opened


def copied(folder: Path, target: Path) -> Project:
    shutil.copytree(folder, target)
    return open_project(target / "tiny.pickem")


def submit(project: Project, patch: PatchId, value: int) -> None:
    mask = np.full((SIDE, SIDE), value, np.uint8)
    answer(project.store, project.store.add(patch), mask, "submitted")


def drawn(project: Project) -> dict[str, list[np.ndarray]]:
    return valid_group_of_labels(project.folder / FOLDER)


def painted(masks: dict[PatchId, np.ndarray]) -> dict[str, np.ndarray]:
    """Masks laid over each other in this order, as anybody would."""
    canvas = {name: np.full(shape, 255, np.uint8) for name, shape in SHAPES.items()}
    for patch, mask in masks.items():
        f = FACTORS[patch.volume]
        for y, x in np.argwhere(mask != 255):
            rows = slice((patch.y + y) * f, (patch.y + y + 1) * f)
            columns = slice((patch.x + x) * f, (patch.x + x + 1) * f)
            canvas[patch.volume][patch.z, rows, columns] = mask[y, x]
    return canvas


def same(found: dict[str, list[np.ndarray]], expected: dict[str, list[np.ndarray]]) -> None:
    assert found.keys() == expected.keys()
    for name in expected:
        for one, other in zip(found[name], expected[name], strict=True):
            np.testing.assert_array_equal(one, other)


def as_drawn_anew(project: Project) -> dict[str, list[np.ndarray]]:
    shutil.rmtree(project.folder / FOLDER)
    refresh(project)
    return drawn(project)


@settings(max_examples=20)
@given(history=HISTORIES)
def test_any_history_ends_as_a_plain_painting(two_volumes: Path, history: list[tuple]) -> None:
    with tempfile.TemporaryDirectory() as folder, copied(two_volumes, Path(folder) / "copy") as project:
        submitted: dict[PatchId, np.ndarray | None] = {}
        for what, patch, mask in history:
            if what == "refresh":
                refresh(project)
                continue
            kept = None if what == "skipped" else mask
            answer(project.store, project.store.add(patch), kept, what)
            if what == "submitted":
                submitted[patch] = mask  # keeps its place in the order where it had one
            elif what == "skipped" and patch in submitted:
                submitted[patch] = None
        refresh(project)
        found = drawn(project)
        expected = painted({patch: mask for patch, mask in submitted.items() if mask is not None})
        assert {name: len(levels) for name, levels in found.items()} == {"whole": 1, "halved": 2}
        same({name: levels[:1] for name, levels in found.items()}, {n: [v] for n, v in expected.items()})
        same(as_drawn_anew(project), found)


def test_a_patch_keeps_its_place_in_the_pile(project: Project) -> None:
    below, above = (PatchId("whole", 0, 0, x, SIDE, SIDE) for x in (0, 8))
    for patch, value in ((below, 0), (above, 1), (below, 0)):
        submit(project, patch, value)
        refresh(project)
    assert drawn(project)["whole"][0][0, 0, :24].tolist() == [0] * 8 + [1] * 16
    answer(project.store, project.store.add(above), None, "skipped")
    refresh(project)
    assert drawn(project)["whole"][0][0, 0, :24].tolist() == [0] * 16 + [255] * 8


def test_control_patches_lie_on_top(project: Project) -> None:
    stored = project.store.open_audit()[0]
    patch, f = stored.patch, FACTORS[stored.patch.volume]
    answer(project.store, stored.id, np.ones((SIDE, SIDE), np.uint8), "submitted")
    refresh(project)
    submit(project, PatchId(patch.volume, patch.z, max(0, patch.y - 3), max(0, patch.x - 3), SIDE, SIDE), 0)
    refresh(project)
    section = drawn(project)[patch.volume][0][patch.z]
    assert (section[patch.y * f : (patch.y + SIDE) * f, patch.x * f : (patch.x + SIDE) * f] == 1).all()


# only what is new ------------------------------------------------------------------------------------------


def files(project: Project) -> dict[Path, tuple[int, int]]:
    found = (path for path in (project.folder / FOLDER).rglob("*") if path.is_file())
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns) for path in found}


def test_nothing_is_written_where_nothing_is_new(project: Project) -> None:
    before = files(project)
    number = project.store.add(PATCHES[0])
    answer(project.store, number, np.ones((SIDE, SIDE), np.uint8), "draft")
    refresh(project)
    assert files(project) == before


def test_only_what_is_new_is_drawn(project: Project) -> None:
    before, parts = files(project), []
    submit(project, PATCHES[0], 1)
    refresh(project, lambda *part: parts.append(part))
    after = files(project)
    changed = {
        str(path.relative_to(project.folder / FOLDER)) for path in after if after[path] != before.get(path)
    }
    assert changed == {"zarr.json", "whole/0/c/0/0/0"}
    assert parts == [(1, 1)]


# what can happen to the folder -----------------------------------------------------------------------------


def delete(folder: Path) -> None:
    shutil.rmtree(folder)


def delete_a_shard(folder: Path) -> None:
    (folder / "whole" / "0" / "c" / "0" / "0" / "0").unlink()


def cut_a_shard(folder: Path) -> None:
    shard = folder / "whole" / "0" / "c" / "0" / "0" / "0"
    shard.write_bytes(shard.read_bytes()[:-20])


def garble_a_shard(folder: Path) -> None:
    shard = folder / "whole" / "0" / "c" / "0" / "0" / "0"
    shard.write_bytes(bytes(len(shard.read_bytes())))


def delete_metadata(folder: Path) -> None:
    (folder / "halved" / "0" / "zarr.json").unlink()


def garble_metadata(folder: Path) -> None:
    (folder / "zarr.json").write_text("{")


def leave_the_group_alone(folder: Path) -> None:
    (folder / "zarr.json").write_text('{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {}}}')


def paint_elsewhere(folder: Path) -> None:
    array = zarr.open_array(folder / "whole" / "0", mode="r+")
    array[:] = 1


def leave_half_a_write(folder: Path) -> None:
    (folder / "whole" / "0" / "c" / "0" / "0" / "0.__lock").write_bytes(b"half")


HAPPENINGS = [
    *(delete, delete_a_shard, cut_a_shard, garble_a_shard, delete_metadata),
    *(garble_metadata, leave_the_group_alone, paint_elsewhere, leave_half_a_write),
]


@pytest.mark.parametrize("happens", HAPPENINGS, ids=lambda happens: happens.__name__)
@pytest.mark.parametrize("more", [0, 1], ids=["nothing new", "a new label"])
def test_whatever_happened_to_it_it_comes_out_right(
    project: Project, happens: Callable[[Path], None], more: int
) -> None:
    happens(project.folder / FOLDER)
    for patch in PATCHES[:more]:
        submit(project, patch, 1)
    refresh(project)
    found = drawn(project)
    assert not list((project.folder / FOLDER).rglob("*.__lock"))
    same(found, as_drawn_anew(project))


def test_damage_that_does_not_show_from_outside(project: Project) -> None:
    """A bit that flips on the disk changes neither size nor time of the file."""
    shard = project.folder / FOLDER / "whole" / "0" / "c" / "0" / "0" / "0"
    status, content = shard.stat(), bytearray(shard.read_bytes())
    content[5] ^= 255
    with shard.open("r+b") as file:
        file.write(content)
    os.utime(shard, ns=(status.st_atime_ns, status.st_mtime_ns))
    submit(project, PATCHES[0], 1)
    refresh(project)
    same(drawn(project), as_drawn_anew(project))


def test_a_database_that_was_put_back(project: Project) -> None:
    """What was painted after the backup must not stay, though new answers take the same numbers."""
    project.store.close()
    backup = (project.folder / "project.sqlite").read_bytes()
    with open_project(project.folder) as before:
        submit(before, PATCHES[0], 1)
        submit(before, PATCHES[1], 1)
        refresh(before)
    (project.folder / "project.sqlite").write_bytes(backup)
    with open_project(project.folder) as restored:
        submit(restored, PATCHES[2], 1)
        submit(restored, PATCHES[3], 0)
        refresh(restored)
        same(drawn(restored), as_drawn_anew(restored))


def test_classes_that_were_renamed_are_named_anew(project: Project) -> None:
    text = (project.folder / "project.toml").read_text()
    (project.folder / "project.toml").write_text(text.replace('"disc"', '"vesicle"'))
    with open_project(project.folder) as renamed:
        refresh(renamed)
    assert "vesicle" in (project.folder / FOLDER / "whole" / "zarr.json").read_text()


# beside the trainer's work ---------------------------------------------------------------------------------


def test_upkeep_draws_what_was_answered(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        upkeep = Upkeep(project)
        upkeep.keep()
        assert (drawn(project)["discs"][0] == 255).all()
        paint_queue(project, 2)
        paint_audit(project, 1)
        upkeep.keep()
        found = drawn(project)["discs"][0]
        for kind in ("query", "audit"):
            for stored in project.store.submitted(kind):
                np.testing.assert_array_equal(found[stored.patch.box.slices][0], truth(stored.patch))
        assert (found != 255).sum() == 3 * 32 * 32


def test_upkeep_leaves_an_export_alone_and_comes_back(project: Project) -> None:
    upkeep, before = Upkeep(project), files(project)
    submit(project, PATCHES[0], 1)
    with FileLock(project.folder / "labels.lock"):
        upkeep.keep()
        with pytest.raises(ProjectLockedError, match="Another process"):
            refresh(project, patience=0)
    assert files(project) == before
    upkeep.keep()
    same(drawn(project), as_drawn_anew(project))


def test_trouble_is_noted_once_and_stops_nothing(project: Project) -> None:
    shutil.rmtree(project.folder / FOLDER)
    (project.folder / FOLDER).write_text("a file where the folder should be")
    with pytest.raises(StorageError, match="A file lies where a folder is needed"):
        refresh(project)
    upkeep = Upkeep(project)
    upkeep.keep()
    upkeep.keep()
    problems = [message for _, kind, message in project.store.events(10) if kind == "problem"]
    assert len(problems) == 1
    assert problems[0].startswith("labels.ome.zarr is not up to date.")
    (project.folder / FOLDER).unlink()
    submit(project, PATCHES[0], 1)
    upkeep.keep()
    same(drawn(project), as_drawn_anew(project))
