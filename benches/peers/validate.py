"""A csv file checked against the companies template by validators, beside `sheetline process` on the same file.

    validate.py EXECUTABLE [ROUNDS [QSV]]

A peer reads, checks and writes where what is wrong; qsv parts good rows from bad ones besides. Ours has no command
that does no more than that and writes its four files. The headers are the template's names and the values are tidy,
for no peer finds columns by their titles, tidies values or takes ACME and Acme for the same key. All must find the
same bad rows, but for what LIMITS tells of a peer. Seconds are of the whole process; a peer's second figure is without
its start and imports. Processor is of all processes, memory of the largest one.
"""

import collections
import csv
import importlib.metadata
import json
import pathlib
import re
import subprocess
import sys
import time

import convert
import lists

COUNT = 100_000
FIELDS = ["company_name", "linkedin_url", "website_url", "company_size", "industry", "revenue"]
KEYS = [["linkedin_url"], ["company_name", "website_url"]]
TEMPLATE = pathlib.Path(__file__).resolve().parents[2] / "src/process/template/companies.json"
# The template's pattern and its format `uri` in one, for those that know no such format.
ADDRESS = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#:]\S*$"

# What a peer can't be told or takes otherwise, and the kinds of rows (see `spoiled`) that it judges wrongly.
LIMITS = {
    "sheetline": ("", set()),
    "frictionless": (
        "no uniqueKeys: `unique` and `primaryKey` instead, which takes no value for one; a URI may have blanks",
        {"the name again, both without website", "a blank in an address"},
    ),
    "pandera": ("keys and format `uri` are checks of our own", set()),
    "duckdb": ("rules are queries of our own", set()),
    "qsv": ("", set()),
}


def spoiled(count):
    """Each row of the list with what is the matter with it, and whether that is wrong: so it is in 8 of 100."""
    before = None
    for n, row in enumerate(lists.rows(count, 1)):
        kind, wrong = "nothing", True
        match n % 100:
            case 7 | 57:
                row[0], kind = None, "no name"
            case 13:
                row[1], kind = before[1], "an address again"
            case 21:
                row[1], kind = f"not known {n}", "no scheme"
            case 27:
                row[1], kind = f"https://c{n} .example.com", "a blank in an address"
            case 33:
                row[1], kind = None, "no address"
            case 43:
                row[2], kind = f"none {n}", "no scheme"
            case 62 if row[2] is None:
                row[2] = f"https://c{n}.example.com"
            case 63:
                row[0], row[2], kind = before[0], before[2], "name and website again"
            case 82:
                row[2] = None
            case 83:
                # A key with a missing value is like no other.
                row[0], row[2], kind, wrong = before[0], None, "the name again, both without website", False
        before = row
        yield row, kind, wrong and kind != "nothing"


def write_list(path):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([FIELDS, *(row for row, _, _ in spoiled(COUNT))])


def frictionless(path, out):
    import frictionless

    yield
    schema = json.loads(TEMPLATE.read_text(encoding="utf-8"))
    del schema["uniqueKeys"]
    schema["fields"][FIELDS.index(*KEYS[0])]["constraints"]["unique"] = True
    schema["primaryKey"] = KEYS[1]
    place = pathlib.Path(path)
    schema = frictionless.Schema.from_descriptor(schema)
    report = frictionless.Resource(place.name, basepath=str(place.parent), schema=schema).validate(limit_errors=COUNT)
    wrong = report.flatten(["rowNumber", "fieldName", "type"])
    # Its first row is the second line.
    csv.writer(out).writerows([row - 2, field, kind] for row, field, kind in wrong)


def pandera(path, out):
    """On polars, with which it is quicker than on pandas."""
    import pandera.polars as pandera
    import polars

    yield

    def new(key):
        fine = polars.struct(key).is_first_distinct() | polars.any_horizontal(polars.col(key).is_null())
        return pandera.Check(lambda data: data.lazyframe.select(fine), error="unique")

    address = pandera.Check.str_matches(ADDRESS)
    columns = {field: pandera.Column(str, nullable=True) for field in FIELDS}
    columns["company_name"] = pandera.Column(str)
    columns["linkedin_url"] = pandera.Column(str, address)
    columns["website_url"] = pandera.Column(str, address, nullable=True)
    schema = pandera.DataFrameSchema(columns, checks=[new(key) for key in KEYS])
    try:
        schema.validate(polars.read_csv(path, infer_schema=False), lazy=True)
    except pandera.errors.SchemaErrors as found:
        found.failure_cases.select("index", "column", "check").write_csv(out, include_header=False)


