"""Company lists to measure with, alike for all: names in several scripts, quoted fields, blanks, some 140 bytes a row."""

import csv
import random

HEADERS = ["Company Name", "LinkedIn_URL", "Website_URL", "Company_Size", "Industry", "Revenue"]
FIRST = ["Nordlicht", "Żuraw", "Ørsted & Sønner", "O'Hara", "北方", "Москва", "Café Niño", "Blue", "Green 🌱", 'The "Old" Mill']
SECOND = ["Systems", "Génie", "Logistik", "商事", "Trading, Ltd.", "Foods", "Textiles", "Robotics"]
LEGAL = ["GmbH", "S.A.", "Inc.", "LLC", "ООО", "AB", "株式会社", "Oy"]
SIZES = ["1-10", "11-50", "51-200", "201-500", "501-1,000", "1,001-5,000"]
INDUSTRIES = ["Software Development", "Food & Beverage", "Bau & Gewerbe", "Transportation, Logistics", 'Non-profit "NGO"', "Santé", "小売"]


def rows(count, seed):
    """Each with a name and a LinkedIn_URL of its own; one in 25 of the other cells is blank."""
    rng = random.Random(seed)
    for n in range(count):
        key = f"{seed:03}-{n:07}"
        row = [
            f"{rng.choice(FIRST)} {rng.choice(SECOND)} {rng.choice(LEGAL)} {n}",
            f"https://www.linkedin.com/company/c{key}",
            f"https://c{key}.example.com/?a=1&b={n % 97}",
            rng.choice(SIZES),
            rng.choice(INDUSTRIES),
            f"{rng.choice('$€£')}{rng.random() * 999:.1f}{rng.choice('KMB')}",
        ]
        yield row[:2] + [None if rng.random() < 0.04 else cell for cell in row[2:]]


def write_csv(path, count, seed=1):
    with open(path, "w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(HEADERS)
        out.writerows(rows(count, seed))
    return path


def write_xlsx(path, count, seed=1):
    """Texts in the table of shared strings, as Excel writes them."""
    import xlsxwriter

    book = xlsxwriter.Workbook(str(path), {"strings_to_urls": False, "strings_to_formulas": False})
    sheet = book.add_worksheet("Companies")
    for number, row in enumerate([HEADERS, *rows(count, seed)]):
        sheet.write_row(number, 0, row)
    book.close()
    return path
