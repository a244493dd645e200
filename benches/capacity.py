"""How many people and files one machine serves: measures service times of jobs, then lets an office of
many people upload at random to the real program, and puts beside it what queueing theory says.

    capacity.py SHEETLINE [SECONDS_PER_LOAD]

Waiting is from the arrival of a job to its claim, as the database has it; no time of this script is in it.
"""

import http.client
import json
import pathlib
import random
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

SHEETLINE = str(pathlib.Path(sys.argv[1]).absolute())
SECONDS = float(sys.argv[2]) if len(sys.argv) > 2 else 60
PASSWORD = "correct horse battery"
PEOPLE = 40
# What people drop, in rows, and how often of a hundred: many small lists, now and then a large one.
MIX = [(200, 60), (2_000, 30), (10_000, 10)]


class Office:
    def __init__(self, folder, people, workers=1):
        self.db = folder / f"office-{time.monotonic_ns()}.db"
        self.process = subprocess.Popen(
            [SHEETLINE, "serve", "--db", str(self.db), "--listen", "127.0.0.1:0", "--workers", str(workers)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.address = line.split("//")[1].strip()
                break
        names = [f"p{n}" for n in range(people)]
        for name in names:
            subprocess.run(
                [SHEETLINE, "user", "add", name, "--password-stdin", "--db", str(self.db)],
                input=PASSWORD, text=True, check=True, stdout=subprocess.DEVNULL,
            )
        self.people = [Person(self.address, name) for name in names]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)

    def jobs(self):
        """Of each completed job: rows, seconds waited, seconds worked."""
        with sqlite3.connect(self.db) as db:
            found = db.execute(
                "SELECT rows, (julianday(started_at) - julianday(queued_at)) * 86400,"
                " (julianday(finished_at) - julianday(started_at)) * 86400"
                " FROM jobs WHERE status = 'completed' ORDER BY id"
            ).fetchall()
        db.close()
        return found


class Person:
    """Somebody with a connection of their own, who sends one file after the other."""

    number = 0
    lock = threading.Lock()

    def __init__(self, address, name):
        self.door = http.client.HTTPConnection(address, timeout=300)
        body = json.dumps({"username": name, "password": PASSWORD})
        self.headers = {}
        answer = self.ask("POST", "/api/auth/login", body, "application/json")
        self.headers = {"Authorization": "Bearer " + answer["session_id"]}

    def ask(self, method, path, body=None, kind=None):
        headers = dict(self.headers, **({"Content-Type": kind} if kind else {}))
        self.door.request(method, path, body, headers)
        answer = self.door.getresponse()
        text = answer.read()
        if answer.status >= 400:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text)

    def upload(self, form):
        return self.ask("POST", "/api/files/upload-and-process", form, "multipart/form-data; boundary=b")["job_id"]

    def wait(self, job):
        tag = None
        while True:
            headers = dict(self.headers, **({"If-None-Match": tag} if tag else {}))
            path = "/api/files/processing-status" + ("?wait=25" if tag else "")
            self.door.request("GET", path, headers=headers)
            answer = self.door.getresponse()
            text = answer.read()
            tag = answer.getheader("ETag")
            if answer.status == 304:
                continue
            status = json.loads(text)["processing_status"]
            if status["status"] not in ("pending", "processing"):
                assert status["status"] == "completed", status
                return


def form(rows):
    with Person.lock:
        Person.number += 1
        seed = Person.number
    lines = ["Company Name,LinkedIn_URL,Website_URL,Company_Size,Industry,Revenue"]
    lines += [
        f"Firm {seed} {n} GmbH,https://www.linkedin.com/company/f-{seed}-{n},https://f-{seed}-{n}.example,11-50,Software,{n}"
        for n in range(rows)
    ]
    return (
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n' + "\n".join(lines) + "\r\n--b--\r\n"
    ).encode()


def service_times(folder):
    print("rows of a file | jobs | seconds of work, mean | deviation | rows/s")
    office = Office(folder, 1)
    person = office.people[0]
    for rows, times in [(200, 30), (2_000, 20), (10_000, 10), (100_000, 2)]:
        before = len(office.jobs())
        for _ in range(times):
            person.wait(person.upload(form(rows)))
        worked = [job[2] for job in office.jobs()[before:]]
        mean = statistics.mean(worked)
        deviation = statistics.stdev(worked)
        print(f"{rows:,} | {times} | {mean:.3f} | {deviation:.3f} | {rows / mean:,.0f}")
    office.stop()
    size = office.db.stat().st_size
    total = sum(job[0] for job in office.jobs())
    print(f"{size / total:.0f} bytes of database for each row, its file, its parsed row, record and keys")
    return office


def draw():
    return random.choices([rows for rows, _ in MIX], [share for _, share in MIX])[0]


def load(folder, mean, utilisation, workers=1):
    """Poisson arrivals from a crowd; returns the office when all has been worked off."""
    office = Office(folder, PEOPLE, workers)
    rate = utilisation * workers / mean
    free = list(office.people)
    done = threading.Condition()
    forms = [form(draw()) for _ in range(int(rate * SECONDS))]

    def one(person, body):
        person.wait(person.upload(body))
        with done:
            free.append(person)
            done.notify()

    threads = []
    next_at = time.monotonic()
    late = 0
    for body in forms:
        next_at += random.expovariate(rate)
        pause = next_at - time.monotonic()
        if pause > 0:
            time.sleep(pause)
        with done:
            if not free:
                late += 1
            while not free:
                done.wait()
            person = free.pop(0)
        threads.append(threading.Thread(target=one, args=(person, body)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    office.stop()
    jobs = office.jobs()
    worked = [job[2] for job in jobs]
    waited = sorted(job[1] for job in jobs)
    mean_now = statistics.mean(worked)
    second = statistics.mean(work * work for work in worked)
    rho = rate * mean_now / workers
    if workers == 1 and rho < 1:
        theory = f"{rate * second / (2 * (1 - rho)):.2f}"
    else:
        theory = "-"
    variation = second / mean_now**2 - 1
    print(
        f"{rate * 3600:,.0f} | {len(jobs)} | {rho:.2f} | {mean_now:.3f} | {variation:.1f} | {theory}"
        f" | {statistics.mean(waited):.2f} | {waited[int(len(waited) * 0.95)]:.2f} | {late}"
    )


def main():
    random.seed(20261123)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        service_times(folder)
        office = Office(folder, 1)
        person = office.people[0]
        for _ in range(60):
            person.wait(person.upload(form(draw())))
        office.stop()
        mean = statistics.mean(job[2] for job in office.jobs())
        print(f"\nthe mix: {mean:.3f} s of work a file, alone")
        print("files an hour | jobs | load | work, mean | variation | wait, theory | wait, mean | wait, 95 % | nobody free")
        for utilisation in (0.1, 0.2, 0.3, 0.5, 0.7):
            load(folder, mean, utilisation)
        print("two workers")
        load(folder, mean, 0.3, 2)


main()
