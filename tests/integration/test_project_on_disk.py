"""A project's folder: made whole or not at all, opened again, moved, exported."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.errors import (
    NoResultsError,
    PickemError,
    ProjectDamagedError,
    ProjectExistsError,
    ProjectLockedError,
    ProjectNotFoundError,
    StorageError,
    VolumeExistsError,
    VolumeMovedError,
)
from pickem.geometry import PatchId
from pickem.project import rounds
from pickem.project.export import export_curve, export_labels, export_model, export_segmentation
from pickem.project.project import Project, open_project
from pickem.project.round import Learning
from pickem.project.settings import VolumeSource, read_settings, write_settings
from pickem.project.sources import move_image
from pickem.project.store import NewMask
from pickem.volumes import open_volume
from tests.fixtures.ome_zarr_reading import valid_group_of_labels, valid_label_levels
from tests.fixtures.tiny_project import (
    SHAPE,
    answer,
    make_tiny_project,
    make_trained_project,
    paint_audit,
    paint_queue,
    selection,
    truth,
    write_tiny_volume,
)
from tests.integration.command_line import pickem_here


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def train_once(project: Project) -> None:
    hands = Learning(project, project.predictor("cpu"), lambda *_: None)
    hands.train()
    hands.measure()


def test_a_new_project_has_an_audit_and_a_queue_apart_from_each_other(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        queue = [queued.stored.patch for queued in project.store.queue()]
        assert len(queue) == 4 + 2 * 3, "the first labels and two more rounds"
        assert len(project.store.open_audit()) == 4
        assert all(project.candidates().allows(patch) for patch in queue)
        assert [event[1:] for event in project.store.events(5)] == [("created", "project tiny")]
    assert names(tmp_path) == {"tiny.pickem", "discs.tif"}
    assert names(tmp_path / "tiny.pickem") == {"project.toml", "project.sqlite"}


def test_the_same_seed_makes_the_same_project(tmp_path: Path) -> None:
    def patches(name: str, seed: int) -> list[object]:
        with open_project(make_tiny_project(tmp_path / name, seed=seed)) as project:
            return [project.store.queue(), project.store.open_audit()]

    assert patches("a", 5) == patches("b", 5) != patches("c", 6)


def test_what_was_painted_is_there_when_opened_again(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        paint_queue(project, 2)
        before = project.store.submitted("query")
    with open_project(folder) as project:
        after = project.store.submitted("query")
    assert list(before) == list(after)
    for stored, mask in after.items():
        np.testing.assert_array_equal(mask, truth(stored.patch))


def test_a_project_moves_together_with_its_volume(tmp_path: Path) -> None:
    make_tiny_project(tmp_path / "here")
    (tmp_path / "here").rename(tmp_path / "there")
    with open_project(tmp_path / "there" / "tiny.pickem") as project:
        queue = [queued.stored.patch for queued in project.store.queue()]
        assert project.images.images(queue).shape == (10, 32, 32)


def test_a_volume_that_moved_alone_is_missed_by_name(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    (tmp_path / "discs.tif").rename(tmp_path / "elsewhere.tif")
    with pytest.raises(VolumeMovedError, match="The volume discs") as raised:
        open_project(folder)
    assert (raised.value.name, raised.value.part) == ("discs", "image")
    text = (folder / "project.toml").read_text()
    (folder / "project.toml").write_text(text.replace("discs.tif", "elsewhere.tif"))
    open_project(folder).close()


def test_a_project_that_does_not_know_its_volumes_shape_is_opened(tmp_path: Path) -> None:
    """As those made before shapes were written down."""
    folder = make_tiny_project(tmp_path)
    settings = read_settings(folder / "project.toml")
    source = settings.volumes["discs"].model_copy(update={"shape": None, "dtype": None})
    write_settings(folder / "project.toml", settings.model_copy(update={"volumes": {"discs": source}}))
    open_project(folder).close()
    move_image(folder, "discs", str(tmp_path / "discs.tif"))
    open_project(folder).close()


@pytest.mark.parametrize("content", [None, b""], ids=["missing", "empty"])
def test_a_database_that_is_gone_is_not_taken_for_a_new_project(
    tmp_path: Path, content: bytes | None
) -> None:
    """An empty project would let the trainer learn from what the audit keeps back."""
    folder = make_tiny_project(tmp_path)
    (folder / "project.sqlite").unlink()
    if content is not None:
        (folder / "project.sqlite").write_bytes(content)
    with pytest.raises(ProjectDamagedError, match="missing or empty"):
        open_project(folder)
    assert (folder / "project.sqlite").exists() == (content is not None)


@pytest.mark.parametrize("name", ["nowhere", "folder", "file"])
def test_what_is_no_project_is_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ProjectNotFoundError, match="pickem new"):
        open_project(tmp_path / name)
    assert names(tmp_path) == {"folder", "file"}
    assert not names(tmp_path / "folder")


def test_what_is_there_already_is_left_alone(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    before = (folder / "project.sqlite").read_bytes()
    with pytest.raises(ProjectExistsError, match="pickem label"):
        make_tiny_project(tmp_path)
    assert (folder / "project.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"volumes": {"discs": VolumeSource(path="nowhere.tif")}},
        {"volumes": {"good": VolumeSource(path="discs.tif"), "bad": VolumeSource(path="nowhere.tif")}},
        {"patch": 256},
        {"volumes": {"discs": VolumeSource(path="discs.tif", factor=8)}},
    ],
    ids=["no volume", "one of two is missing", "smaller than a patch", "smaller when seen coarser"],
)
def test_a_project_that_cannot_be_made_leaves_nothing(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(PickemError):
        make_tiny_project(tmp_path, **changes)
    assert names(tmp_path) == {"discs.tif"}
    make_tiny_project(tmp_path)


def test_what_a_killed_attempt_left_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "tiny.pickem.partial").mkdir()
    (tmp_path / "tiny.pickem.partial" / "project.sqlite").write_bytes(b"half")
    make_tiny_project(tmp_path)
    assert names(tmp_path) == {"tiny.pickem", "discs.tif"}


def test_one_server_at_a_time(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as one, open_project(folder) as two:
        with one.lock(), pytest.raises(ProjectLockedError, match="Another server"):
            two.lock()
        two.lock().release()


def test_exported_labels_show_every_mask_in_its_place(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 3)
        paint_audit(project, 1)
        begun, unsure = project.store.queue()[:2]
        answer(project.store, begun.stored.id, np.ones((32, 32), np.uint8), "draft")
        partly = np.full((32, 32), 255, np.uint8)
        partly[:, :16] = 1
        answer(project.store, unsure.stored.id, partly, "submitted")
        expected = np.full(SHAPE, 255, np.uint8)
        for kind in ("query", "audit"):
            for stored, mask in project.store.submitted(kind).items():
                window = expected[stored.patch.box.slices][0]
                window[mask != 255] = mask[mask != 255]
        (path,) = export_labels(project, tmp_path / "out")
    assert path.name == "discs-labels.tif"
    np.testing.assert_array_equal(tifffile.imread(path), expected)
    assert {0, 1, 255} == set(np.unique(expected))
    assert names(tmp_path / "out") == {"discs-labels.tif"}


def test_both_forms_of_exported_labels_show_the_same(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 3)
        paint_audit(project, 1)
        (tiff,) = export_labels(project, tmp_path / "out")
        (folder,) = export_labels(project, tmp_path / "out", "ome-zarr")
        paint_queue(project, 1)
        assert list(export_labels(project, tmp_path / "more", "ome-zarr")) != [folder]
    (found,) = valid_label_levels(folder)
    np.testing.assert_array_equal(found, tifffile.imread(tiff))
    (more,) = valid_label_levels(tmp_path / "more" / "discs-labels.ome.zarr")
    (kept,) = valid_group_of_labels(tmp_path / "tiny.pickem" / "labels.ome.zarr")["discs"]
    np.testing.assert_array_equal(kept, more)  # which exporting brings up to date
    assert (more != 255).sum() > (found != 255).sum()
    assert names(tmp_path / "out") == {"discs-labels.tif", "discs-labels.ome.zarr"}


def test_an_export_replaces_an_earlier_one_and_nothing_else(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        (folder,) = export_labels(project, tmp_path / "out", "ome-zarr")
        paint_queue(project, 1)
        assert list(export_labels(project, tmp_path / "out", "ome-zarr")) == [folder]
        assert (valid_label_levels(folder)[0] != 255).any()
        shutil.rmtree(folder)
        folder.mkdir()
        (folder / "thesis.docx").write_text("mine")
        with pytest.raises(VolumeExistsError, match="Something else lies"):
            list(export_labels(project, tmp_path / "out", "ome-zarr"))
    assert names(folder) == {"thesis.docx"}


def test_what_one_patch_leaves_unlabelled_another_may_show(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        for x, value in ((0, 1), (16, 255)):
            number = project.store.add(PatchId("discs", 0, 0, x, 32, 32))
            answer(project.store, number, np.full((32, 32), value, np.uint8), "submitted")
        (path,) = export_labels(project, tmp_path / "out")
    assert (tifffile.imread(path)[0, :32, :48] == [1] * 32 + [255] * 16).all()


def test_labels_of_a_volume_seen_coarser_come_back_on_its_own_grid(tmp_path: Path) -> None:
    """Odd sides: the last row and column of the volume belong to no coarse pixel."""
    tifffile.imwrite(tmp_path / "odd.tif", np.random.default_rng(0).integers(0, 255, (2, 65, 97), np.uint8))
    source = VolumeSource(path="odd.tif", factor=2)
    folder = make_tiny_project(tmp_path, volumes={"odd": source}, patch=16, audit_patches=0)
    with open_project(folder) as project:
        stored = project.store.queue()[0].stored
        mask = np.random.default_rng(1).integers(0, 2, (16, 16), dtype=np.uint8)
        answer(project.store, stored.id, mask, "submitted")
        (path,) = export_labels(project, tmp_path / "out")
        (folder,) = export_labels(project, tmp_path / "out", "ome-zarr")
    labels = tifffile.imread(path)
    assert labels.shape == (2, 65, 97)
    np.testing.assert_array_equal(valid_label_levels(folder)[0], labels)
    y, x = 2 * stored.patch.y, 2 * stored.patch.x
    np.testing.assert_array_equal(
        labels[stored.patch.z, y : y + 32, x : x + 32], np.kron(mask, np.ones((2, 2)))
    )
    assert (labels == 255).sum() == labels.size - 32 * 32


def test_the_network_and_the_course_are_exported(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        paint_audit(project, 3)
        train_once(project)
        (project.checkpoints / "round-0000.safetensors.0f.partial").write_bytes(
            b"of a trainer that was killed"
        )
        changed = corrected(project)
        exported = [*export_model(project, tmp_path / "out"), *export_curve(project, tmp_path / "out")]
        assert {path.name for path in exported} == names(tmp_path / "out")
        assert names(tmp_path / "out") == {"tiny-model.json", "tiny-model.safetensors", "quality.csv"}
        project.predictor("cpu").load_weights(tmp_path / "out" / "tiny-model.safetensors")
        measured = rounds.audit_counts(project.store, 0)[1]
    with (tmp_path / "out" / "quality.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    hit, union = sum(c.hit for c in measured), sum(c.truth + c.predicted - c.hit for c in measured)
    assert row["jaccard"] == f"{hit / union:.4f}"
    assert (row["round"], row["labelled_patches"], row["audit_patches"]) == ("0", "4", "3")
    assert float(row["low"]) <= hit / union <= float(row["high"])
    assert (row["proposals"], row["changed"]) == ("1", f"{changed:.4f}")


def corrected(project: Project) -> float:
    """Submit a patch for which the network proposed half of what is there; returns the share changed."""
    stored = project.store.queue()[0].stored
    half = np.zeros((32, 32), np.uint8)
    half[:16] = 1
    project.store.replace_queue(selection([stored.patch]), 0, {stored.patch: half})
    whole = np.ones((32, 32), np.uint8)
    project.store.save(stored.id, NewMask(0, whole, "submitted", "background", 9.0, proposed_by=0))
    return 0.5


def test_the_segmentation_is_what_the_network_sees(tmp_path: Path) -> None:
    said: list[tuple[int, int]] = []
    with open_project(make_tiny_project(tmp_path)) as project:
        paint_queue(project, 4)
        train_once(project)
        (path,) = export_segmentation(project, tmp_path / "out", lambda *step: said.append(step), "cpu")
        predictor = project.predictor("cpu")
        predictor.load_weights(project.checkpoints / "round-0000.safetensors")
        checkpoint = (project.checkpoints / "round-0000.safetensors").read_bytes()
        (folder,) = export_segmentation(project, tmp_path / "out", lambda *_: None, "cpu", "ome-zarr")
        expected = predictor.predict_plane(project.inputs.plane("discs", 7)).argmax(axis=0)
    found = tifffile.imread(path)
    np.testing.assert_array_equal(valid_label_levels(folder)[0], found)
    provenance = json.loads((folder / "zarr.json").read_text())["attributes"]["pickem"]
    assert provenance["checkpoint"] == "round-0000.safetensors"
    assert provenance["sha256"] == hashlib.sha256(checkpoint).hexdigest()
    np.testing.assert_array_equal(found[7], expected)
    assert found.shape == SHAPE
    assert said == [(n, 12) for n in range(1, 13)]


def test_sections_too_large_for_the_memory_are_left_to_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pickem.project.export._MOST", 2 * 128 * 96 - 1)
    folder = make_trained_project(tmp_path)
    done = pickem_here("export", folder, "everything", "--out", tmp_path / "out", "--device", "cpu")
    assert done.returncode == 2
    assert "128 × 96 pixels" in done.stderr
    command = f"pickem predict {folder} discs --out {tmp_path / 'out' / 'discs-segmentation.tif'}"
    assert command in done.stderr
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"discs-labels.tif", "quality.csv", "tiny-model.json", "tiny-model.safetensors"}
    monkeypatch.setattr("pickem.project.export._MOST", 2 * 128 * 96)
    done = pickem_here("export", folder, "segmentation", "--out", tmp_path / "out", "--device", "cpu")
    assert done.returncode == 0, done.stderr


def test_without_a_network_there_is_none_to_export(tmp_path: Path) -> None:
    with open_project(make_tiny_project(tmp_path)) as project:
        for export in (
            export_model(project, tmp_path / "out"),
            export_segmentation(project, tmp_path / "out", lambda *_: None),
        ):
            with pytest.raises(NoResultsError, match="pickem label"):
                list(export)
    assert not (tmp_path / "out").exists()


def test_a_file_where_the_export_should_go_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with open_project(make_tiny_project(tmp_path)) as project:
        for export in (export_labels(project, tmp_path / "out"), export_curve(project, tmp_path / "out")):
            with pytest.raises(StorageError, match="A file lies where a folder is needed"):
                list(export)
    assert (tmp_path / "out").read_text() == "mine"


def test_images_of_several_volumes_are_read_by_name(tmp_path: Path) -> None:
    write_tiny_volume(tmp_path / "a.tif")
    tifffile.imwrite(tmp_path / "b.tif", np.full((1, 64, 64), 7, np.uint8))
    sources = {name: VolumeSource(path=f"{name}.tif") for name in "ab"}
    with open_project(make_tiny_project(tmp_path, volumes=sources, audit_patches=0)) as project:
        candidates = project.candidates()
        patches = candidates.draw(len(candidates), np.random.default_rng(0))
        images = project.images.images(patches)
    whole = {"a": tifffile.imread(tmp_path / "a.tif"), "b": np.full((1, 64, 64), 7)}
    assert {patch.volume for patch in patches} == {"a", "b"}
    for patch, image in zip(patches, images, strict=True):
        np.testing.assert_array_equal(image, whole[patch.volume][patch.box.slices][0])


def test_a_copy_is_a_project_of_its_own(tmp_path: Path) -> None:
    """The database copies as one file once the project is closed."""
    folder = make_tiny_project(tmp_path)
    with open_project(folder) as project:
        paint_queue(project, 2)
    shutil.copytree(folder, tmp_path / "copy.pickem")
    with open_project(tmp_path / "copy.pickem") as copy, open_project(folder) as original:
        paint_queue(copy, 1)
        assert copy.store.count("query", "submitted") == 3
        assert original.store.count("query", "submitted") == 2


def test_a_copy_has_an_id_of_its_own_and_a_project_that_moved_keeps_its(tmp_path: Path) -> None:
    """Under which the browser keeps unsaved strokes."""

    def id_of(folder: Path) -> str:
        with open_project(folder) as project:
            return project.id

    folder = make_tiny_project(tmp_path / "here")
    first = id_of(folder)
    assert id_of(folder) == first
    shutil.copytree(folder.parent, tmp_path / "copy")
    copied = id_of(tmp_path / "copy" / "tiny.pickem")
    assert copied not in ("", first)
    folder.parent.rename(tmp_path / "there")
    assert id_of(tmp_path / "there" / "tiny.pickem") == first
    database = tmp_path / "there" / "tiny.pickem" / "project.sqlite"
    shutil.copyfile(database, tmp_path / "backup.sqlite")
    database.unlink()
    shutil.copyfile(tmp_path / "backup.sqlite", database)
    assert id_of(tmp_path / "there" / "tiny.pickem") == first, "restored"
    assert id_of(tmp_path / "copy" / "tiny.pickem") == copied


@pytest.mark.parametrize("factor", [1, 2])
def test_exported_stacks_say_how_large_a_voxel_is(tmp_path: Path, factor: int) -> None:
    volumes = {"discs": VolumeSource(path="discs.tif", voxel_size=(30.0, 4.0, 2.5), factor=factor)}
    with open_project(make_tiny_project(tmp_path, volumes=volumes)) as project:
        (path,) = export_labels(project, tmp_path / "out")
    assert open_volume(str(path)).voxel_size == pytest.approx((30.0, 4.0, 2.5)), "that of the file"
    with tifffile.TiffFile(path) as file:
        assert "PhysicalSizeZ" in (file.ome_metadata or "")
        numerator, denominator = file.pages[0].tags["XResolution"].value
        assert numerator / denominator == pytest.approx(1e7 / 2.5)
        assert file.series[0].shape == SHAPE