def duckdb(path, out):
    import duckdb

    yield

    def again(key):
        """Grouped, which is quicker than a window."""
        names, filled = ", ".join(key), " AND ".join(f"{field} IS NOT NULL" for field in key)
        first = f"SELECT {names}, min(line) AS first FROM list WHERE {filled} GROUP BY ALL HAVING count(*) > 1"
        return f"SELECT line, '{key[0]}', 'unique' FROM list JOIN ({first}) USING ({names}) WHERE line > first"

    wrong = [f"SELECT line, '{field}', 'required' FROM list WHERE {field} IS NULL" for field in FIELDS[:2]]
    wrong += [
        f"SELECT line, '{field}', 'pattern' FROM list WHERE NOT regexp_full_match({field}, '{ADDRESS}')"
        for field in FIELDS[1:3]
    ]
    wrong += [again(key) for key in KEYS]
    columns = dict.fromkeys(FIELDS, "VARCHAR")
    read = f"read_csv('{path}', header = true, auto_detect = false, delim = ',', quote = '\"', columns = {columns})"
    duckdb.sql(
        f"COPY (WITH list AS MATERIALIZED (SELECT row_number() OVER () - 1 AS line, * FROM {read})"
        f" {' UNION ALL '.join(wrong)}) TO '{out.name}' (FORMAT csv, HEADER false)"
    )


def json_schema():
    """The template's rules for qsv; a key with a missing value is left alone by `if`."""
    address = {"format": "uri", "pattern": ADDRESS}
    text = {"type": ["string", "null"]}
    keys = [
        {
            "if": {"properties": {field: {"type": "string"} for field in key}},
            "then": {"uniqueCombinedWith": key},
        }
        for key in KEYS
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": dict.fromkeys(FIELDS, text)
        | {
            "company_name": {"type": "string"},
            "linkedin_url": {"type": "string"} | address,
            "website_url": text | address,
        },
        "allOf": keys,
    }


def one(peer, path, out):
    """In a process of its own: tells the seconds from after the imports on."""
    with open(out, "w", encoding="utf-8", newline="") as out:
        steps = globals()[peer](path, out)
        next(steps)
        began = time.perf_counter()
        next(steps, None)
        out.flush()
        print(time.perf_counter() - began)


def told_bad(name, text, folder):
    """The numbers of the rows, from 0 on, that a validator has written down as wrong."""
    if name == "sheetline":
        # The good ones are in its records; an address that is there twice is good once, where it stands first.
        first = {}
        for n, (row, _, _) in enumerate(spoiled(COUNT)):
            first.setdefault(row[1], n)
        with open(folder / "ours/records.ndjson", encoding="utf-8") as records:
            return set(range(COUNT)) - {first[json.loads(record)["linkedin_url"]] for record in records}
    if name == "qsv":
        with open(f"{text}.validation-errors.tsv", encoding="utf-8", newline="") as wrong:
            return {int(line["row_number"]) - 1 for line in csv.DictReader(wrong, delimiter="\t")}
    with open(folder / f"{name}.csv", encoding="utf-8", newline="") as wrong:
        return {int(line[0]) for line in csv.reader(wrong)}


def compare(name, found):
    """Stops where a validator judges a row otherwise than it should and nothing says so in LIMITS."""
    excused = LIMITS[name][1]
    otherwise = collections.Counter(
        kind for n, (_, kind, wrong) in enumerate(spoiled(COUNT)) if wrong != (n in found) and kind not in excused
    )
    if otherwise:
        raise SystemExit(f"{name} judges rows otherwise: {dict(otherwise)}")


def version(name, command):
    if "--one" not in command:
        told = subprocess.run([command[0], "--version"], check=True, capture_output=True, text=True).stdout
        # qsv tells its allocator and the machine's memory, too.
        return re.search(r"\d+\.\d+\.\d+", told)[0]
    return importlib.metadata.version(name)


def main():
    qsv = sys.argv[3:4]
    with convert.asked(__file__) as (executable, rounds, folder, _, text):
        schema = folder / "schema.json"
        schema.write_text(json.dumps(json_schema()), encoding="utf-8")
        ours = [executable, "process", str(text), "--template", "companies", "--out", str(folder / "ours")]
        commands = {"sheetline": ours}
        for peer in [frictionless, pandera, duckdb]:
            name = peer.__name__
            commands[name] = [sys.executable, __file__, "--one", name, str(text), str(folder / f"{name}.csv")]
        if qsv:
            commands["qsv"] = [*qsv, "validate", "--quiet", str(text), str(schema)]
        print(f"{COUNT:,} rows, csv {text.stat().st_size / 1e6:.1f} MB; best of {rounds}", flush=True)
        best = {}
        # All take turns, so that all meet the same neighbours.
        for _ in range(rounds):
            for name, command in commands.items():
                took, printed, cpu, memory = convert.measure(command, fine=(0, 1))
                figures = took, float(printed) if "--one" in command else took, cpu, memory
                best[name] = [min(pair) for pair in zip(figures, best.get(name, figures))]
        print(
            "by | version | seconds | beside ours | without its start | beside ours | rows/s | without its start"
            " | processor, s | memory of the largest process, MiB | bad rows | what it can't"
        )
        ours = best["sheetline"][0]
        for name, (took, bare, cpu, memory) in best.items():
            bad = told_bad(name, text, folder)
            compare(name, bad)
            print(
                f"{name} | {version(name, commands[name])} | {took:.2f} | {took / ours:.1f} x | {bare:.2f}"
                f" | {bare / ours:.1f} x | {COUNT / took:,.0f} | {COUNT / bare:,.0f} | {cpu:.2f} | {memory:.0f}"
                f" | {len(bad):,} | {LIMITS[name][0]}"
            )


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(*sys.argv[2:5])
    elif sys.argv[1] == "--lists":
        write_list(sys.argv[3])
    else:
        main()
