"""What the tests of the training modules share."""

import pytest
import torch


@pytest.fixture(autouse=True)
def one_thread():
    """Work this small is slower on more threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
