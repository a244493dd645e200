"""Checking a list against the companies template by pandas, beside `sheetline process` on the same file.

    process.py EXECUTABLE [ROUNDS]

The peer reads (calamine for the workbook), normalises and checks in whole columns (required, pattern, key seen
before) and writes the same four files: a report, the good records as lines of JSON and as a table, and by
XlsxWriter the sheet with its wrong cells coloured and a column that says what is wrong. It knows this one template
and no other, and has its columns' names given. Seconds are of the whole process; the peer's second figure is
without its start and imports. Processor is of all processes, memory of the largest one.
"""

import json
import pathlib
import sys
import time

import lists
from convert import asked, measure

FIELDS = ["company_name", "linkedin_url", "website_url", "company_size", "industry", "revenue"]
REQUIRED, URLS = FIELDS[:2], FIELDS[1:3]
KEYS = [["linkedin_url"], ["company_name", "website_url"]]
BAD, MESSAGE = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}, {"font_color": "#9C0006", "valign": "top"}


def spoiled(count):
    """The list of all peers, with one name in fifty missing, one LinkedIn_URL in fifty none, one in a hundred
    there before, and one Website_URL in fifty without its scheme."""
    before = None
    for n, row in enumerate(lists.rows(count, 1)):
        if n % 50 == 7:
            row[0] = None
        if n % 50 == 21:
            row[1] = "not known"
        if n % 100 == 13:
            row[1] = before
        if n % 50 == 9 and row[2]:
            row[2] = row[2].removeprefix("https://")
        before = row[1]
        yield row


