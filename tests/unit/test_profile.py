"""Profiles: the built-in ones say what the paper says, and nonsense is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from pickem.benchmark import Profile, built_in_profiles, load_profile
from pickem.benchmark.full_supervision import matched_steps
from pickem.benchmark.profile import parse_profile
from pickem.errors import ConfigError
from pickem.project.settings import Recipe

PROFILES = Path(__file__).parents[2] / "benchmarks" / "profiles"
MINIMAL = """
name = "mine"
[first]
learning_rate = 1e-3
steps = 10
[following]
learning_rate = 1e-3
epochs = 2
"""


def test_the_paper_profile_is_the_paper() -> None:
    paper = load_profile("paper")
    assert (paper.patch, paper.pool, paper.initial, paper.per_round, paper.rounds) == (128, 2000, 20, 20, 25)
    assert (paper.first.learning_rate, paper.first.epochs) == (1e-3, 500)
    assert (paper.following.learning_rate, paper.following.epochs) == (5e-4, 200)
    assert (paper.network.feature_maps, paper.network.depth) == (16, 4)
    assert paper.training.loss == "cross-entropy"
    assert paper.training.augmentation is None
    assert [paper.labelled(number) for number in (0, 1, 24)] == [20, 40, 500]


@pytest.mark.parametrize("name", built_in_profiles())
def test_built_in_profiles_pin_the_precision(name: str) -> None:
    assert load_profile(name).precision == "fp32"


def test_fast_has_the_same_sets() -> None:
    paper, fast = load_profile("paper"), load_profile("fast")
    for name in ("patch", "pool", "initial", "per_round"):
        assert getattr(paper, name) == getattr(fast, name)
    assert fast.first.steps is not None
    assert fast.following.steps is not None


@pytest.mark.parametrize("name", built_in_profiles())
def test_every_built_in_profile_loads_under_its_name(name: str) -> None:
    assert load_profile(name).name == name


def test_a_profile_survives_its_own_toml() -> None:
    profile = parse_profile(MINIMAL, "text")
    assert Profile.model_validate(profile.model_dump(mode="json")) == profile


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("steps = 10", "steps = 10\nepochs = 3", "either"),
        ("steps = 10", "", "either"),
        ('name = "mine"', 'name = "mine"\ncolour = "red"', "colour"),
        ('name = "mine"', 'name = "mine"\npool = 0', "pool"),
        ("learning_rate = 1e-3\nsteps", "learning_rate = -1\nsteps", "first.learning_rate"),
        (
            'name = "mine"',
            'name = "mine"\npatch = 100',
            "patch = 100 is not a multiple of 16.* 96 or 112",
        ),
        ("[first]", "[network]\ndepth = 8\n[first]\n", "patch = 128 is not a multiple of 256.* say 256"),
        ("[first]", "[training]\ncontext = 8\n[first]\n", "context = 8 is not a multiple of 16.* 0 or 16"),
        ("[first]", "[training]\ncontext = 20\n[first]\n", "context = 20 is not a multiple of 16.* 16 or 32"),
    ],
)
def test_nonsense_is_refused(old: str, new: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        parse_profile(MINIMAL.replace(old, new), "text")


def test_patches_need_no_more_than_the_stride_of_the_network() -> None:
    shallow = "\n[network]\nspace_to_depth = 2\ndepth = 1\n[training]\ncontext = 4\n"
    assert parse_profile(MINIMAL.replace('"mine"', '"mine"\npatch = 20') + shallow, "text").patch == 20


@pytest.mark.parametrize("path", sorted(PROFILES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_profiles_beside_the_results_load(path: Path) -> None:
    assert load_profile(str(path)).name


def test_matched_steps_are_those_of_a_whole_run() -> None:
    profile = parse_profile(MINIMAL + "[training]\nbatch_size = 8\n", "text")
    # round 0: 10 steps; rounds 1 and 2: two epochs over 40 and 60 patches in batches of 8
    assert matched_steps(profile, rounds=3) == 10 + 2 * 5 + 2 * 8


def test_a_project_learns_by_the_recipe_of_auto() -> None:
    auto, recipe = load_profile("auto"), Recipe()
    for name in ("network", "training", "following", "measuring"):
        assert getattr(auto, name) == getattr(recipe, name), name
    assert recipe.first.steps is not None
    assert auto.first.steps is not None
    assert recipe.first.steps < auto.first.steps  # somebody waits for it
