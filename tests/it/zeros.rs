//! Numbers whose format shows leading zeros are stored as they show, whatever the file's format; where
//! that is not followed, it is told.
//!
//! The fixtures hold the same table: a format code, a number under it, and what is expected. One is
//! openpyxl's, the others are what LibreOffice (xls, ods) and SheetJS (xlsb, XML) made of it.

use std::path::{Path, PathBuf};

use sheetline::sheet::{Cell, ReadOptions};

use crate::reader::{Whole, read_whole};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// The cells that are told to have lost their zeros.
fn told(whole: &Whole) -> Vec<&str> {
    let notices = whole.sheets[0].1.notices.iter();
    notices
        .filter(|notice| notice.code == "zeros-dropped")
        .filter_map(|notice| notice.cell.as_deref())
        .collect()
}

#[test]
fn a_number_is_stored_as_the_text_that_its_format_shows() {
    for name in [
        "zeros.xlsx",
        "zeros.xlsb",
        "zeros.xls",
        "zeros-2003.xls",
        "zeros.ods",
    ] {
        let whole = read_whole(&fixture(name), &ReadOptions::default()).unwrap();
        let (rows, info) = &whole.sheets[0];
        assert_eq!(info.rows, 28, "{name}");
        for row in rows {
            let cells = row.values().unwrap();
            assert_eq!(cells.get(1), cells.get(2), "{name}: {:?}", cells.get(0));
        }
        // `00.00`, `000,000`, and 7.5 under `00000`.
        assert_eq!(told(&whole), ["B17", "B22", "B29"], "{name}");
    }
}

#[test]
fn xml_spreadsheets_show_zeros_and_elapsed_hours_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    let style = |id: &str, code: &str| {
        format!(r#"<Style ss:ID="{id}"><NumberFormat ss:Format="{code}"/></Style>"#)
    };
    let styles = [
        style("zip", "00000\\-0000"),
        style("hours", "[h]:mm:ss"),
        style("part", "00.0"),
    ];
    let cell = |style: &str, kind: &str, value: &str| {
        format!(r#"<Cell ss:StyleID="{style}"><Data ss:Type="{kind}">{value}</Data></Cell>"#)
    };
    let header: String = ["Zip", "Hours", "Day", "Long", "Part"]
        .map(|name| cell("x", "String", name))
        .concat();
    let row = [
        cell("zip", "Number", "1234567"),
        cell("hours", "DateTime", "1900-01-01T12:15:00.000"),
        cell("hours", "DateTime", "1899-12-31T01:00:00.000"),
        cell("hours", "DateTime", "1900-03-01T00:00:00.000"),
        cell("part", "Number", "7.5"),
    ];
    let text = format!(
        r#"<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Styles>{}</Styles><Worksheet ss:Name="A"><Table><Row>{header}</Row><Row>{}</Row></Table></Worksheet></Workbook>"#,
        styles.concat(),
        row.concat()
    );
    std::fs::write(&path, text).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let cells = whole.sheets[0].0[0].values().unwrap();
    assert_eq!(cells.get(0), Some(&Cell::Text("00123-4567".into())));
    assert_eq!(cells.get(1), Some(&Cell::Duration("PT36H15M".into())));
    assert_eq!(cells.get(2), Some(&Cell::Duration("PT1H".into())));
    assert_eq!(cells.get(3), Some(&Cell::Duration("PT1464H".into())));
    assert_eq!(told(&whole), ["E2"]);
}

#[test]
fn styles_of_rows_columns_and_parents_hold_for_cells_of_xml_spreadsheets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xls");
    let text = r#"<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Styles><Style ss:ID="z"><NumberFormat ss:Format="00000"/></Style><Style ss:ID="y" ss:Parent="z"/>
<Style ss:ID="n"><NumberFormat/></Style></Styles>
<Worksheet ss:Name="A"><Table><Column/><Column ss:Index="3" ss:StyleID="z" ss:Span="1"/><Column ss:StyleID="n"/>
<Row><Cell><Data ss:Type="String">A</Data></Cell><Cell><Data ss:Type="String">B</Data></Cell><Cell><Data ss:Type="String">C</Data></Cell><Cell><Data ss:Type="String">D</Data></Cell><Cell><Data ss:Type="String">E</Data></Cell></Row>
<Row><Cell><Data ss:Type="Number">1</Data></Cell><Cell ss:StyleID="y"><Data ss:Type="Number">2</Data></Cell><Cell><Data ss:Type="Number">3</Data></Cell><Cell ss:StyleID="n"><Data ss:Type="Number">4</Data></Cell><Cell><Data ss:Type="Number">5</Data></Cell></Row>
<Row ss:StyleID="z"><Cell><Data ss:Type="Number">6</Data></Cell><Cell ss:Formula="=1"><Data ss:Type="String"></Data></Cell><Cell ss:Formula="=1"/></Row>
</Table></Worksheet></Workbook>"#;
    std::fs::write(&path, text).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let (rows, info) = &whole.sheets[0];
    assert_eq!(rows[0].cells, r#"[1,"00002","00003",4,5]"#);
    assert_eq!(rows[1].cells, r#"["00006"]"#);
    let told: Vec<_> = info
        .notices
        .iter()
        .map(|n| (&*n.code, n.cell.as_deref()))
        .collect();
    assert_eq!(told, [("formula-without-value", Some("C3"))]);
}

#[test]
fn a_text_of_an_open_document_is_what_it_is_and_a_table_in_a_cell_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.fods");
    let text = |attributes: &str, text: &str| {
        format!(r#"<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>"#)
    };
    let string = |stored: &str, shown: &str| {
        text(
            &format!(r#"office:value-type="string" office:string-value="{stored}""#),
            shown,
        )
    };
    let formula = r#"table:formula="of:=&quot;&quot;""#;
    let rows = [
        [text("", "Firm"), text("", "Sum"), text("", "Note")].concat(),
        [string("Acme", "Acme Ltd"), string("", " kg"), text(formula, "")].concat(),
        [
            string("Bolt", "Bolt Ltd"),
            format!("<table:table-cell {formula}/>"),
            r#"<table:table-cell><table:table table:is-sub-table="true"><table:table-row/></table:table></table:table-cell>"#.to_owned(),
        ]
        .concat(),
    ];
    let rows = rows.map(|cells| format!("<table:table-row>{cells}</table:table-row>"));
    let whole = format!(
        r#"<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:mimetype="application/vnd.oasis.opendocument.spreadsheet"><office:body><office:spreadsheet><table:table table:name="A">{}</table:table></office:spreadsheet></office:body></office:document>"#,
        rows.concat()
    );
    std::fs::write(&path, whole).unwrap();
    let whole = read_whole(&path, &ReadOptions::default()).unwrap();
    let (rows, info) = &whole.sheets[0];
    let cells: Vec<&str> = rows.iter().map(|row| row.cells.as_str()).collect();
    assert_eq!(cells, [r#"["Acme"]"#, r#"["Bolt"]"#]);
    let told = |code: &str| {
        let of = info.notices.iter().filter(|notice| notice.code == code);
        of.filter_map(|notice| notice.cell.as_deref())
            .collect::<Vec<_>>()
    };
    assert_eq!(told("formula-without-value"), ["B3"]);
    assert_eq!(told("text-left-out"), ["C3"]);
}
