"""Where and in which arithmetic the network runs: device, precision, threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from pickem.errors import ConfigError, OutOfMemoryError
from pickem.predictor.settings import DeviceName, PrecisionName

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")  # of a GPU; of a CPU


@dataclass(frozen=True)
class Backend:
    """A device and a precision, both resolved: never "auto".

    Weights and master copies stay in float32; with bf16, PyTorch's autocast chooses what runs in bfloat16.
    With fp32 nothing is rounded further, on CUDA either, where PyTorch left alone convolves in TF32.
    """

    device: Literal["cpu", "cuda"]
    precision: Literal["fp32", "bf16"]

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """The forward pass runs inside this. Raises OutOfMemoryError."""
        autocast = torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")
        with self.memory(), self._convolutions(), autocast:
            yield

    def differentiate(self, loss: Tensor) -> None:
        """The backward pass, in the arithmetic of the forward pass. Raises OutOfMemoryError."""
        with self.memory(), self._convolutions():
            loss.backward()  # type: ignore[no-untyped-call]

    @contextmanager
    def memory(self) -> Iterator[None]:
        """Raises OutOfMemoryError instead of what PyTorch raises where memory runs out."""
        try:
            yield
        except RuntimeError as error:
            why = str(error).partition("\n")[0]
            if not any(words in why for words in _OUT_OF_MEMORY):
                raise
            place, instead = ("GPU", "--device cpu, or ") if self.device == "cuda" else ("computer", "")
            raise OutOfMemoryError(
                f"The {place} has not enough memory for the network.",
                got=why,
                todo=f"use {instead}smaller patches (--patch of pickem new) or a smaller batch (batch_size "
                "under [recipe.training] of project.toml or [training] of the profile); or end other work",
            ) from error

    def _convolutions(self) -> AbstractContextManager[None]:
        """Without TF32 where it would be used unasked; what else cuDNN was told stays."""
        if self.device == "cpu" or self.precision == "bf16":
            return nullcontext()
        cudnn = torch.backends.cudnn
        return cudnn.flags(
            enabled=cudnn.enabled,
            benchmark=cudnn.benchmark,
            benchmark_limit=cudnn.benchmark_limit,
            deterministic=cudnn.deterministic,
            allow_tf32=False,
        )

    def place(self, images: Tensor) -> Tensor:
        """Images on the device, channels last: the layout in which convolutions are fastest on both."""
        if self.device == "cuda":
            images = images.pin_memory().to("cuda", non_blocking=True)
        return images.contiguous(memory_format=torch.channels_last)

    def generator(self, rng: np.random.Generator) -> torch.Generator:
        """A PyTorch generator on this device, seeded from `rng`."""
        return torch.Generator(self.device).manual_seed(int(rng.integers(2**63)))


def resolve_backend(device: DeviceName, precision: PrecisionName) -> Backend:
    """Settle "auto": CUDA where there is one; bf16 on CUDA and on CPUs that multiply in it, else fp32.

    Raises ConfigError where CUDA is asked for by name and there is none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "There is no CUDA device that PyTorch can use.",
            got="--device cuda",
            expected="a CUDA build of PyTorch and a working driver",
            todo="use --device auto or --device cpu",
        )
    resolved: Literal["cpu", "cuda"] = "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
    if precision == "auto":
        return Backend(resolved, "bf16" if resolved == "cuda" or cpu_multiplies_bf16() else "fp32")
    return Backend(resolved, precision)


def gpu_name(device: DeviceName) -> str | None:
    """The name of the GPU that this device is, as results have to give it; None for the CPU."""
    return torch.cuda.get_device_name() if resolve_backend(device, "fp32").device == "cuda" else None


def cpu_multiplies_bf16() -> bool:
    """Whether this CPU has bfloat16 multiply instructions; without them bf16 is slower than fp32."""
    capabilities: dict[str, object] = getattr(
        torch.cpu, "get_capabilities", dict
    )()  # PyTorch has it since 2.11
    return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") or capabilities.get("bf16"))


def use_threads(threads: int) -> None:
    """Set the number of CPU threads of this process; part of what makes a run repeatable bit for bit."""
    torch.set_num_threads(threads)
