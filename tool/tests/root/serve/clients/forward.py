"""Forwards local ports to a pod by the Python client: forward.py KUBECONFIG NAMESPACE POD [--together] PORT...

Each connection has a WebSocket of its own. With --together, one WebSocket has all ports, and each port
takes one connection. Prints kubectl's line for each local port, and `error: TEXT` on stderr.
"""

import socket
import sys
import threading

from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import portforward

kubeconfig, namespace, pod, *ports = sys.argv[1:]
together = ports[0] == "--together"
ports = [int(port) for port in ports[together:]]
config.load_kube_config(kubeconfig)


def open_forward(ports):
    # While the library opens a WebSocket, it changes the client that it was given.
    api = client.CoreV1Api(client.ApiClient())
    ports = ",".join(map(str, ports))
    return portforward(api.connect_get_namespaced_pod_portforward, pod, namespace, ports=ports)


def say(text):
    print("error:", text, file=sys.stderr, flush=True)


def copy(source, sink, after):
    """Copies up to the end, also if that is an abort. The library takes it for the end of both directions."""
    try:
        while data := source.recv(1 << 20):
            sink.sendall(data)
    except OSError:
        pass
    for end in source, sink:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    after()


def carry(local, forward, port):
    remote = forward.socket(port)

    def ended():
        error = forward.error(port)
        if error:
            say(error)

    threading.Thread(target=copy, args=(local, remote, lambda: None), daemon=True).start()
    copy(remote, local, ended)
    local.close()


def forward_one(local, port):
    try:
        carry(local, open_forward([port]), port)
    except ApiException as error:
        say(error.reason)
        local.close()


def serve(listener, port):
    while True:
        local, _ = listener.accept()
        threading.Thread(target=forward_one, args=(local, port), daemon=True).start()


forward = open_forward(ports) if together else None
threads = []
for port in ports:
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(f"Forwarding from 127.0.0.1:{listener.getsockname()[1]} -> {port}", flush=True)
    if together:
        args = (lambda listener, port: carry(listener.accept()[0], forward, port)), (listener, port)
    else:
        args = serve, (listener, port)
    threads.append(threading.Thread(target=args[0], args=args[1], daemon=True))
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
threading.Event().wait()
