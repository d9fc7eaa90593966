"""A ResNet encodes a page and a Transformer decodes its text, token by token (Singh and Karayev 2021).

The parameters have the layout and the names of the FSDL lab 2022, so that weights trained there can be loaded.
`B` pages, `H W` pixels, `S` = H / 32 * W / 32 encoder positions row by row, `E` embedding, `T` tokens, `C` classes.
"""

import math
from argparse import Namespace

import torch
from torch import Tensor, nn

from text_recognizer.core.charset import END, PADDING, START
from text_recognizer.models.cached_decoder import Affine, CachedDecoder
from text_recognizer.models.network import DataConfig, Group, Network
from text_recognizer.models.sequence_decoding import Tokens, beam_search, greedy
from text_recognizer.models.transformer_util import (
    PositionalEncoding,
    PositionalEncodingImage,
    generate_square_subsequent_mask,
)

RESNET_CHANNELS = 512
CELL = 32  # px: side of the square that one position of the encoder stands for
TF_DIM = 256
TF_FC_DIM = 1024
TF_DROPOUT = 0.4
TF_LAYERS = 4
TF_NHEAD = 4
CTC_COLUMNS = 4
INITIAL_RANGE = 0.1


class ResnetTransformer(Network):
    """Read pages `(B, 1 or 3, H, W)`. A data module gives `data_config`, the command line `args`.

    The CTC head (Graves et al. 2006) is used in training only: through it the encoder learns to read before the decoder
    can use its output. The head takes every position for `ctc_columns` columns of a line; 0 leaves it out.
    """

    optional = ("ctc_head.",)  # which the lab does not have
    recomputed = ("enc_pos_encoder.pe", "dec_pos_encoder.pe", "y_mask")
    y_mask: Tensor

    def __init__(self, data_config: DataConfig, args: Namespace | None = None) -> None:
        super().__init__(data_config, args)
        ids = {token: index for index, token in enumerate(self.mapping)}
        self.start_token, self.end_token, self.padding_token = ids[START], ids[END], ids[PADDING]
        self.max_output_length: int = data_config["output_dims"][0]
        self.dim: int = self.args.get("tf_dim", TF_DIM)
        self.ctc_columns: int = self.args.get("ctc_columns", CTC_COLUMNS)
        self.beam_width: int = self.args.get("beam_width", 1)
        self.max_repeats: int = self.args.get("max_repeats", 0)
        rows, columns = (math.ceil(side / CELL) for side in self.input_dims[1:])

        self.resnet = _resnet()
        self.encoder_projection = nn.Conv2d(RESNET_CHANNELS, self.dim, kernel_size=1)
        self.enc_pos_encoder = PositionalEncodingImage(self.dim, rows, columns)
        self.embedding = nn.Embedding(self.num_classes, self.dim)
        self.fc = nn.Linear(self.dim, self.num_classes)
        self.dec_pos_encoder = PositionalEncoding(self.dim, max_len=self.max_output_length)
        mask = generate_square_subsequent_mask(self.max_output_length)
        self.register_buffer("y_mask", mask, persistent=False)
        self.transformer_decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(
                self.dim,
                self.args.get("tf_nhead", TF_NHEAD),
                self.args.get("tf_fc_dim", TF_FC_DIM),
                self.args.get("tf_dropout", TF_DROPOUT),
            ),
            self.args.get("tf_layers", TF_LAYERS),
        )
        self._initialise()
        if self.ctc_columns:
            self.ctc_head = nn.Linear(self.dim, self.ctc_columns * self.num_classes)

    def _initialise(self) -> None:
        """Make embeddings and outputs small, and scale the projection by its outputs, because it follows a ReLU."""
        nn.init.uniform_(self.embedding.weight, -INITIAL_RANGE, INITIAL_RANGE)
        nn.init.uniform_(self.fc.weight, -INITIAL_RANGE, INITIAL_RANGE)
        nn.init.zeros_(self.fc.bias)
        nn.init.kaiming_normal_(self.encoder_projection.weight, mode="fan_out", nonlinearity="relu")
        if self.encoder_projection.bias is not None:
            nn.init.zeros_(self.encoder_projection.bias)

    @property
    def tokens(self) -> Tokens:
        return Tokens(self.start_token, self.end_token, self.padding_token, self.max_output_length)

    def forward(self, x: Tensor) -> Tensor:
        """Return the tokens of each page, `(B, T)`: start, text, end, padding. The decoder runs without dropout.

        Each token costs one step, because the layers cache the earlier ones: see `CachedDecoder`.
        """
        with torch.inference_mode():
            tokens = self._decode_freely(x)
        return tokens.clone()  # a normal tensor, which autograd accepts

    def _decode_freely(self, x: Tensor) -> Tensor:
        memory = self.encode(x)
        pages = memory.shape[1]
        if self.beam_width > 1:
            decoder = StepwiseDecoder(self, memory.repeat_interleave(self.beam_width, dim=1))
            return beam_search(decoder.step, decoder.reorder, self.tokens, pages, self.beam_width, memory.device)
        return greedy(StepwiseDecoder(self, memory).step, self.tokens, pages, memory.device, self.max_repeats)

    def encode(self, x: Tensor) -> Tensor:
        """Encode pages `(B, 1 or 3, H, W)`: return the encoder's positions, row by row, `(S, B, E)`."""
        x = x.expand(-1, 3, -1, -1) if x.shape[1] == 1 else x
        x = self.resnet(x.contiguous(memory_format=torch.channels_last))  # (B, 512, H / 32, W / 32)
        x = self.enc_pos_encoder(self.encoder_projection(x))  # (B, E, H / 32, W / 32)
        return x.flatten(start_dim=2).permute(2, 0, 1)

    def decode(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the logits of the token after each of `y`, `(T, B, C)`.

        `x` (S, B, E) is the encoder's output, `y` (B, T) are tokens. All positions are computed at once, as in
        training: position t uses `y` up to t, and no padding.
        """
        hidden = torch.zeros(y.shape, dtype=x.dtype, device=y.device).masked_fill(
            y == self.padding_token, float("-inf")
        )
        embedded = self.dec_pos_encoder(self.embedding(y.T) * math.sqrt(self.dim))  # (T, B, E)
        length = y.shape[1]
        mask = self.y_mask[:length, :length].to(x.dtype)
        out = self.transformer_decoder(embedded, x, tgt_mask=mask, tgt_key_padding_mask=hidden)
        logits: Tensor = self.fc(out)
        return logits

    def ctc(self, x: Tensor) -> Tensor:
        """Return logits `(B, S * ctc_columns, C)` of the encoder's positions `(S, B, E)`, row after row of the page."""
        positions, pages, _ = x.shape
        scores: Tensor = self.ctc_head(x)  # (S, B, ctc_columns * C)
        return scores.transpose(0, 1).reshape(pages, positions * self.ctc_columns, self.num_classes)

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        parser.add_argument("--tf_dim", type=int, default=TF_DIM, help="width of the embedding; a multiple of 4")
        parser.add_argument("--tf_fc_dim", type=int, default=TF_FC_DIM, help="width inside a layer's feed-forward part")
        parser.add_argument("--tf_dropout", type=float, default=TF_DROPOUT, help="in the decoder, 0 to 1")
        parser.add_argument("--tf_layers", type=int, default=TF_LAYERS, help="layers of the decoder")
        parser.add_argument("--tf_nhead", type=int, default=TF_NHEAD, help="attention heads; must divide --tf_dim")
        parser.add_argument(
            "--ctc_columns",
            type=int,
            default=CTC_COLUMNS,
            help="columns of CTC per position of the encoder; 0 trains the decoder alone",
        )
        parser.add_argument(
            "--beam_width", type=int, default=1, help="sequences kept by the beam search; 1 decodes greedily"
        )
        parser.add_argument(
            "--max_repeats",
            type=int,
            default=0,
            help="end a text that repeats a phrase this many times in a row; 0 never; greedy decoding only",
        )
        return parser


class StepwiseDecoder:
    """The model's decoder as a function from the last token of each row to the logits of the next."""

    def __init__(self, model: ResnetTransformer, memory: Tensor) -> None:
        self.model, self.position = model, 0
        self.classify = Affine(model.fc.weight, model.fc.bias)
        self.decoder = CachedDecoder(model.transformer_decoder, memory, model.max_output_length - 1)
        self.reorder = self.decoder.reorder

    def step(self, last: Tensor) -> Tensor:
        """Return the logits `(R, C)` after tokens `(R,)`."""
        model = self.model
        embedded = model.embedding(last) * math.sqrt(model.dim) + model.dec_pos_encoder.pe[self.position]  # (R, E)
        self.position += 1
        return self.classify(self.decoder.step(embedded))


def _resnet() -> nn.Sequential:
    """Return an untrained ResNet-18 without pooling and classes, in channels last, which is faster."""
    # The import takes 5 to 10 s, and only this class needs it.
    from torchvision.models import resnet18

    network = nn.Sequential(*list(resnet18(weights=None).children())[:-2])
    return network.to(memory_format=torch.channels_last)
