//! The sample file of the repository: made by our own writer, with a few rows to fix.
//!
//! `SHEETLINE_WRITE_SAMPLES=1 cargo test samples` writes it anew.

use std::path::{Path, PathBuf};

use calamine::{Data, Reader};
use rust_xlsxwriter::{Format, Workbook};

const HEADERS: [&str; 6] = [
    "Company Name",
    "LinkedIn_URL",
    "Website_URL",
    "Company_Size",
    "Industry",
    "Revenue",
];

/// Name, LinkedIn, web site, size, industry, revenue; numbers are written as numbers.
const ROWS: [[&str; 6]; 24] = [
    [
        "Abend & Stern GmbH",
        "https://www.linkedin.com/company/abend-stern",
        "https://abend-stern.example",
        "11-50",
        "Publishing",
        "1800000",
    ],
    [
        "Bergquell Brauerei",
        "https://www.linkedin.com/company/bergquell",
        "https://bergquell.example",
        "120",
        "Food and drink",
        "24500000",
    ],
    [
        "Café Zürich AG",
        "https://www.linkedin.com/company/cafe-zuerich",
        "www.cafe-zuerich.example",
        "51-200",
        "Restaurants",
        "7200000",
    ],
    [
        "Dorado Shipping Ltd",
        "https://www.linkedin.com/company/dorado-shipping",
        "https://dorado.example",
        "640",
        "Logistics",
        "188000000",
    ],
    [
        "Élan Conseil",
        "linkedin.com/company/elan-conseil",
        "https://elan.example",
        "1-10",
        "Consulting",
        "650000",
    ],
    [
        "Fjord Data AS",
        "https://www.linkedin.com/company/fjord-data",
        "https://fjord-data.example",
        "42",
        "Software",
        "5100000",
    ],
    [
        "  Gärtnerei  Grün ",
        "https://www.linkedin.com/company/gaertnerei-gruen",
        "https://gruen.example",
        "8",
        "Agriculture",
        "430000",
    ],
    [
        "Hanse Werft",
        "https://www.linkedin.com/company/hanse-werft",
        "https://hanse-werft.example",
        "201-500",
        "Shipbuilding",
        "61000000",
    ],
    [
        "",
        "https://www.linkedin.com/company/nameless",
        "https://nameless.example",
        "12",
        "Retail",
        "900000",
    ],
    [
        "Isar Optics",
        "https://www.linkedin.com/company/isar-optics",
        "https://isar-optics.example",
        "75",
        "Optics",
        "11200000",
    ],
    [
        "Jansen & Zonen",
        "https://www.linkedin.com/company/jansen-zonen",
        "",
        "11-50",
        "Construction",
        "3900000",
    ],
    [
        "Kovač d.o.o.",
        "https://www.linkedin.com/company/kovac",
        "https://kovac.example",
        "35",
        "Metalwork",
        "2750000",
    ],
    [
        "Lumen Lighting",
        "see web site",
        "https://lumen.example",
        "51-200",
        "Lighting",
        "8800000",
    ],
    [
        "Mühle am Bach",
        "https://www.linkedin.com/company/muehle-am-bach",
        "https://muehle.example",
        "6",
        "Food and drink",
        "380000",
    ],
    [
        "Nordlicht Energie",
        "https://www.linkedin.com/company/nordlicht-energie",
        "https://nordlicht.example",
        "1200",
        "Energy",
        "540000000",
    ],
    [
        "Olivar del Sur",
        "https://www.linkedin.com/company/olivar-del-sur",
        "https://olivar.example",
        "11-50",
        "Food and drink",
        "2100000",
    ],
    [
        "Bergquell Brauerei",
        "https://www.linkedin.com/company/bergquell/",
        "https://bergquell.example",
        "120",
        "Food and drink",
        "24500000",
    ],
    [
        "Papeterie Lyon",
        "https://www.linkedin.com/company/papeterie-lyon",
        "https://papeterie.example",
        "18",
        "Stationery",
        "1250000",
    ],
    [
        "Quarzwerk Harz",
        "https://www.linkedin.com/company/quarzwerk-harz",
        "https://quarz.example",
        "88",
        "Mining",
        "19400000",
    ],
    [
        "Rasmussen Møbler",
        "https://www.linkedin.com/company/rasmussen-moebler",
        "rasmussen.example/en",
        "51-200",
        "Furniture",
        "5-10 million EUR",
    ],
    [
        "Sanitas Praxis",
        "",
        "https://sanitas.example",
        "14",
        "Health",
        "1600000",
    ],
    [
        "Tatra Outdoor",
        "https://www.linkedin.com/company/tatra-outdoor",
        "https://tatra.example",
        "27",
        "Retail",
        "3300000",
    ],
    [
        "Urbano Arquitectos",
        "https://www.linkedin.com/company/urbano",
        "not yet",
        "9",
        "Architecture",
        "720000",
    ],
    [
        "Vesta Immobilien",
        "https://www.linkedin.com/company/vesta",
        "https://vesta.example",
        "33",
        "Property",
        "4100000",
    ],
];

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/companies.xlsx")
}

