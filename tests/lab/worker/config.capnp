# The lab's Worker for `workerd serve`. worker.py puts index.js beside a copy of this file.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    # Stands for vpc_networks with cf1:network: the URL decides host and port. What carries the
    # packets from here to the gateway is the network namespace that workerd runs in.
    (name = "mesh", network = (allow = ["private", "2001:db8::/32"])),
  ],
  # The kernel chooses the port; --control-fd tells it.
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [(name = "index.js", esModule = embed "index.js")],
  compatibilityDate = "2026-10-01",
  bindings = [
    (name = "MESH", service = "mesh"),
    (name = "TOKEN", text = "lab"),
    (name = "GATEWAYS", fromEnvironment = "GATEWAYS"),
  ],
);
