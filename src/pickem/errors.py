"""Everything pickem raises on purpose.

    PickemError
    ├── ConfigError          (ValueError)         settings that contradict themselves or each other
    ├── VolumeError
    │   ├── VolumeNotFoundError (FileNotFoundError)
    │   │   ├── VolumeMovedError                  a project's image or mask is not where it was
    │   │   └── VolumeUnreachableError            its address does not answer now
    │   ├── VolumeChangedError  (ValueError)      another image lies where a project's was
    │   ├── VolumeExistsError   (FileExistsError) something lies where a new image should
    │   └── VolumeFormatError   (ValueError)      unreadable, wrong type, NaN, too small
    ├── DatasetError
    │   ├── UnknownDatasetError (LookupError)
    │   ├── DatasetNotFoundError(FileNotFoundError)
    │   ├── DatasetInvalidError (ValueError)      there, but it cannot be right
    │   └── DownloadError       (OSError)
    ├── StrategyError
    │   ├── UnknownStrategyError(LookupError)
    │   └── SelectionError      (ValueError)      features missing, NaN, k out of range
    ├── CheckpointError         (ValueError)
    ├── TrainingError           (ArithmeticError) the loss is no longer a number
    ├── OutOfMemoryError        (MemoryError)     a network does not fit where it runs
    ├── StorageError            (OSError)         no permission, a file where a folder should be
    │   └── DiskFullError                         no space left, or none of the quota
    ├── WorkerError             (ChildProcessError) a process that worked on blocks was killed
    ├── RunError
    │   ├── RunConflictError    (ValueError)      the folder holds another run
    │   ├── RunLockedError      (RuntimeError)    another process is at work in the folder
    │   ├── JournalError        (ValueError)      a journal file is damaged
    │   └── NoResultsError      (LookupError)     nothing to report yet
    ├── BlockwiseError
    │   ├── ClusterError        (ConnectionError) no scheduler answers, or it has gone
    │   ├── OtherResultError    (ValueError)      what is to be resumed is the result of something else
    │   └── BlocksFailedError   (RuntimeError)    some blocks could not be done, the others are
    └── ProjectError
        ├── ProjectNotFoundError(FileNotFoundError)
        ├── ProjectExistsError  (FileExistsError) something lies where a new project should
        ├── ProjectDamagedError (ValueError)
        ├── ProjectVersionError (ValueError)      made by a later version of pickem
        ├── ProjectLockedError  (RuntimeError)    another server is at work on it
        ├── UnknownPatchError   (LookupError)
        ├── PlaceError          (ValueError)      a place that cannot be labelled
        ├── AnsweredError       (ValueError)      a patch that was labelled already
        ├── InvalidMaskError    (ValueError)      wrong size, or values that are no class
        ├── InvalidNameError    (ValueError)      an annotator's name that cannot be shown
        └── RevisionConflictError(ValueError)     somebody has saved a newer mask meanwhile

Each says what was wrong, what was found, what was expected and what to do; the command line prints exactly
that and exits with 2. Any other exception that reaches the command line is a bug in pickem.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Literal

Part = Literal["image", "mask"]  # of what a person gives for one volume


class PickemError(Exception):
    """Base of all errors that a user can mend.

    Parameters
    ----------
    what: one sentence, the thing that is wrong.
    got, expected: the value found and the value that would have been right, where there are such values.
    todo: what the reader can do now; a command to type where there is one.
    """

    def __init__(
        self, what: str, *, got: object = None, expected: object = None, todo: str | None = None
    ) -> None:
        self.what = what
        self.got = got
        self.expected = expected
        self.todo = todo
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """All four parts, a line each; parts that were not given are left out."""
        lines = [self.what]
        if self.got is not None:
            lines.append(f"  got:      {self.got}")
        if self.expected is not None:
            lines.append(f"  expected: {self.expected}")
        if self.todo is not None:
            lines.append(f"  to do:    {self.todo}")
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.message


class ConfigError(PickemError, ValueError):
    """Settings that contradict themselves or each other."""


class VolumeError(PickemError):
    """An image volume cannot be used."""


class VolumeNotFoundError(VolumeError, FileNotFoundError):
    """Nothing lies at the path of the volume."""


class VolumeMovedError(VolumeNotFoundError):
    """An image of a project, or the mask of one, is not where it was; `name` is the volume's."""

    def __init__(self, what: str, *, name: str, part: Part, got: object, todo: str) -> None:
        self.name = name
        self.part = part
        super().__init__(what, got=got, todo=todo)


