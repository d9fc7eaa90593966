"""The keys of n-grams: the classes of up to nine characters in one 64-bit number."""

import numpy as np

from text_recognizer.core.charset import BLANK_ID, CHARSET, INDEX

BITS = 7  # an id fits, and nine of them fit one 64-bit key
MAX_ORDER = 8
DIGITS = tuple(INDEX[digit] for digit in "0123456789")
DIGIT = DIGITS[0]
CLASS_OF = np.arange(len(CHARSET))  # the class of each character: itself, or DIGIT
CLASS_OF[list(DIGITS)] = DIGIT
# The CTC blank never occurs in a text, so its id is free. In a context it marks the start of the text. As the last id
# of an n-gram it stands for all pruned n-grams of that context.
TEXT_START = PRUNED = BLANK_ID
# Fills the front of a context that is too short. No n-gram holds it, so the shorter context decides.
NO_CHARACTER = (1 << BITS) - 1
