"""The predictor of the package: a segmentation network with its intensity normalisation and backend."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from pickem.acquisition import Feature
from pickem.errors import CheckpointError
from pickem.predictor import inference, reduction, training
from pickem.predictor.backend import Backend
from pickem.predictor.checkpoints import read_checkpoint, write_checkpoint
from pickem.predictor.description import damaged
from pickem.predictor.inference import Segmented
from pickem.predictor.network import SegmentationNetwork, State, check_images
from pickem.predictor.normalisation import Normaliser
from pickem.predictor.protocol import FitReport, Images, Probabilities, Progress
from pickem.predictor.settings import MeasuringSettings, Phase, TrainingSettings, UNetSettings, Views
from pickem.predictor.smoothing import smoothed
from pickem.predictor.training_set import TrainingSet
from pickem.predictor.unet import HEAD, UNet

_FROM_ONE_PASS = {
    Feature.ENTROPY: reduction.entropy,
    Feature.CLASS_ENTROPY: reduction.class_entropy,
    Feature.CONFIDENCE: reduction.confidence,
    Feature.MARGIN: reduction.margin,
}
_FROM_MONTE_CARLO = {Feature.MC_ENTROPY, Feature.MUTUAL_INFORMATION}


class NetworkPredictor:
    """A Predictor around a SegmentationNetwork. The network is moved to the backend's device.

    Whatever runs the network raises OutOfMemoryError where memory runs out.

    Parameters
    ----------
    network: an `nn.Module` that is a SegmentationNetwork with `classes` logits.
    description: JSON that identifies the network's architecture; a checkpoint with another is refused.
    about: JSON that is written into checkpoints for whoever uses them elsewhere, and never compared.
    """

    def __init__(
        self,
        network: SegmentationNetwork,
        classes: int,
        normalisation: Normaliser,
        backend: Backend,
        training: TrainingSettings,
        measuring: MeasuringSettings,
        description: dict[str, object],
        about: Mapping[str, object] = MappingProxyType({}),
    ) -> None:
        self.network = network
        self.classes = classes
        self.normalisation = normalisation
        self.backend = backend
        self._training = training
        self._measuring = measuring
        self._description = description
        self._about = dict(about)
        with backend.memory():
            self._module.to(device=backend.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        inference.freeze(network)
        self._drawn = {name: value.to("cpu", copy=True) for name, value in self._module.state_dict().items()}

    @property
    def context(self) -> int:
        """Pixels on each side of a patch that the network is shown beside it."""
        return self._training.context

    @property
    def border(self) -> int:
        """Pixels by which a plane is continued at its border before the network sees it; whole strides."""
        return inference.border_of(self.context, self.network.stride)

    @property
    def _module(self) -> nn.Module:
        assert isinstance(self.network, nn.Module)  # by the SegmentationNetwork contract
        return self.network

    def fit(
        self, patches: TrainingSet, phase: Phase, rng: np.random.Generator, progress: Progress
    ) -> FitReport:
        """Train on from the present weights; see `pickem.predictor.training.fit`."""
        how = (self.normalisation, self._training, phase, self.backend)
        with self.backend.memory():
            return training.fit(self.network, patches, *how, rng, progress)

    def predict_proba(self, images: Images) -> Probabilities:
        """Class probabilities (n, classes, h, w) of patches (n, h, w) with context, dropout off."""
        predicted = inference.predict_images(
            self.network, images, self.normalisation, self.backend, self._measuring.views
        )
        return self._without_context(predicted).cpu().numpy()

    def predict_plane(self, plane: NDArray[np.generic]) -> Probabilities:
        """Class probabilities (classes, h, w) of a plane ([channels,] h, w) of any size, dropout off."""
        return inference.predict_plane(
            self.network,
            plane,
            self.classes,
            self.normalisation,
            self.backend,
            context=self.context,
            views=self._measuring.views,
        )

    def predict_sections(
        self, plane: Callable[[int], NDArray[np.generic]], sections: Sequence[int], depth: int
    ) -> Iterator[Probabilities]:
        """Class probabilities (classes, h, w) of some sections of a stack, dropout off.

        Each is the mean over its neighbours, as the settings say: see `pickem.predictor.smoothing`.
        """
        return smoothed(lambda z: self.predict_plane(plane(z)), sections, depth, self._measuring.smoothing)

    def segment(
        self,
        plane: Callable[[int], NDArray[np.generic]],
        sections: Sequence[int],
        depth: int,
        views: Views,
        smoothing: int,
        wanted: Sequence[int] = (),
    ) -> Iterator[Segmented]:
        """Classes of ascending sections of a stack of `depth`, each in one piece, and the probabilities of
        those `wanted`; dropout off.

        `plane` gives what the network sees of a section, ([channels,] h, w). `views`: it as it is, or the
        mean over its flips and quarter turns. `smoothing`: see `pickem.predictor.smoothing`.
        """

        def predicted(section: int) -> Tensor:
            how = (self.normalisation, self.backend, views)
            return inference.predict_images(self.network, plane(section)[None], *how)[0]

        for probabilities in smoothed(predicted, sections, depth, smoothing):
            yield inference.segmented(probabilities, wanted)

    def mc_probabilities(self, images: Images, rng: np.random.Generator) -> NDArray[np.float32]:
        """Probabilities (passes, n, classes, h, w) with dropout on and batch-norm statistics frozen."""
        height, width = images.shape[-2:]
        generator = self.backend.generator(rng)
        with torch.inference_mode(), self.backend.arithmetic():
            state = self.network.prefix(self._place(images))
            passes = [self._probabilities(state, generator) for _ in range(self._measuring.passes)]
        return self._without_context(torch.stack(passes)[..., :height, :width]).cpu().numpy()

    def embed(self, images: Images) -> NDArray[np.float32]:
        """Bottleneck representation (n, d), averaged over space or flattened, as the settings say.

        Raises as `measure`.
        """
        check_images(self.network, images, self.context)
        with torch.inference_mode(), self.backend.arithmetic():
            return self._embedding(self.network.prefix(self._place(images)))

    def measure(
        self, images: Images, needs: Collection[Feature], rng: np.random.Generator
    ) -> dict[Feature, NDArray[np.float32]]:
        """Features of patches (n, h, w) with context.

        The part of the network before its dropout runs once, however many features and passes there are.
        Raises ConfigError where patches or their context are no whole strides of the network.
        """
        check_images(self.network, images, self.context)
        wanted = set(needs)
        from_one_pass = wanted & _FROM_ONE_PASS.keys()
        columns: dict[Feature, NDArray[np.float32]] = {}
        found: dict[Feature, Tensor] = {}
        with torch.inference_mode(), self.backend.arithmetic():
            state = self.network.prefix(self._place(images))
            if Feature.EMBEDDING in wanted:
                columns[Feature.EMBEDDING] = self._embedding(state)
            if from_one_pass:
                probability = self._probabilities(state, None)
                found |= {feature: _FROM_ONE_PASS[feature](probability) for feature in from_one_pass}
            if wanted & _FROM_MONTE_CARLO:
                found |= self._monte_carlo(state, self.backend.generator(rng))
        means = {
            feature: reduction.mean_over_pixels(self._without_context(values)).cpu().numpy()
            for feature, values in found.items()
            if feature in wanted
        }
        return columns | means

    def save(self, path: Path) -> None:
        """Write weights and description as a checkpoint (see `pickem.predictor.checkpoints`)."""
        measured = {"views": self._measuring.views, "smoothing": self._measuring.smoothing}
        description = self._about | self._whole_description() | measured
        write_checkpoint(path, self._module.state_dict(), description)

    def load_weights(self, path: Path) -> None:
        """Continue from a checkpoint. Raises CheckpointError where it is damaged or of another network."""
        weights, header = read_checkpoint(path)
        for key in ("network", "classes", "context"):
            self._compare(path, header, key)
        if not self.normalisation.matches(header.get("normalisation")):
            self._compare(path, header, "normalisation")
        self._put(path, weights)

    def start_over(self) -> None:
        """Go back to the weights it was made with."""
        self._module.load_state_dict(self._drawn)

    def start_from(self, path: Path) -> None:
        """Begin with weights learned elsewhere, keeping one's own intensity normalisation.

        Those of another volume's network, or of `pretraining`, which leave the head as it is. Raises
        CheckpointError where the network is built differently or has another number of classes.
        """
        weights, header = read_checkpoint(path)
        self._compare(path, header, "network")
        if "pretraining" in header:
            weights = {name: tensor for name, tensor in weights.items() if not name.startswith(HEAD)}
        else:
            self._compare(path, header, "classes")
        self._put(path, self._module.state_dict() | weights)

    def _put(self, path: Path, weights: dict[str, Tensor]) -> None:
        try:
            self._module.load_state_dict(weights)
        except RuntimeError as error:  # tensors of other shapes than the description says
            raise damaged(path, f"weights that do not fit what {path.stem}.json says of them") from error

    def _compare(self, path: Path, header: dict[str, object], key: str) -> None:
        found, expected = header.get(key), self._whole_description()[key]
        if found == expected:
            return
        todo = None
        if isinstance(found, dict) and key == "network":
            found, expected = _differences(found, self._description)
            todo = "say the same under [recipe.network] of the project or [network] of the profile"
        raise CheckpointError(
            f"The checkpoint {path} belongs to another network: its {key} differs.",
            got=found,
            expected=expected,
            todo=todo,
        )

    def _whole_description(self) -> dict[str, object]:
        return {
            "network": self._description,
            "classes": self.classes,
            "normalisation": self.normalisation.description(),
            "context": self.context,
        }

    def _without_context(self, values: Tensor) -> Tensor:
        return inference.crop(values, self.context)

    def _place(self, images: Images) -> Tensor:
        tensor = inference.pad_to_stride(
            torch.from_numpy(self.normalisation.apply(images)), self.network.stride
        )
        return self.backend.place(tensor)

    def _embedding(self, state: State) -> NDArray[np.float32]:
        bottleneck = self.network.bottleneck(state).float()
        bottleneck = inference.crop(bottleneck, self.context // self.network.stride)
        if self._measuring.embedding == "pooled":
            bottleneck = bottleneck.mean(dim=(2, 3))
        return bottleneck.flatten(start_dim=1).cpu().numpy()

    def _probabilities(self, state: State, generator: torch.Generator | None) -> Tensor:
        return self.network.suffix(state, generator).float().softmax(dim=1)

    def _monte_carlo(self, state: State, generator: torch.Generator) -> dict[Feature, Tensor]:
        """Sums over the passes, so that two probability maps are held and not one per pass."""
        total = self._probabilities(state, generator)
        entropies = reduction.entropy(total)
        for _ in range(self._measuring.passes - 1):
            probability = self._probabilities(state, generator)
            total += probability
            entropies += reduction.entropy(probability)
        of_mean = reduction.entropy(total / self._measuring.passes)
        return {
            Feature.MC_ENTROPY: of_mean,
            Feature.MUTUAL_INFORMATION: of_mean - entropies / self._measuring.passes,
        }


def _differences(found: dict[str, object], own: dict[str, object]) -> tuple[str, str]:
    """Where two networks are built differently, in words: that of the first, and of the second."""
    keys = sorted(key for key in found.keys() | own.keys() if found.get(key) != own.get(key))
    words = {"channels": "channels (sections seen at once)"}
    told = [", ".join(f"{words.get(k, k)} = {each.get(k)}" for k in keys) for each in (found, own)]
    return told[0], told[1]


def unet_predictor(
    network: UNetSettings,
    classes: int,
    normalisation: Normaliser,
    backend: Backend,
    training: TrainingSettings,
    measuring: MeasuringSettings,
    rng: np.random.Generator,
    about: Mapping[str, object] = MappingProxyType({}),
) -> NetworkPredictor:
    """A NetworkPredictor with a new U-Net; the same state of `rng` gives the same weights."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**63)))
    return NetworkPredictor(
        UNet(network, classes, generator),
        classes,
        normalisation,
        backend,
        training,
        measuring,
        description={"kind": "unet", **network.model_dump()},
        about=about,
    )
