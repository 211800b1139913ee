"""What a script inside a session tries against AreYouJ. Writes the outcome of each attempt as JSON: `ok`, or an error code."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

PLAN = json.load(open(os.path.join(os.path.dirname(os.path.abspath(__file__)), sys.argv[1])))
PROGRAM, HOME, SOCKET = PLAN["program"], PLAN["home"], PLAN["socket"]
OUTCOMES = {}


def areyouj(arguments, environment=None):
    """Runs a command; returns `ok` or the code of its error, and what it printed."""
    run = subprocess.run([PROGRAM, "--json", *arguments], capture_output=True, text=True, env=environment, timeout=60)
    if run.returncode == 0:
        return "ok", run.stdout
    try:
        return json.loads(run.stderr.splitlines()[-1])["error"]["code"], run.stderr
    except (IndexError, ValueError, KeyError):
        return f"exit {run.returncode}", run.stderr


def framed(message):
    body = json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


def read_message(stream):
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return json.loads(stream.read(length))


def answer_to(stream, number):
    while True:
        message = read_message(stream)
        if message.get("id") == number and "method" not in message:
            return message.get("error", {}).get("data", {}).get("code", "ok")


def request(number, method, params):
    return framed({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def raw(method, params):
    """The outcome of a request on the daemon's socket, by a client that claims to be an editor."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(SOCKET)
        stream = connection.makefile("rb")
        connection.sendall(request(0, "initialize", {"clientInfo": {"name": "Visual Studio Code"}}))
        answer_to(stream, 0)
        connection.sendall(request(1, method, params))
        return answer_to(stream, 1)


def sidecar(method, params):
    """The outcome of a request through `areyouj lsp`."""
    lsp = subprocess.Popen([PROGRAM, "lsp"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    lsp.stdin.write(request(0, "initialize", {"processId": None, "rootUri": None, "capabilities": {}}))
    lsp.stdin.write(framed({"jsonrpc": "2.0", "method": "initialized", "params": {}}))
    lsp.stdin.write(request(1, method, params))
    lsp.stdin.flush()
    outcome = answer_to(lsp.stdout, 1)
    lsp.kill()
    lsp.wait()
    return outcome


def save():
    with open(PLAN["outcomes"], "w") as pipe:
        json.dump(OUTCOMES, pipe)


def become_orphan():
    """Leaves the parent, the process group and the terminal."""
    if os.fork():
        sys.exit(0)
    os.setsid()
    if os.fork():
        os._exit(0)
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)


if PLAN.get("orphan"):
    become_orphan()
if "wait_for" in PLAN:
    while not os.path.exists(PLAN["wait_for"]):
        time.sleep(0.05)
if "kill" in PLAN:
    # The host, and with it the proof of ancestry. The daemon then kills what has the session's variable.
    os.kill(PLAN["kill"], signal.SIGKILL)
    while os.path.exists(f"/proc/{PLAN['kill']}"):
        time.sleep(0.05)
BARE = {"AREYOUJ_HOME": HOME, "PATH": "/usr/bin:/bin"}
for name, arguments in PLAN.get("commands", {}).items():
    OUTCOMES[name] = areyouj(arguments, BARE if PLAN.get("bare") else None)[0]
for name, (variables, arguments) in PLAN.get("with", {}).items():
    OUTCOMES[name] = areyouj(arguments, {**(BARE if PLAN.get("bare") else os.environ), **variables})[0]
for name, (method, params) in PLAN.get("raw", {}).items():
    OUTCOMES[name] = raw(method, params)
for name, (method, params) in PLAN.get("sidecar", {}).items():
    OUTCOMES[name] = sidecar(method, params)
if PLAN.get("list"):
    OUTCOMES["list"] = json.loads(areyouj(["ls", "--all"], BARE if PLAN.get("bare") else None)[1])
save()
