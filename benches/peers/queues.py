"""Jobs a second of huey, litequeue, effectum and ours: each one put in, taken and ended before the next.

    queues.py ROUNDS EFFECTUM OUR BENCH...

All by their own functions, in turn on the disk of the temporary folder, with each durability that they can be
given. A round is the middle one of its blocks, for ours as for the peers; effectum has one block a round. What a commit that waits for the disk
takes depends on who else writes: hence the best of all rounds.
"""

import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

import huey
import litequeue

PAYLOAD = "x" * 60
# Blocks of a round, half of them before ours and half after.
BLOCKS = 20
# So many jobs first, without waiting for the disk: from then on the log is not lengthened but written anew.
BEFORE = 1_000


class Huey:
    """Keeps no trace of a job that has ended but its result, and none of one that is at work.

    It leaves `synchronous` as SQLite has it, FULL, or turns it off; NORMAL is set here on its connection."""

    def __init__(self, path, level, result):
        self.queue = huey.SqliteHuey(filename=str(path))
        self.task = self.queue.task()(lambda payload: 2 if result else None)
        warm_up(self, self.queue.storage.conn, level)

    def job(self):
        self.task(PAYLOAD)
        self.queue.execute(self.queue.dequeue())


class Lite:
    """Keeps a row for each job with its times, an index on its id and one on its state."""

    def __init__(self, path, level):
        self.queue = litequeue.LiteQueue(str(path))
        warm_up(self, self.queue.conn, level)

    def job(self):
        self.queue.put(PAYLOAD)
        self.queue.done(self.queue.pop().message_id)


def warm_up(queue, connection, level):
    connection.execute("PRAGMA synchronous = OFF")
    for _ in range(BEFORE):
        queue.job()
    connection.execute(f"PRAGMA synchronous = {level}")


def in_turn(queues, blocks):
    """Half a round: blocks of jobs of each; into `blocks` go jobs a second and microseconds of processor."""
    for _ in range(BLOCKS // 2):
        for name, (queue, jobs) in queues.items():
            began, before = time.perf_counter(), time.thread_time()
            for _ in range(jobs):
                queue.job()
            wall, cpu = time.perf_counter() - began, time.thread_time() - before
            blocks.setdefault(name, []).append((jobs / wall, cpu / jobs * 1e6))


def told(command, took):
    """What another program says of its jobs a second, and ours of the processor that a job takes."""
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in said.splitlines():
        if rate := re.match(r"(.*?):? +(\d+) jobs/s", line):
            name = rate[1]
            took.setdefault(name, []).append((float(rate[2]), None))
        elif cpu := re.search(r"processor of a job.*? ([\d.]+) us", line):
            took[name][-1] = took[name][-1][0], float(cpu[1])


def main():
    rounds, effectum, ours = int(sys.argv[1]), sys.argv[2:3], sys.argv[3:]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        queues = {}
        for level, jobs in [("FULL", 100), ("NORMAL", 1_000), ("OFF", 1_000)]:
            queues[f"huey, with a result, {level}"] = Huey(folder / f"r{level}", level, True), jobs
            queues[f"huey, without one, {level}"] = Huey(folder / f"n{level}", level, False), jobs
            queues[f"litequeue, {level}"] = Lite(folder / f"l{level}", level), jobs
        took = {}
        for _ in range(rounds):
            blocks = {}
            in_turn(queues, blocks)
            told(ours, took)
            in_turn(queues, blocks)
            told(effectum, took)
            for name, each in blocks.items():
                rate, cpu = map(statistics.median, zip(*each))
                took.setdefault(name, []).append((rate, cpu))
    print("queue | jobs/s, best of all rounds | median | processor, us, least")
    for name, times in took.items():
        rates = sorted(rate for rate, _ in times)
        cpu = min((f"{cpu:.0f}" for _, cpu in times if cpu), key=int, default="–")
        print(f"{name} | {rates[-1]:,.0f} | {statistics.median(rates):,.0f} | {cpu}")


main()
