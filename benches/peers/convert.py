"""A file to JSON by each peer, a process of its own each, beside `sheetline convert` on the same file.

    convert.py EXECUTABLE [ROUNDS]

Seconds are of the whole process; a peer's second figure is without its start and imports. Processor is of all
processes, memory of the largest one.
"""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import lists


def python_csv_orjson(path, out):
    import csv

    import orjson

    yield
    with open(path, encoding="utf-8", newline="") as file:
        out.write(orjson.dumps(list(csv.DictReader(file))))


def calamine_orjson(path, out):
    import orjson
    import python_calamine

    yield
    header, *rows = python_calamine.CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
    out.write(orjson.dumps([dict(zip(header, row)) for row in rows]))


def openpyxl_orjson(path, out):
    import openpyxl
    import orjson

    yield
    rows = openpyxl.load_workbook(path, read_only=True).worksheets[0].iter_rows(values_only=True)
    header = next(rows)
    out.write(orjson.dumps([dict(zip(header, row)) for row in rows]))


def polars(path, out):
    import fastexcel  # noqa: F401 (what polars reads workbooks with)
    import polars

    yield
    if path.endswith(".csv"):
        frame = polars.read_csv(path, infer_schema=False)
    else:
        frame = polars.read_excel(path, engine="calamine")
    frame.write_json(out)


def pandas(path, out):
    import openpyxl  # noqa: F401 (what pandas reads workbooks with)
    import pandas

    yield
    if path.endswith(".csv"):
        frame = pandas.read_csv(path, dtype=str)
    else:
        frame = pandas.read_excel(path, dtype=str, engine="openpyxl")
    frame.to_json(out, orient="records", force_ascii=False)


def duckdb(path, out):
    import duckdb

    yield
    duckdb.sql(f"COPY (FROM read_csv('{path}', all_varchar = true)) TO '{out.name}' (FORMAT json, ARRAY true)")


def one(peer, path, out):
    """In a process of its own: tells the seconds from after the imports on."""
    with open(out, "wb") as out:
        steps = globals()[peer](path, out)
        next(steps)
        began = time.perf_counter()
        next(steps, None)
        out.flush()
        print(time.perf_counter() - began)


def measure(command, out=None, fine=(0,)):
    """Seconds by the clock, what it printed, seconds of processor, MiB at most; `fine` are the exit statuses that are."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as printed:
        stdout = open(out, "wb") if out else printed
        process = subprocess.Popen(command, stdout=stdout)
        _, status, used = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in fine:
            raise SystemExit(f"{command}: status {status}")
        printed.seek(0)
        return took, printed.read(), used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


@contextlib.contextmanager
def asked(script):
    """The executable, the rounds, and a folder with the lists that the script makes, a workbook and a csv file."""
    executable = str(pathlib.Path(sys.argv[1]).absolute())
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        xlsx, text = folder / "a.xlsx", folder / "a.csv"
        # By another process: what this one has at most is counted to those that it starts.
        subprocess.run([sys.executable, script, "--lists", xlsx, text], check=True)
        yield executable, rounds, folder, xlsx, text


def main():
    with asked(__file__) as (executable, rounds, folder, xlsx, text):
        print(f"xlsx {xlsx.stat().st_size / 1e6:.1f} MB, csv {text.stat().st_size / 1e6:.1f} MB; best of {rounds}")
        print("file | by | seconds | beside ours | without its start | beside ours | processor, s | memory, MiB")
        for path, peers in [
            (xlsx, [calamine_orjson, polars, openpyxl_orjson, pandas]),
            (text, [duckdb, polars, python_csv_orjson, pandas]),
        ]:
            # All take turns, so that all meet the same neighbours.
            best = {}
            for _ in range(rounds):
                took, _, cpu, memory = measure([executable, "convert", str(path)], folder / "ours.json")
                runs = [("sheetline", took, took, cpu, memory)]
                for peer in peers:
                    command = [sys.executable, __file__, "--one", peer.__name__, str(path), str(folder / "peer.json")]
                    took, printed, cpu, memory = measure(command)
                    runs.append((peer.__name__, took, float(printed), cpu, memory))
                for name, *figures in runs:
                    best[name] = [min(pair) for pair in zip(figures, best.get(name, figures))]
            ours = best["sheetline"][0]
            for name, (took, bare, cpu, memory) in best.items():
                print(
                    f"{path.suffix[1:]} | {name} | {took:.2f} | {took / ours:.1f} x"
                    f" | {bare:.2f} | {bare / ours:.1f} x | {cpu:.2f} | {memory:.0f}"
                )


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(*sys.argv[2:5])
    elif sys.argv[1] == "--lists":
        lists.write_xlsx(sys.argv[2], 100_000)
        lists.write_csv(sys.argv[3], 500_000)
    else:
        main()
