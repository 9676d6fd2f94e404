"""Runs a command under mpirun on machines that are not there: network namespaces, each with one
processor's worth of this machine, joined by a wire that has a set delay and rate. Linux, root.

    python3 scripts/bench/network.py --nodes 4 --delay 0.02 --rate 12.5e6 -- build/wrun script.lua

Packets wait in this process: until those before them on the sender's line have passed at the rate,
and then for the delay.
"""
import argparse
import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import tempfile
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI, CLONE_NEWNET = 0x400454CA, 1, 0x1000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


home = open("/proc/self/ns/net")


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def make_node(name, address):
    """A namespace with a line that ends in the file this returns."""
    subprocess.run(["ip", "netns", "add", name], check=True)
    with open("/run/netns/" + name) as namespace:
        enter(namespace)
    line = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(line, TUNSETIFF, struct.pack("16sH22x", b"wire", IFF_TUN | IFF_NO_PI))
    enter(home)
    for words in (["link", "set", "lo", "up"], ["addr", "add", address + "/24", "dev", "wire"],
                  ["link", "set", "wire", "mtu", "9000", "txqueuelen", "10000", "up"]):
        subprocess.run(["ip", "-n", name] + words, check=True)
    return line


def carry(lines, delay, rate, job):
    """Carries packets between the lines until the job ends."""
    free, waiting, count = [0.0] * len(lines), [], 0
    sources = {line: i for i, line in enumerate(lines)}
    while job.poll() is None:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, target, packet = heapq.heappop(waiting)
            os.write(lines[target], packet)
        wait = min(waiting[0][0] - now, 0.1) if waiting else 0.1
        for line in select.select(lines, [], [], wait)[0]:
            source = sources[line]
            for _ in range(64):
                try:
                    packet = os.read(line, 65536)
                except BlockingIOError:
                    break
                target = packet[19] - 1  # the last byte of the address, 10.77.0.N
                if packet[0] >> 4 != 4 or not 0 <= target < len(lines):
                    continue
                free[source] = max(free[source], time.monotonic()) + len(packet) / rate
                count += 1
                heapq.heappush(waiting, (free[source] + delay, count, target, packet))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--delay", type=float, default=0.001, help="seconds")
    parser.add_argument("--rate", type=float, default=125e6, help="bytes a second")
    parser.add_argument("command", nargs="+")
    args = parser.parse_args()
    prefix = "wire%d-" % os.getpid()
    names = [prefix + str(i + 1) for i in range(args.nodes)]
    addresses = ["10.77.0.%d" % (i + 1) for i in range(args.nodes)]
    agent = tempfile.NamedTemporaryFile("w", suffix=".sh", delete=False)
    agent.write('#!/bin/sh\nname=%s${1##*.}\nshift\nexec ip netns exec "$name" sh -c "$*"\n' % prefix)
    agent.close()
    os.chmod(agent.name, 0o700)
    lines = []
    try:
        for name, address in zip(names, addresses):
            lines.append(make_node(name, address))
        network = "10.77.0.0/24"
        job = subprocess.Popen(
            ["ip", "netns", "exec", names[0], "mpirun", "--allow-run-as-root", "-n", str(args.nodes), "--bind-to", "none",
             "--host", ",".join(a + ":1" for a in addresses),
             "--mca", "plm_rsh_agent", agent.name, "--mca", "btl", "tcp,self",
             "--mca", "btl_tcp_if_include", network, "--mca", "oob_tcp_if_include", network,
             "--mca", "mpi_yield_when_idle", "1"] + args.command)
        carry(lines, args.delay, args.rate, job)
        return job.returncode
    finally:
        os.unlink(agent.name)
        for name in names:
            subprocess.run(["ip", "netns", "del", name], stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    raise SystemExit(main())
