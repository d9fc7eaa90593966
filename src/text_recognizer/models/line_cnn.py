"""Networks that read lines by windows: a character network that slides along the line, and a convolutional one.

Lines `(B, channels, H, W)` become logits `(B, C, S)`, a vector per window: S = (W - window_width) / window_stride + 1.
"""

from argparse import Namespace

from torch import Tensor, nn

from text_recognizer.core.errors import ModelError
from text_recognizer.models.cnn import CNN, ConvBlock
from text_recognizer.models.network import DataConfig, Group, Network

CONV_DIM = 32
FC_DIM = 512
FC_DROPOUT = 0.2
WINDOW_WIDTH = 16
WINDOW_STRIDE = 8
SHRINK = 8  # factor by which the convolutions reduce height and width before the one over whole windows


class LineNetwork(Network):
    """The base of both: the window, and the option to cut the output to the length of the labels."""

    default_width = WINDOW_WIDTH
    default_stride = WINDOW_STRIDE

    def __init__(self, data_config: DataConfig, args: Namespace | None = None) -> None:
        super().__init__(data_config, args)
        self.window_width: int = self.args.get("window_width", self.default_width)
        self.window_stride: int = self.args.get("window_stride", self.default_stride)
        self.limit_output_length: bool = self.args.get("limit_output_length", False)
        self.output_length: int = data_config["output_dims"][0]

    def _limited(self, logits: Tensor) -> Tensor:
        return logits[:, :, : self.output_length] if self.limit_output_length else logits

    @classmethod
    def add_window_to_argparse(cls, parser: Group) -> None:
        width, stride = cls.default_width, cls.default_stride
        parser.add_argument("--window_width", type=int, default=width, help="width of a window in px")
        parser.add_argument("--window_stride", type=int, default=stride, help="px from one window to the next")
        parser.add_argument(
            "--limit_output_length", action="store_true", help="drop the windows beyond the length of the labels"
        )


class LineCNNSimple(LineNetwork):
    """Slide a CNN for characters along the line. It works if the characters are separate, as in EMNISTLines.

    All windows go through the network in one batch.
    """

    default_width = default_stride = 28

    def __init__(self, data_config: DataConfig, args: Namespace | None = None) -> None:
        super().__init__(data_config, args)
        self.cnn = CNN(data_config, args, size=(self.input_dims[1], self.window_width))

    def forward(self, x: Tensor) -> Tensor:
        pages, channels, height, width = x.shape
        if width < self.window_width:
            raise ModelError(f"a line of {width} px is narrower than a window", "lower --window_width")
        windows = x.unfold(3, self.window_width, self.window_stride)  # (B, channels, H, S, window_width)
        count = windows.shape[3]
        windows = windows.permute(0, 3, 1, 2, 4).reshape(pages * count, channels, height, self.window_width)
        logits = self.cnn(windows).view(pages, count, self.num_classes)
        return self._limited(logits.transpose(1, 2))

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        CNN.add_to_argparse(parser)
        LineCNNSimple.add_window_to_argparse(parser)
        return parser


class LineCNN(LineNetwork):
    """A fully convolutional network: overlapping windows share their work. Height and window are multiples of 8."""

    def __init__(self, data_config: DataConfig, args: Namespace | None = None) -> None:
        super().__init__(data_config, args)
        channels, height, _ = self.input_dims
        sizes = {"height": height, "--window_width": self.window_width, "--window_stride": self.window_stride}
        if wrong := [f"{name} {size}" for name, size in sizes.items() if size < SHRINK or size % SHRINK]:
            raise ModelError(f"LineCNN cannot take {', '.join(wrong)}", f"choose multiples of {SHRINK}")
        dim, fc_dim = self.args.get("conv_dim", CONV_DIM), self.args.get("fc_dim", FC_DIM)
        self.convs = nn.Sequential(
            ConvBlock(channels, dim),
            ConvBlock(dim, dim),
            ConvBlock(dim, dim, stride=2),
            ConvBlock(dim, dim),
            ConvBlock(dim, 2 * dim, stride=2),
            ConvBlock(2 * dim, 2 * dim),
            ConvBlock(2 * dim, 4 * dim, stride=2),
            ConvBlock(4 * dim, 4 * dim),
            # The whole height, and the width of one window
            ConvBlock(
                4 * dim,
                fc_dim,
                kernel_size=(height // SHRINK, self.window_width // SHRINK),
                stride=(height // SHRINK, self.window_stride // SHRINK),
                padding=0,
            ),
        )
        self.fc1 = nn.Linear(fc_dim, fc_dim)
        self.dropout = nn.Dropout(self.args.get("fc_dropout", FC_DROPOUT))
        self.fc2 = nn.Linear(fc_dim, self.num_classes)
        self._initialise()

    def _initialise(self) -> None:
        """Scale the weights by the outputs of each layer (He et al. 2015): torch's default fades in a deep stack."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        windows = self.convs(x)[:, :, 0].transpose(1, 2)  # (B, S, fc_dim)
        logits: Tensor = self.fc2(self.dropout(self.fc1(windows).relu()))
        return self._limited(logits.transpose(1, 2))

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        parser.add_argument("--conv_dim", type=int, default=CONV_DIM, help="feature maps of the first convolutions")
        parser.add_argument("--fc_dim", type=int, default=FC_DIM, help="width of the hidden layer")
        parser.add_argument("--fc_dropout", type=float, default=FC_DROPOUT, help="share of features dropped")
        LineCNN.add_window_to_argparse(parser)
        return parser
