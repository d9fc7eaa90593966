"""No tool of the pipeline reaches for the network: not one packet, and not one name looked up."""

import re
import subprocess
import sys

import pytest
from tests.end_to_end.conftest import NAMESPACE, namespace_permitted

pytestmark = pytest.mark.slow
# onnxruntime sends its usage data some seconds after it has opened a graph, so a short run shows nothing.
READS = """
import time
from text_recognizer.pages.line_finding import LineFinder
LineFinder.load(threads=1)
time.sleep(12)
"""
# A variable of its environment, and whether the program is then silent.
VARIABLES = {"": True, "ORT_DISABLE_TELEMETRY=0": False}
TRIES = "import socket; s = socket.socket(); s.settimeout(5); s.connect_ex(('192.0.2.1', 80))"


def reached_for(counters: str) -> dict[str, int]:
    """Packets without a route, and datagrams (names to look up) to a port where nobody listens."""
    counted = {name: int(value) for name, value in re.findall(r"^(\w+)\s+(\d+)$", counters, re.MULTILINE)}
    rows = [line.split() for line in counters.splitlines() if re.match(r"\w+: ", line)]
    for names, values in zip(rows[::2], rows[1::2], strict=True):
        counted |= {names[0] + name: int(value) for name, value in zip(names[1:], values[1:], strict=True)}
    return {name: counted.get(name, 0) for name in ("Ip:OutNoRoutes", "Udp:NoPorts", "Ip6OutNoRoutes", "Udp6NoPorts")}


def test_the_whole_flow_reaches_for_nothing_beyond_loopback(reference):
    if not reference.counters:
        pytest.skip("this user may not make a network namespace, so the flow ran with a network")
    assert reference.flow.status == 0
    assert set(reached_for(reference.counters.read_text(encoding="utf-8")).values()) == {0}


def test_one_that_does_is_caught(reference):
    if not reference.counters:
        pytest.skip("this user may not make a network namespace")
    script = f'ip link set lo up && "{sys.executable}" -c "{TRIES}"; cat /proc/self/net/snmp /proc/self/net/snmp6'
    done = reference.project.run("unshare", "--map-root-user", "--net", "sh", "-c", script)
    assert reached_for(done.said)["Ip:OutNoRoutes"] == 1


@pytest.fixture(scope="module")
def reading(tmp_path_factory):
    """What a program that reads reached for, with each of the VARIABLES. The programs run at the same time."""
    if not namespace_permitted():
        pytest.skip("this user may not make a network namespace")
    program = tmp_path_factory.mktemp("reading") / "reads.py"
    program.write_text(READS)
    # An empty environment, since onnxruntime sends nothing where a variable such as CI tells of a build server.
    script = f'ip link set lo up && env -i {{}} "{sys.executable}" {program}; cat /proc/self/net/snmp*'
    started = {
        variable: subprocess.Popen([*NAMESPACE, script.format(variable)], stdout=subprocess.PIPE, text=True)
        for variable in VARIABLES
    }
    said = {variable: process.communicate()[0] for variable, process in started.items()}
    assert [process.returncode for process in started.values()] == [0, 0]
    return {variable: reached_for(counters) for variable, counters in said.items()}


@pytest.mark.parametrize(("variable", "silent"), VARIABLES.items())
def test_a_program_that_reads_sends_no_usage_data_unless_it_asks_for_that(reading, variable, silent):
    assert (set(reading[variable].values()) == {0}) is silent