class VolumeUnreachableError(VolumeNotFoundError):
    """The address of an image does not answer now; it may another time."""


class VolumeChangedError(VolumeError, ValueError):
    """An image of another shape or type lies where a project's was."""


class VolumeExistsError(VolumeError, FileExistsError):
    """Something lies where a new image should be written."""


class VolumeFormatError(VolumeError, ValueError):
    """The file is there, and it is not an image volume that pickem can use."""


class DatasetError(PickemError):
    """A labelled data set cannot be used."""


class UnknownDatasetError(DatasetError, LookupError):
    """No data set has this name."""


class DatasetNotFoundError(DatasetError, FileNotFoundError):
    """The data set is known, but its files are not on this machine."""


class DatasetInvalidError(DatasetError, ValueError):
    """The files are there and cannot be right: shapes that disagree, unknown label values."""


class DownloadError(DatasetError, OSError):
    """A download failed, or what came was not what should have come."""


class StrategyError(PickemError):
    """A strategy cannot pick."""


class UnknownStrategyError(StrategyError, LookupError):
    """No strategy has this name."""


class SelectionError(StrategyError, ValueError):
    """The features given to a strategy, the number of picks asked of it, or its picks make no sense."""


class CheckpointError(PickemError, ValueError):
    """A checkpoint is damaged or belongs to another network."""


class TrainingError(PickemError, ArithmeticError):
    """Training diverged: the loss is no longer a number."""


class OutOfMemoryError(PickemError, MemoryError):
    """There is not enough memory for a network where it runs."""


class StorageError(PickemError, OSError):
    """Something cannot be written where it should lie: full disk, no permission, a file in the way."""


class DiskFullError(StorageError):
    """The disk is full, or a quota used up; what was written before is kept."""


class WorkerError(PickemError, ChildProcessError):
    """A process that worked on blocks of a volume was killed."""


class RunError(PickemError):
    """A folder of benchmark runs cannot be used."""


class RunConflictError(RunError, ValueError):
    """The folder holds runs made with other settings."""


class RunLockedError(RunError, RuntimeError):
    """Another process is at work in the folder."""


class JournalError(RunError, ValueError):
    """A file of the journal is damaged or misses what it should hold."""


class NoResultsError(RunError, LookupError):
    """The folder holds no finished round."""


class BlockwiseError(PickemError):
    """Work on a whole volume cannot be done, or not all of it."""


class ClusterError(BlockwiseError, ConnectionError):
    """No scheduler answers, it has gone, or its workers cannot do this work."""


class OtherResultError(BlockwiseError, ValueError):
    """What lies at the place of a result is that of another network, volume or setting."""


class BlocksFailedError(BlockwiseError, RuntimeError):
    """Some blocks could not be done, however often they were tried; the others are done."""


class ProjectError(PickemError):
    """A person's project cannot be used."""


class ProjectNotFoundError(ProjectError, FileNotFoundError):
    """There is no project at the path."""


class ProjectExistsError(ProjectError, FileExistsError):
    """Something lies where a new project should be made."""


class ProjectDamagedError(ProjectError, ValueError):
    """The project's files are there and cannot be right."""


class ProjectVersionError(ProjectError, ValueError):
    """The project was made by a later version of pickem."""


class ProjectLockedError(ProjectError, RuntimeError):
    """Another server is at work on the project."""


class UnknownPatchError(ProjectError, LookupError):
    """The project has no patch of this number."""


class PlaceError(ProjectError, ValueError):
    """A place that was asked for is outside of the volume, kept for control patches, or masked out."""


class AnsweredError(ProjectError, ValueError):
    """A patch that was asked for has been submitted or skipped already."""


class InvalidMaskError(ProjectError, ValueError):
    """A mask of another size than its patch, or with values that are no class."""


class InvalidNameError(ProjectError, ValueError):
    """An annotator's name cannot be shown: empty, too long, or with characters that are none."""


class RevisionConflictError(ProjectError, ValueError):
    """A mask was saved on top of a revision that is no longer the newest."""


def nearest_names(name: str, known: Iterable[str]) -> str:
    """A phrase naming the known names most like `name`, for the "to do" of an error about an unknown name."""
    names = sorted(known)
    close = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"choose one of: {', '.join(names)}"
