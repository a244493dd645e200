"""Jobs a second of huey and litequeue where clients put jobs in while a worker takes and ends them, beside ours.

    crowd.py ROUNDS OUR BENCH...

As such queues are used: clients and worker are processes of their own on one database (the web service's and the
consumer's). A client waits for nobody but the database; ours has one job at a time, whose end it waits for.
effectum works within one process alone: what it does so is in queues.py.
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
# Jobs before anything is timed, without waiting for the disk.
BEFORE = 1_000
# Seconds that a process waits for the database before it gives up; none should.
PATIENCE = 60


class Huey:
    def __init__(self, path, level, result):
        self.queue = huey.SqliteHuey(filename=path, timeout=PATIENCE)
        self.task = self.queue.task(name="job")(lambda payload: 2 if result else None)
        self.connection().execute(f"PRAGMA synchronous = {level}")

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
    def __init__(self, path, level):
        self.queue = litequeue.LiteQueue(path)
        self.connection().execute(f"PRAGMA busy_timeout = {PATIENCE * 1_000}")
        self.connection().execute(f"PRAGMA synchronous = {level}")

    def connection(self):
        return self.queue.conn

    def put(self):
        self.queue.put(PAYLOAD)

    def take(self):
        if message := self.queue.pop():
            self.queue.done(message.message_id)
        return message is not None


def client(make, jobs, begin):
    queue = make()
    begin.wait()
    for _ in range(jobs):
        queue.put()


def worker(make, jobs, begin):
    queue = make()
    begin.wait()
    while jobs:
        if queue.take():
            jobs -= 1
        else:
            time.sleep(0.0005)


def rate(make, clients, jobs):
    """Jobs a second, from the first put in to the last ended."""
    # Its tables are there before many want to make them, and its log is as long as it gets.
    first = make()
    first.connection().execute("PRAGMA synchronous = OFF")
    for _ in range(BEFORE):
        first.put()
        first.take()
    first.connection().close()
    begin = multiprocessing.Barrier(clients + 2)
    each = jobs // clients
    parts = [multiprocessing.Process(target=client, args=(make, each, begin)) for _ in range(clients)]
    parts.append(multiprocessing.Process(target=worker, args=(make, each * clients, begin)))
    for part in parts:
        part.start()
    begin.wait()
    began = time.perf_counter()
    for part in parts:
        part.join()
    assert not any(part.exitcode for part in parts), "one of them gave up"
    return each * clients / (time.perf_counter() - began)


def main():
    rounds, ours = int(sys.argv[1]), sys.argv[2:]
    took = {}
    for _ in range(rounds):
        said = subprocess.run(ours, check=True, stdout=subprocess.PIPE, text=True).stdout
        for name, jobs in re.findall(r"(.*?) +(\d+) jobs/s", said):
            took.setdefault(name, []).append(float(jobs))
        for level, jobs in [("FULL", 800), ("NORMAL", 8_000)]:
            for clients in [1, 16]:
                for name, queue, more in [("huey, with a result", Huey, [True]), ("huey", Huey, [False]), ("litequeue", Lite, [])]:
                    with tempfile.TemporaryDirectory() as folder:
                        made = lambda: queue(f"{folder}/queue.db", level, *more)
                        took.setdefault(f"{name}, {clients} clients, {level}", []).append(rate(made, clients, jobs))
    print("queue | jobs/s, best of all rounds | median")
    for name, rates in took.items():
        print(f"{name} | {max(rates):,.0f} | {statistics.median(rates):,.0f}")


# Processes are forked, and `made` with them.
multiprocessing.set_start_method("fork")
main()
