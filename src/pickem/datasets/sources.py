"""What each public dataset is, where it comes from and on which terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources

from pickem.geometry import Shape3
from pickem.volumes import VoxelSize


@dataclass(frozen=True)
class RemoteFile:
    """A file to download.

    path: where it belongs in the dataset's folder; an archive is unpacked and its `root` moved there.
    sha256: of the file as downloaded; None where nobody has published one.
    """

    url: str
    path: str
    sha256: str | None
    root: str | None = None  # of an archive: the folder inside that is the dataset


@dataclass(frozen=True)
class Source:
    """A public dataset: what it is, and where it comes from.

    shapes: of each of its volumes as published, voxels along (z, y, x).
    """

    name: str
    title: str
    annotation: str
    voxel_size: VoxelSize
    shapes: Mapping[str, Shape3]
    home: str
    licence: str
    citation: str
    files: tuple[RemoteFile, ...]
    by_hand: str | None = None  # how to get it where it cannot be downloaded file by file
    label_values: tuple[tuple[int, ...], ...] | None = None
    classes: tuple[str, ...] = ("mitochondrion",)


_VNC = "https://raw.githubusercontent.com/unidesigner/groundtruth-drosophila-vnc/68c1639eb3bc5eb2834e8f130ec7821e0c82439d"
_EPFL = "https://documents.epfl.ch/groups/c/cv/cvlab-unit/www/data/%20ElectronMicroscopy_Hippocampus"
_EPFL_PARTS = ("training", "training_groundtruth", "testing", "testing_groundtruth")
_EPFL_SHAPES = {"training": (165, 768, 1024), "testing": (165, 768, 1024)}
_LUCCHI_2012 = (
    "A. Lucchi, K. Smith, R. Achanta, G. Knott, P. Fua: Supervoxel-based segmentation of mitochondria in EM "
    "image stacks with learned shape features. IEEE Transactions on Medical Imaging 31(2), 2012. "
    "doi:10.1109/TMI.2011.2171705"
)


def _vnc_files() -> tuple[RemoteFile, ...]:
    """The sections and mitochondria masks, with the hashes in `vnc.sha256` beside this file."""
    lines = (resources.files("pickem.datasets") / "vnc.sha256").read_text("utf-8").splitlines()
    pairs = [line.split() for line in lines]
    return tuple(RemoteFile(f"{_VNC}/{path}", path, sha256) for sha256, path in pairs)


def sources() -> dict[str, Source]:
    """The public datasets by name."""
    return {source.name: source for source in (_vnc(), _EPFL_ORIGINAL, _LUCCHI_PP, _MIRA)}


def _vnc() -> Source:
    return Source(
        name="vnc",
        title="ssTEM, Drosophila larva ventral nerve cord, 20 × 1024 × 1024",
        annotation="original",
        voxel_size=(45.0, 4.6, 4.6),
        shapes={"vnc": (20, 1024, 1024)},
        home="https://github.com/unidesigner/groundtruth-drosophila-vnc",
        licence="CC BY-NC-SA 3.0",
        citation=(
            "S. Gerhard, J. Funke, J. Martel, A. Cardona, R. Fetter: Segmented anisotropic ssTEM dataset of "
            "neural tissue. figshare, 2013. doi:10.6084/m9.figshare.856713"
        ),
        files=_vnc_files(),
    )


_EPFL_ORIGINAL = Source(
    name="epfl",
    title="FIB-SEM, mouse hippocampus CA1, two stacks of 165 × 768 × 1024",
    annotation="original",
    voxel_size=(5.0, 5.0, 5.0),
    shapes=_EPFL_SHAPES,
    home="https://www.epfl.ch/labs/cvlab/data/data-em/",
    licence="none stated by its source; for research, with the citation",
    citation=_LUCCHI_2012,
    files=tuple(RemoteFile(f"{_EPFL}/{part}.tif", f"{part}.tif", None) for part in _EPFL_PARTS),
)

_LUCCHI_PP = Source(
    name="lucchi++",
    title="EPFL's FIB-SEM stacks with the re-annotation known as Lucchi++",
    annotation="Lucchi++",
    voxel_size=(5.0, 5.0, 5.0),
    shapes=_EPFL_SHAPES,
    home="https://sites.google.com/view/connectomics/",
    licence="none stated by its source; for research, with the citation",
    citation=(
        "V. Casser, K. Kang, H. Pfister, D. Haehn: Fast mitochondria detection for connectomics. MIDL 2020. "
        "arXiv:1812.06024. Images: " + _LUCCHI_2012
    ),
    files=(
        RemoteFile(
            "http://www.casser.io/files/lucchi_pp.zip",
            "lucchi_pp.zip",
            "770ce9e98fc6f29c1b1a250c637e6c5125f2b5f1260e5a7687b55a79e2e8844d",
            root="Lucchi++",
        ),
    ),
)

_MIRA = Source(
    name="mira",
    title="ATUM-SEM, mouse cortex, 31 × 8416 × 8624",
    annotation="original",
    voxel_size=(50.0, 2.0, 2.0),
    shapes={"mira": (31, 8416, 8624)},
    home="http://95.163.198.142/MiRA/mitochondria31/",
    licence="none stated by its source; for research, with the citation",
    citation=(
        "C. Xiao, X. Chen, W. Li, L. Li, L. Wang, Q. Xie, H. Han: Automatic mitochondria segmentation for EM "
        "data using a 3D supervised convolutional network. Frontiers in Neuroanatomy 12:92, 2018. "
        "doi:10.3389/fnana.2018.00092"
    ),
    files=(),
    by_hand="download it from its home, the sections into the folder `images`, their masks into `labels`",
)
