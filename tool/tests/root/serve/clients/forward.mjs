// Forwards local ports to a pod by the JavaScript client: forward.mjs MODULES KUBECONFIG NAMESPACE POD PORT...
//
// Each connection has a WebSocket of its own: the client takes one port at a time. Prints kubectl's line
// for each local port, and `error: TEXT` on stderr.

import { createRequire } from 'node:module';
import net from 'node:net';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';

const [modules, kubeconfig, namespace, pod, ...ports] = process.argv.slice(2);
const entry = createRequire(`${modules}/`).resolve('@kubernetes/client-node');
const { KubeConfig, PortForward } = await import(pathToFileURL(entry));
const config = new KubeConfig();
config.loadFromFile(kubeconfig);

const say = (text) => console.error(`error: ${text}`);

/** The error channel. Its first message is the port, which the client leaves empty. */
const errors = () =>
    new Writable({
        write(text, _, done) {
            if (text.length > 0) say(text);
            done();
        },
    });

async function carry(local, port) {
    // The connection's own end shows it.
    local.on('error', () => {});
    try {
        const forward = new PortForward(config);
        const socket = await forward.portForward(namespace, pod, [port], local, errors(), local);
        socket.onclose = () => local.destroySoon();
        local.on('close', () => socket.close());
        local.resume();
    } catch (error) {
        say(error.message ?? error);
        local.destroy();
    }
}

for (const port of ports) {
    const server = net.createServer({ pauseOnConnect: true }, (local) => carry(local, port));
    server.listen(0, '127.0.0.1', () => {
        console.log(`Forwarding from 127.0.0.1:${server.address().port} -> ${port}`);
    });
}
