// One stream for all tabs: a browser opens six connections to a host, and each stream keeps one.
const ports = new Set();
let source = null;
let last = { up: false, texts: null };

function tell(message) {
  last = { ...last, ...message };
  for (const port of ports) port.postMessage(last);
}

function open() {
  source = new EventSource(self.name);
  source.onopen = () => tell({ up: true });
  source.onerror = () => tell({ up: false });
  source.addEventListener("syncs", (event) => tell({ up: true, texts: JSON.parse(event.data) }));
}

self.onconnect = (event) => {
  const port = event.ports[0];
  ports.add(port);
  port.onmessage = () => {
    ports.delete(port);
    if (ports.size === 0 && source) {
      source.close();
      source = null;
    }
  };
  if (!source || source.readyState === EventSource.CLOSED) open();
  port.postMessage(last);
};
