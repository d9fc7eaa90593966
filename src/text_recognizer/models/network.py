"""What the networks share: weights that do not fit are refused by name, and the lab's way to make a model."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from text_recognizer.core.errors import ModelError


class DataConfig(Protocol):
    """`input_dims` (channels, H, W), `output_dims` (T, 1), `mapping`: the token that each id stands for."""

    def __getitem__(self, key: str, /) -> Any: ...  # noqa: ANN401


class Group(Protocol):
    """A parser of argparse, or a group of one."""

    def add_argument(self, *names: str, **settings: Any) -> Any: ...  # noqa: ANN401


class CheckedModule(nn.Module):
    """A module that raises ModelError, naming every parameter at fault, if weights do not fit it."""

    # Parameters that a file of weights may lack: they keep their values.
    optional: tuple[str, ...] = ()
    # Entries that older files hold and that the model computes itself.
    recomputed: tuple[str, ...] = ()

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> Any:  # noqa: ANN401
        """Load weights as torch does. `strict=False` still refuses wrong shapes."""
        given = self.converted(state_dict)
        if problems := self.misfits(given, strict):
            raise ModelError(
                f"the weights do not fit {type(self).__name__}:\n  " + "\n  ".join(problems),
                "load weights of this class, made with the same arguments and the same charset",
            )
        return super().load_state_dict(given, strict=False, assign=assign)

    def converted(self, state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the weights of a file in the form that this model has."""
        return {name: value for name, value in state_dict.items() if name not in self.recomputed}

    def misfits(self, given: Mapping[str, Tensor], strict: bool = True) -> list[str]:
        """Name what is missing, what has another shape, and what the model does not have, in that order."""
        own = self.state_dict()
        missing = [f"{name}: missing" for name in own if name not in given and not name.startswith(self.optional)]
        shapes = [
            f"{name}: {tuple(given[name].shape)} in the file, {tuple(value.shape)} in the model"
            for name, value in own.items()
            if name in given and given[name].shape != value.shape
        ]
        unknown = [f"{name}: unknown" for name in given if name not in own]
        return missing + shapes + unknown if strict else shapes


class Network(CheckedModule):
    """A model that is made from a data module's `config()` and command-line arguments, as in the lab."""

    def __init__(self, data_config: DataConfig, args: Namespace | None = None) -> None:
        super().__init__()
        self.data_config = data_config
        self.args: dict[str, Any] = vars(args) if args is not None else {}
        self.mapping: Sequence[str] = data_config["mapping"]
        self.num_classes = len(self.mapping)
        self.input_dims: tuple[int, ...] = tuple(data_config["input_dims"])

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        return parser