def write_lists(xlsx, text, count):
    import csv

    import xlsxwriter

    rows = [lists.HEADERS, *spoiled(count)]
    with open(text, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    book = xlsxwriter.Workbook(str(xlsx), {"strings_to_urls": False, "strings_to_formulas": False})
    sheet = book.add_worksheet("Companies")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()


def annotate(path, raw, wrong, messages):
    """The sheet as it was: by rows where nothing is wrong, by cells where something is."""
    import xlsxwriter

    options = {"constant_memory": True, "strings_to_urls": False, "strings_to_formulas": False}
    book = xlsxwriter.Workbook(str(path), options)
    bad, message, header = (book.add_format(look) for look in (BAD, MESSAGE, {"bold": True, "bg_color": "#E7EEF7"}))
    sheet = book.add_worksheet("Companies")
    sheet.freeze_panes(1, 0)
    sheet.set_column(len(FIELDS), len(FIELDS), 60)
    sheet.write_row(0, 0, [*lists.HEADERS, "What is wrong"], header)
    cells = raw.astype(object).where(raw.notna(), None).to_numpy().tolist()
    for at, (row, text) in enumerate(zip(cells, messages), 1):
        if text is None:
            sheet.write_row(at, 0, row)
            continue
        for column, value in enumerate(row):
            look = bad if wrong[at - 1, column] else None
            sheet.write(at, column, value, look)
        sheet.write_string(at, len(FIELDS), text, message)
    book.close()


def pandas(path, out):
    import numpy
    import pandas
    import python_calamine  # noqa: F401 (what pandas reads workbooks with)
    import xlsxwriter  # noqa: F401

    yield
    began = time.perf_counter()
    if path.endswith(".csv"):
        raw = pandas.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    else:
        raw = pandas.read_excel(path, dtype=str, engine="calamine", keep_default_na=False, na_values=[""])
    frame = raw.set_axis(FIELDS, axis=1)
    for field in FIELDS:
        column = frame[field].str.strip()
        if field in URLS:
            column = column.str.replace(r"^(?=[\w-]+(?:\.[\w-]+)+(?:[/?#]|$))", "https://", regex=True)
        else:
            column = column.str.replace(r"\s+", " ", regex=True)
        frame[field] = column
    errors = []
    wrong = numpy.zeros(frame.shape, dtype=bool)

    def note(kind, fields, rows, message):
        for field in fields:
            wrong[rows, FIELDS.index(field)] = True
        errors.extend((row, kind, fields[0], message) for row in rows.tolist())

    for field in REQUIRED:
        note("constraint-error", [field], numpy.flatnonzero(frame[field].isna()), f"{field} must not be empty.")
    for field in URLS:
        fits = frame[field].str.fullmatch(r"[Hh][Tt][Tt][Pp][Ss]?://[^\s]+")
        note("type-error", [field], numpy.flatnonzero(frame[field].notna() & (fits != True)), f"{field} is no address.")  # noqa: E712
    for key in KEYS:
        folded = frame[key].apply(lambda column: column.str.lower().str.rstrip("/"))
        again = folded.duplicated() & folded.notna().all(axis=1)
        note("unique-error", key, numpy.flatnonzero(again), f"Same {' and '.join(key)} as a row before it.")
    errors.sort(key=lambda error: error[0])
    messages = [None] * len(frame)
    for row, _, _, message in errors:
        messages[row] = message if messages[row] is None else f"{messages[row]} {message}"
    good = frame[[message is None for message in messages]]
    out = pathlib.Path(out)
    out.mkdir(exist_ok=True)
    good.to_json(out / "records.ndjson", orient="records", lines=True, force_ascii=False)
    good.to_csv(out / "records.csv", index=False, encoding="utf-8-sig", lineterminator="\r\n")
    annotate(out / "annotated.xlsx", raw, wrong, messages)
    columns = [
        {
            "name": field,
            "filled": int(frame[field].count()),
            "distinct": int(frame[field].nunique()),
            "min": frame[field].min(),
            "max": frame[field].max(),
            "top": frame[field].value_counts().head(5).to_dict(),
        }
        for field in FIELDS
    ]
    kinds = pandas.Series([kind for _, kind, _, _ in errors]).value_counts().to_dict()
    report = {
        "valid": not errors,
        "stats": {"rows": len(frame), "valid": len(good), "errors": len(errors), "seconds": time.perf_counter() - began},
        "columns": columns,
        "errors_by_type": kinds,
        "errors": [
            {"type": kind, "row": row + 2, "field": field, "value": frame[field].iloc[row], "message": message}
            for row, kind, field, message in errors[:1000]
        ],
    }
    (out / "report.json").write_text(json.dumps(report, ensure_ascii=False, default=str, indent=2), encoding="utf-8")


def one(path, out):
    """In a process of its own: tells the seconds from after the imports on."""
    steps = pandas(path, out)
    next(steps)
    began = time.perf_counter()
    next(steps, None)
    print(time.perf_counter() - began)


def main():
    with asked(__file__) as (executable, rounds, folder, xlsx, text):
        print(f"100,000 rows, xlsx {xlsx.stat().st_size / 1e6:.1f} MB, csv {text.stat().st_size / 1e6:.1f} MB; best of {rounds}")
        print("file | by | seconds | beside ours | without its start | processor, s | memory, MiB | of the records good")
        for path in [text, xlsx]:
            best = {}
            for _ in range(rounds):
                ours = [executable, "process", str(path), "--template", "companies", "--out", str(folder / "ours")]
                took, _, cpu, memory = measure(ours, fine=(0, 1))
                runs = [("sheetline", took, took, cpu, memory)]
                command = [sys.executable, __file__, "--one", str(path), str(folder / "peer")]
                took, printed, cpu, memory = measure(command)
                runs.append(("pandas", took, float(printed), cpu, memory))
                for name, *figures in runs:
                    best[name] = [min(pair) for pair in zip(figures, best.get(name, figures))]
            for name, (took, bare, cpu, memory) in best.items():
                report = json.loads((folder / {"sheetline": "ours", "pandas": "peer"}[name] / "report.json").read_text())
                print(
                    f"{path.suffix[1:]} | {name} | {took:.2f} | {took / best['sheetline'][0]:.1f} x | {bare:.2f}"
                    f" | {cpu:.2f} | {memory:.0f} | {report['stats']['valid']}"
                )


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        one(*sys.argv[2:4])
    elif sys.argv[1] == "--lists":
        write_lists(sys.argv[2], sys.argv[3], 100_000)
    else:
        main()
