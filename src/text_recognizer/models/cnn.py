"""A LeNet-like network (LeCun et al. 1998) for single characters, and the block that the line networks share."""

from argparse import Namespace

from torch import Tensor, nn

from text_recognizer.core.errors import ModelError
from text_recognizer.models.network import DataConfig, Group, Network

CONV_DIM = 64
FC_DIM = 128
FC_DROPOUT = 0.25
Pair = int | tuple[int, int]


class ConvBlock(nn.Module):
    """A convolution and a ReLU. The defaults, 3x3 with padding, keep the size."""

    def __init__(self, inputs: int, outputs: int, kernel_size: Pair = 3, stride: Pair = 1, padding: Pair = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel_size, stride, padding)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x).relu()
        return out


class CNN(Network):
    """Classify pictures `(B, channels, H, W)` of the size of `input_dims`: logits `(B, C)`.

    `size` (H, W) replaces the height and width in `data_config`, for example by those of a window on a line.
    """

    def __init__(
        self, data_config: DataConfig, args: Namespace | None = None, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(data_config, args)
        channels, *full = self.input_dims
        self.size = size or (full[0], full[1])
        conv_dim, fc_dim = self.args.get("conv_dim", CONV_DIM), self.args.get("fc_dim", FC_DIM)
        self.conv1 = ConvBlock(channels, conv_dim)
        self.conv2 = ConvBlock(conv_dim, conv_dim)
        self.max_pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout(self.args.get("fc_dropout", FC_DROPOUT))
        self.fc1 = nn.Linear(conv_dim * (self.size[0] // 2) * (self.size[1] // 2), fc_dim)
        self.fc2 = nn.Linear(fc_dim, self.num_classes)

    def forward(self, x: Tensor) -> Tensor:
        if tuple(x.shape[2:]) != self.size:
            raise ModelError(
                f"pictures of {tuple(x.shape[2:])}, but this {type(self).__name__} is made for {self.size}",
                "make the model from the config() of its data",
            )
        x = self.dropout(self.max_pool(self.conv2(self.conv1(x))))  # (B, conv_dim, H / 2, W / 2)
        x = self.fc1(x.flatten(start_dim=1)).relu()
        logits: Tensor = self.fc2(x)
        return logits

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        parser.add_argument("--conv_dim", type=int, default=CONV_DIM, help="feature maps of the convolutions")
        parser.add_argument("--fc_dim", type=int, default=FC_DIM, help="width of the hidden layer")
        parser.add_argument("--fc_dropout", type=float, default=FC_DROPOUT, help="share of features dropped")
        return parser