fn write(path: &Path) {
    let mut workbook = Workbook::new();
    let sheet = workbook.add_worksheet();
    sheet.set_name("Companies").unwrap();
    sheet.set_freeze_panes(1, 0).unwrap();
    let bold = Format::new().set_bold();
    for (column, header) in (0..).zip(HEADERS) {
        sheet.set_column_width(column, 28).unwrap();
        sheet
            .write_string_with_format(0, column, header, &bold)
            .unwrap();
    }
    for (row, values) in (1..).zip(ROWS) {
        for (column, value) in (0..).zip(values) {
            match value.parse::<f64>() {
                Ok(number) => sheet.write_number(row, column, number).unwrap(),
                Err(_) => sheet.write_string(row, column, value).unwrap(),
            };
        }
    }
    workbook.save(path).unwrap();
}

fn cells(path: &Path) -> Vec<Vec<Data>> {
    let mut book: calamine::Xlsx<_> = calamine::open_workbook(path).unwrap();
    let range = book.worksheet_range("Companies").unwrap();
    range.rows().map(<[Data]>::to_vec).collect()
}

#[test]
fn the_sample_is_what_its_maker_makes() {
    if std::env::var_os("SHEETLINE_WRITE_SAMPLES").is_some() {
        std::fs::create_dir_all(path().parent().unwrap()).unwrap();
        write(&path());
    }
    let folder = tempfile::tempdir().unwrap();
    let fresh = folder.path().join("companies.xlsx");
    write(&fresh);
    assert_eq!(cells(&path()), cells(&fresh));
}

#[test]
fn the_sample_has_rows_to_keep_and_rows_to_fix() {
    let out = tempfile::tempdir().unwrap();
    let ran = std::process::Command::new(env!("CARGO_BIN_EXE_sheetline"))
        .arg("process")
        .arg(path())
        .args(["--template", "companies", "--out"])
        .arg(out.path())
        .output()
        .unwrap();
    assert_eq!(
        ran.status.code(),
        Some(1),
        "{}",
        String::from_utf8_lossy(&ran.stderr)
    );
    let read = |name: &str| std::fs::read_to_string(out.path().join(name)).unwrap();
    let report: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
    let stats = &report["stats"];
    assert_eq!(
        (
            &stats["rows"],
            &stats["valid"],
            &stats["invalid"],
            &stats["duplicates"]
        ),
        (&24.into(), &19.into(), &4.into(), &1.into())
    );
    assert_eq!(read("records.ndjson").lines().count(), 19);
    let table = read("records.csv");
    let mut reader = csv::Reader::from_reader(table.as_bytes());
    assert_eq!(reader.headers().unwrap().get(0), Some("company_name"));
    let names: Vec<String> = reader
        .records()
        .map(|record| record.unwrap().get(0).unwrap().to_owned())
        .collect();
    assert!(names.contains(&"Gärtnerei Grün".to_owned()));
    assert!(out.path().join("annotated.xlsx").exists());
}
