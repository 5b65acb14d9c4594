"""A volume that went elsewhere: asked for at a terminal, else told by `pickem move`, and never mistaken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from pickem.predictor import Phase
from pickem.project.project import open_project
from pickem.project.round import Learning
from tests.fixtures.tiny_project import RECIPE, SHAPE, make_tiny_project, paint_queue, write_tiny_volume
from tests.integration.command_line import pickem_at_terminal, pickem_here

QUICK = RECIPE.model_copy(update={"first": Phase(learning_rate=1e-3, steps=1)})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose volume has gone to moved.tif."""
    folder = make_tiny_project(tmp_path)
    (tmp_path / "discs.tif").rename(tmp_path / "moved.tif")
    return folder


def path_of(project: Path) -> str:
    with open_project(project) as opened:
        return opened.settings.volumes["discs"].path


def another(path: Path) -> Path:
    tifffile.imwrite(path, np.zeros((12, 64, 96), np.uint8), photometric="minisblack")
    return path


@pytest.mark.parametrize("command", [["status"], ["export", "labels"], ["label", "--no-browser"]])
def test_without_a_terminal_the_command_to_type_is_said(project: Path, command: list[str]) -> None:
    name, *more = command
    missing = project.with_name("discs.tif")
    for outcome in (pickem_here(name, project, *more), pickem_here(name, project, *more)):
        assert outcome.returncode == 2
        for word in ("The volume discs", str(missing), f"pickem move {project} discs PATH"):
            assert word in outcome.stderr
        assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize("command", [["status"], ["export", "labels"]])
def test_at_a_terminal_the_new_place_is_asked_for_and_kept(project: Path, command: list[str]) -> None:
    name, *more = command
    outcome = pickem_at_terminal(name, project, *more, typed=[f"'{project.with_name('moved.tif')}'"])
    assert outcome.returncode == 0, outcome.stdout
    assert "The volume discs of this project is not where it was." in outcome.stdout
    assert outcome.stdout.count("Where is it now?") == 1
    assert path_of(project) == "moved.tif", "relative, so that both can move"
    assert "Where is it now?" not in pickem_at_terminal(name, project, *more, typed=[]).stdout


def test_the_label_command_asks_before_it_serves(project: Path) -> None:
    moved = project.with_name("moved.tif")
    moved.rename(project.with_name("discs.tif"))
    with open_project(project) as opened, opened.lock():
        project.with_name("discs.tif").rename(moved)
        outcome = pickem_at_terminal("label", project, "--no-browser", typed=[str(moved)])
    assert outcome.returncode == 2
    assert "Another server" in outcome.stdout
    assert path_of(project) == "moved.tif"


def test_a_wrong_answer_is_asked_again(project: Path, tmp_path: Path) -> None:
    other, nowhere, moved = another(tmp_path / "other.tif"), tmp_path / "no.tif", tmp_path / "moved.tif"
    outcome = pickem_at_terminal("status", project, typed=[str(nowhere), str(other), str(moved)])
    assert outcome.returncode == 0, outcome.stdout
    assert "There is no such image." in outcome.stdout
    assert "12 × 64 × 96 (z, y, x), uint8" in outcome.stdout
    assert path_of(project) == "moved.tif"


def test_no_answer_changes_nothing(project: Path) -> None:
    before = (project / "project.toml").read_bytes()
    outcome = pickem_at_terminal("status", project, typed=[""])
    assert outcome.returncode == 2
    assert f"pickem move {project} discs PATH" in outcome.stdout
    assert (project / "project.toml").read_bytes() == before


def test_both_of_two_volumes_that_went_are_asked_for(tmp_path: Path) -> None:
    for name in "ab":
        write_tiny_volume(tmp_path / f"{name}.tif")
    folder = tmp_path / "two.pickem"
    volumes = [tmp_path / "a.tif", tmp_path / "b.tif"]
    assert pickem_here("new", folder, *volumes, "--class", "disc", "--patch", 32).returncode == 0
    (tmp_path / "new").mkdir()
    moved = [volume.rename(tmp_path / "new" / volume.name) for volume in volumes]
    assert pickem_at_terminal("status", folder, typed=list(map(str, moved))).returncode == 0
    with open_project(folder) as opened:
        assert [source.path for source in opened.settings.volumes.values()] == ["new/a.tif", "new/b.tif"]


def test_the_move_command_writes_down_where_it_is(project: Path) -> None:
    moved = project.with_name("moved.tif")
    outcome = pickem_here("move", project, "discs", moved)
    assert outcome.returncode == 0, outcome.stderr
    assert str(moved) in outcome.stdout
    assert path_of(project) == "moved.tif"


