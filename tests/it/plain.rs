//! A workbook's plain cells and strings are read without the parser of XML: what comes out must be the same.

use sheetline::sheet::ReadOptions;

use crate::random::Random;
use crate::reader::{CONTENT_TYPES, RELATIONSHIPS, WORKBOOK, package, read_whole};

const PARTS: &str = r#"<Relationships>
    <Relationship Id="rId1" Type="x/worksheet" Target="worksheets/sheet1.xml"/>
    <Relationship Id="rId2" Type="x/sharedStrings" Target="sharedStrings.xml"/>
    <Relationship Id="rId3" Type="x/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str =
    r#"<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>"#;

const TEXTS: [&str; 10] = [
    "Zoë",
    " with spaces ",
    "007",
    "_x000D_ and _x0041_",
    "A &amp; B",
    "two\nlines",
    "a\r\nb",
    "&#228;",
    "tab\there",
    "]]&gt;",
];

fn cell(random: &mut Random, column: char, row: usize) -> String {
    let place = format!("{column}{row}");
    let style = random.of(&[" s=\"0\"", " s=\"1\"", ""]);
    let number = random.of(&["1", "0.5", "-3e5", "45000.25", "1234567890123456789"]);
    let text = random.of(&TEXTS);
    match random.below(11) {
        0 => format!("<c r=\"{place}\"{style} t=\"inlineStr\"><is><t>{text}</t></is></c>"),
        1 => format!("<c r=\"{place}\" t=\"inlineStr\"><is><r><t>{text}</t></r></is></c>"),
        2 => format!("<c r=\"{place}\" t=\"str\"{style}><v>{text}</v></c>"),
        3 => format!("<c r=\"{place}\"><f>1+1</f><v>{number}</v></c>"),
        4 => format!(
            "<c{style} t=\"s\" r=\"{place}\"><v>{}</v></c>",
            random.below(TEXTS.len())
        ),
        5 => format!("<c r=\"{place}\" t=\"b\"><v>1</v></c>"),
        6 => format!("<c r=\"{place}\" t=\"e\"><v>#N/A</v></c>"),
        7 => format!("<c r=\"{place}\"{style}/>"),
        8 => format!("<c r=\"{place}\" t=\"str\"><v></v></c>"),
        9 => format!("\n <c r=\"{place}\" cm=\"1\"{style}><v>{number}</v></c>"),
        _ => format!("<c r=\"{place}\"{style}><v>{number}</v></c>"),
    }
}

#[test]
fn plain_cells_and_strings_are_what_the_parser_makes_of_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.xlsx");
    let mut random = Random(0x51EE7);
    let mut sheet = String::from("<worksheet><sheetData>");
    let headers = 'A'..='H';
    let names = headers.map(|c| format!("<c r=\"{c}1\" t=\"str\"><v>Name {c}</v></c>"));
    sheet += &format!("<row r=\"1\">{}</row>", names.collect::<String>());
    for row in 2..400 {
        let cells: String = ('A'..='H')
            .map(|column| cell(&mut random, column, row))
            .collect();
        sheet += &format!("<row r=\"{row}\">{cells}</row>");
        if random.below(5) == 0 {
            sheet += "<row/>";
        }
    }
    sheet += "</sheetData></worksheet>";
    let strings: String = TEXTS
        .iter()
        .map(|text| format!("<si><t>{text}</t></si>"))
        .collect();
    let strings = format!("<sst>{strings}</sst>");
    let read = |sheet: &str, strings: &str| {
        package(
            &path,
            &[
                ("[Content_Types].xml", CONTENT_TYPES),
                ("_rels/.rels", RELATIONSHIPS),
                ("xl/workbook.xml", WORKBOOK),
                ("xl/_rels/workbook.xml.rels", PARTS),
                ("xl/sharedStrings.xml", strings),
                ("xl/styles.xml", STYLES),
                ("xl/worksheets/sheet1.xml", sheet),
            ],
        );
        let whole = read_whole(&path, &ReadOptions::default()).unwrap();
        let (rows, info) = &whole.sheets[0];
        assert_eq!(rows.len(), 398);
        format!("{rows:?} {info:?}")
    };
    let plain = read(&sheet, &strings);
    // A space before the end of a tag means nothing to the parser.
    let spaced = sheet.replace("\">", "\" >").replace("\"/>", "\" />");
    let parsed = read(&spaced, &strings.replace("<t>", "<t >"));
    assert!(plain == parsed, "{plain}\n{parsed}");
}
