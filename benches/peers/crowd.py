"""Jobs a second of huey and litequeue where clients put jobs in while a worker takes and ends them, beside ours.

    crowd.py ROUNDS OUR BENCH...

As they are used: clients and worker are processes of their own on one database (the web service's and the
consumer's). A client of theirs puts in one job after the other; one of ours waits for the end of each, since it
has one at a time. Ours are threads of one process, as in the server, and the worker is told of a new job, where
theirs looks again and again. effectum works within one process alone: what it does so is in queues.py.
"""

import multiprocessing
import re
import statistics
import subprocess
import sys
import tempfile
import time

import huey
import litequeue

PAYLOAD = "x" * 60
# Jobs before anything is timed, without waiting for the disk: from then on the log is not lengthened but written anew.
BEFORE = 1_000
# Seconds that a process waits for the database, or the others for it, before they give up; none should.
PATIENCE = 60


class Huey:
    def __init__(self, path, result):
        self.queue = huey.SqliteHuey(filename=path, timeout=PATIENCE)
        self.task = self.queue.task(name="job")(lambda payload: 2 if result else None)

    def connection(self):
        return self.queue.storage.conn

    def put(self):
        self.task(PAYLOAD)

    def take(self):
        """Whether there was a job to take and end."""
        if task := self.queue.dequeue():
            self.queue.execute(task)
        return task is not None


class Lite:
    def __init__(self, path):
        self.queue = litequeue.LiteQueue(path)
        self.connection().execute(f"PRAGMA busy_timeout = {PATIENCE * 1_000}")

    def connection(self):
        return self.queue.conn

    def put(self):
        self.queue.put(PAYLOAD)

    def take(self):
        if message := self.queue.pop():
            self.queue.done(message.message_id)
        return message is not None


def set_durability(queue, level):
    queue.connection().execute(f"PRAGMA synchronous = {level}")


def client(make, level, jobs, begin):
    begin.wait(PATIENCE)
    queue = make()
    set_durability(queue, level)
    begin.wait(PATIENCE)
    for _ in range(jobs):
        queue.put()


def worker(make, level, jobs, begin, ended):
    """Its connection stays open, and with it the log as long as it gets."""
    queue = make()
    set_durability(queue, "OFF")
    for _ in range(BEFORE):
        queue.put()
        queue.take()
    set_durability(queue, level)
    begin.wait(PATIENCE)
    begin.wait(PATIENCE)
    while jobs:
        if queue.take():
            jobs -= 1
        else:
            time.sleep(0.0005)
    ended.value = time.perf_counter()


def rate(make, level, clients, jobs):
    """Jobs a second, from the first put in to the last ended."""
    begin, ended = multiprocessing.Barrier(clients + 2), multiprocessing.Value("d", 0)
    each = jobs // clients
    putting = [multiprocessing.Process(target=client, args=(make, level, each, begin)) for _ in range(clients)]
    taking = multiprocessing.Process(target=worker, args=(make, level, each * clients, begin, ended))
    for part in [*putting, taking]:
        part.daemon = True
        part.start()
    begin.wait(PATIENCE)  # The worker has made the tables.
    begin.wait(PATIENCE)
    began = time.perf_counter()
    for part in [*putting, taking]:
        part.join(PATIENCE)
        assert part.exitcode == 0, "one of them gave up"
    return each * clients / (ended.value - began)


def main():
    rounds, ours = int(sys.argv[1]), sys.argv[2:]
    peers = {
        "huey, with a result": lambda path: Huey(path, True),
        "huey, without one": lambda path: Huey(path, False),
        "litequeue": Lite,
    }
    took = {}
    for _ in range(rounds):
        said = subprocess.run(ours, check=True, stdout=subprocess.PIPE, text=True).stdout
        for name, jobs in re.findall(r"(.*?) +(\d+) jobs/s", said):
            took.setdefault(name, []).append(float(jobs))
        for level, jobs in [("FULL", 3_200), ("NORMAL", 16_000)]:
            for clients in [1, 16]:
                for name, queue in peers.items():
                    with tempfile.TemporaryDirectory() as folder:
                        jobs_a_second = rate(lambda: queue(f"{folder}/queue.db"), level, clients, jobs)
                    took.setdefault(f"{name}, clients: {clients}, {level}", []).append(jobs_a_second)
    print("queue | jobs/s, best of all rounds | median")
    for name, rates in took.items():
        print(f"{name} | {max(rates):,.0f} | {statistics.median(rates):,.0f}")


# What a process is to make need not be picklable so.
multiprocessing.set_start_method("fork")
main()
