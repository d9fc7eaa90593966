"""What the lab's models share: they are made from a data module's `config()` and from command-line arguments."""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from torch import Tensor, nn

from text_recognizer.errors import ModelError


class DataConfig(Protocol):
    """`input_dims` (channels, H, W), `output_dims` (T, 1), `mapping`: the token that each id stands for."""

    def __getitem__(self, key: str, /) -> Any: ...  # noqa: ANN401


class Group(Protocol):
    """Where arguments are added: a parser of argparse, or a group of one."""

    def add_argument(self, *names: str, **settings: Any) -> Any: ...  # noqa: ANN401


class Network(nn.Module):
    """Keeps `data_config`, and `args` as a dict; loading weights that do not fit raises ModelError."""

    # Parameters that a file of weights may lack: they then stay as they are.
    optional: tuple[str, ...] = ()
    # Entries that older files hold and that the model remakes.
    remade: tuple[str, ...] = ()

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

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = True, assign: bool = False) -> Any:  # noqa: ANN401
        """As torch's, with every name that does not fit in the message. `strict=False` still refuses wrong shapes."""
        given = {name: value for name, value in state_dict.items() if name not in self.remade}
        own = self.state_dict()
        if problems := misfits(own, given, self.optional if strict else tuple(own), strict):
            raise ModelError(
                f"the weights do not fit {type(self).__name__}:\n  " + "\n  ".join(problems),
                "load weights of this class, made with the same arguments and the same mapping",
            )
        return super().load_state_dict(given, strict=False, assign=assign)


def misfits(
    own: Mapping[str, Tensor], given: Mapping[str, Tensor], optional: tuple[str, ...] = (), strict: bool = True
) -> list[str]:
    """What is missing, what is of another shape, what the model does not have; in its own order."""
    missing = [f"{name}: missing" for name in own if name not in given and not name.startswith(optional)]
    shapes = [
        f"{name}: {tuple(given[name].shape)} in the file, {tuple(value.shape)} in the model"
        for name, value in own.items()
        if name in given and given[name].shape != value.shape
    ]
    unknown = [f"{name}: unknown" for name in given if name not in own] if strict else []
    return missing + shapes + unknown
