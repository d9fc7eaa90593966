"""People are told by every block of Prefect that is meant for it: a webhook, and an e-mail server."""

import json
import socketserver

import pytest
from tests.lazy import lazy
from tests.local_server import answering, serving

tell = lazy("flows.tell")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]


@pytest.fixture
def webhook():
    """A web server that takes messages: its port, and what came."""
    with answering(lambda _: (200, None)) as (address, came):
        yield int(address.rpartition(":")[2]), came


@pytest.fixture
def mail_server():
    """A server that takes mails: its port, and the lines of what came."""
    came = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"220 here\r\n")
            for line in self.rfile:
                word = line.split()[0].upper() if line.split() else b""
                if word == b"DATA":
                    self.wfile.write(b"354 go on\r\n")
                    came.extend(iter(self.rfile.readline, b".\r\n"))
                self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                if word == b"QUIT":
                    return

    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)) as port:
        yield port, came


@pytest.fixture
def blocks():
    """Save blocks under names, and delete them after the test."""
    saved = []

    def save(block, name):
        block.save(name, overwrite=True)
        saved.append((type(block), name))

    yield save
    for kind, name in saved:
        kind.delete(name)


def test_a_webhook_and_a_mail_server_receive_the_message_and_a_block_of_others_does_not(webhook, mail_server, blocks):
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    # Given a webhook as Slack takes it, an e-mail server, one that does not answer, and a block for something else
    def hook(port):
        text = {"text": "{{subject}}: {{body}}"}
        return CustomWebhookNotificationBlock(name="hook", url=f"http://127.0.0.1:{port}/", json_data=text)

    blocks(hook(webhook[0]), "text-recognizer-slack")
    blocks(
        tell.Mail(url=f"mailto://127.0.0.1:{mail_server[0]}?from=a@example.org&to=b@example.org"),
        "text-recognizer-mail",
    )
    blocks(hook(9), "text-recognizer-gone")
    blocks(hook(webhook[0]), "other")
    # When a model is promoted, then two take the message, once each
    assert tell.tell("promoted", "v2.0.0 is in service") == 2
    assert [json.loads(body) for _, body in webhook[1]] == [{"text": "text-recognizer: promoted: v2.0.0 is in service"}]
    mail = b"".join(mail_server[1]).decode()
    assert "Subject: text-recognizer: promoted" in mail


def test_without_a_block_nobody_is_told_and_nothing_fails():
    assert tell.tell("rejected", "wer") == 0
