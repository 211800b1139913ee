"""Runs inside a session: connects to SOCKET for everyone who connects to LISTEN, and passes bytes on.

A third argument "orphan" makes each connection that of an orphan in a session of its own without an environment.
"""

import os
import socket
import sys
import threading


def pump(source, sink):
    try:
        while piece := source.recv(65536):
            sink.sendall(piece)
    except OSError:
        pass
    try:
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client, target):
    host = socket.socket(socket.AF_UNIX)
    host.connect(target)
    back = threading.Thread(target=pump, args=(host, client))
    back.start()
    pump(client, host)
    host.close()
    back.join()
    os._exit(0)


def main():
    target, listen, *orphan = sys.argv[1:]
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(listen + ".new")
    listener.listen(64)
    os.rename(listen + ".new", listen)
    while True:
        client, _ = listener.accept()
        if os.fork() == 0:
            if orphan:
                os.setsid()
                if os.fork() != 0:
                    os._exit(0)
            serve(client, target)
        client.close()


main()
