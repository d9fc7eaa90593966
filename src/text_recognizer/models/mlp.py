"""A perceptron of two hidden layers, for single characters."""

import math
from argparse import Namespace

from torch import Tensor, nn

from text_recognizer.models.network import DataConfig, Group, Network

FC1_DIM = 1024
FC2_DIM = 128
FC_DROPOUT = 0.5


class MLP(Network):
    """Classify pictures of `input_dims`, `(B, ...)`: logits `(B, C)`."""

    def __init__(self, data_config: DataConfig, args: Namespace | None = None) -> None:
        super().__init__(data_config, args)
        first, second = self.args.get("fc1", FC1_DIM), self.args.get("fc2", FC2_DIM)
        self.fc1 = nn.Linear(math.prod(self.input_dims), first)
        self.fc2 = nn.Linear(first, second)
        self.fc3 = nn.Linear(second, self.num_classes)
        self.dropout = nn.Dropout(self.args.get("fc_dropout", FC_DROPOUT))

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(self.fc1(x.flatten(start_dim=1)).relu())
        x = self.dropout(self.fc2(x).relu())
        logits: Tensor = self.fc3(x)
        return logits

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        parser.add_argument("--fc1", type=int, default=FC1_DIM, help="width of the first hidden layer")
        parser.add_argument("--fc2", type=int, default=FC2_DIM, help="width of the second hidden layer")
        parser.add_argument("--fc_dropout", type=float, default=FC_DROPOUT, help="share of features dropped")
        return parser