def test_the_move_command_refuses_what_cannot_be(project: Path, tmp_path: Path) -> None:
    other, moved = another(tmp_path / "other.tif"), tmp_path / "moved.tif"
    before = (project / "project.toml").read_bytes()
    for words, expected in (
        (["discs", other], "not the volume discs"),
        (["discs", tmp_path / "no.tif"], "no such image"),
        (["disks", moved], "did you mean discs?"),
        (["discs"], "pickem move"),
    ):
        outcome = pickem_here("move", project, *words)
        assert outcome.returncode == 2
        assert expected in outcome.stderr
    assert (project / "project.toml").read_bytes() == before
    assert pickem_here("move", tmp_path, "discs", moved).returncode == 2


@pytest.mark.parametrize(
    "other", [np.zeros((12, 128, 97), np.uint8), np.zeros(SHAPE, np.uint16)], ids=["shape", "type"]
)
def test_another_volume_in_the_place_of_the_old_one_is_refused(project: Path, other: np.ndarray) -> None:
    tifffile.imwrite(project.with_name("discs.tif"), other, photometric="minisblack")
    for outcome in (pickem_here("status", project), pickem_at_terminal("status", project, typed=[])):
        said = outcome.stdout + outcome.stderr
        assert outcome.returncode == 2
        assert "This is not the volume discs that the project was made for." in said
        assert "12 × 128 × 96 (z, y, x), uint8" in said
        assert f"pickem move {project} discs PATH" in said


def test_the_network_of_a_project_whose_volume_is_gone_can_be_used(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path / "old", recipe=QUICK)
    with open_project(folder) as opened:
        paint_queue(opened, 4)
        Learning(opened, opened.predictor("cpu"), lambda *_: None).train()
    (tmp_path / "old" / "discs.tif").unlink()
    volume = write_tiny_volume(tmp_path / "next.tif")
    outcome = pickem_here(
        *("new", tmp_path / "next.pickem", volume, "--class", "disc", "--patch", 32, "--from", folder)
    )
    assert outcome.returncode == 0, outcome.stderr
    assert (tmp_path / "next.pickem" / "checkpoints" / "start.safetensors").exists()


@pytest.mark.parametrize("below", ["", "checkpoints", "more/below"])
def test_a_project_opened_from_inside_finds_its_volume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    folder = make_tiny_project(tmp_path)
    (folder / below).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(folder / below)
    project = Path(*[".."] * len(Path(below).parts))  # from the project itself, `.`
    outcome = pickem_here("status", project)
    assert outcome.returncode == 0, outcome.stderr
    assert pickem_here("export", project, "labels").returncode == 0
    assert (tmp_path / "tiny-export").is_dir()


@pytest.mark.parametrize("below", ["", "checkpoints"])
def test_from_inside_a_project_the_new_place_is_kept_as_from_outside(
    project: Path, monkeypatch: pytest.MonkeyPatch, below: str
) -> None:
    (project / below).mkdir(exist_ok=True)
    monkeypatch.chdir(project / below)
    up = Path(*[".."] * len(Path(below).parts))
    moved = Path("..") / up / "moved.tif"
    outcome = pickem_at_terminal("status", up, typed=[str(moved)])
    assert outcome.returncode == 0, outcome.stdout
    assert path_of(project) == "moved.tif"
    assert "Where is it now?" not in pickem_at_terminal("status", project, typed=[]).stdout


def test_a_linked_project_finds_what_lies_beside_the_link(tmp_path: Path) -> None:
    folder = make_tiny_project(tmp_path / "there")
    (tmp_path / "here" / "sub").mkdir(parents=True)
    link = tmp_path / "here" / "link.pickem"
    link.symlink_to(folder)
    (tmp_path / "there" / "discs.tif").rename(tmp_path / "here" / "discs.tif")
    for project in (link, link.parent / "sub" / ".." / "link.pickem"):
        assert pickem_here("status", project).returncode == 0


def test_what_somebody_wrote_into_the_settings_stays(project: Path) -> None:
    settings = project / "project.toml"
    notes = "# ours: fixed on Monday\n\n" + settings.read_text().replace(
        'path = "discs.tif"', 'path = "discs.tif"  # the good one'
    )
    settings.write_text(notes)
    assert pickem_here("move", project, "discs", project.with_name("moved.tif")).returncode == 0
    assert settings.read_text() == notes.replace('"discs.tif"', '"moved.tif"')
