//! Promises of reading web pages that an office system called `.xls`.

use sheetline::error::Error;
use sheetline::sheet::ReadOptions;

use crate::reader::{Whole, read_whole};

fn read(page: impl AsRef<[u8]>) -> Result<Whole, Error> {
    read_as(page, None)
}

fn read_as(page: impl AsRef<[u8]>, encoding: Option<&str>) -> Result<Whole, Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("report.xls");
    std::fs::write(&path, page).unwrap();
    let options = ReadOptions {
        encoding: encoding.map(str::to_owned),
        ..ReadOptions::default()
    };
    read_whole(&path, &options)
}

fn notices(whole: &Whole) -> Vec<(&str, Option<&str>)> {
    let of = &whole.sheets[0].1.notices;
    of.iter().map(|n| (&*n.code, n.cell.as_deref())).collect()
}

fn cells(whole: &Whole, sheet: usize) -> Vec<&str> {
    let (rows, _) = &whole.sheets[sheet];
    rows.iter().map(|row| row.cells.as_str()).collect()
}

fn names(whole: &Whole, sheet: usize) -> Vec<&str> {
    let columns = &whole.sheets[sheet].1.columns;
    columns.iter().map(|column| column.name.as_str()).collect()
}

#[track_caller]
fn refused(page: impl AsRef<[u8]>) -> String {
    match read(page) {
        Err(Error::Problem(problem)) => format!("{}: {}", problem.code, problem.detail),
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("was read"),
    }
}

#[test]
fn formats_of_cells_say_what_is_text_and_which_zeros_show() {
    let whole = read(
        r#"<style>.t{mso-number-format:"\@";}</style><table><tr><th>No<th>Zip<th>Sum
        <tr><td style='mso-number-format:"\@"'>42<td style="mso-number-format:'00000'">1234<td>5
        <tr><td class="x t">43<td>1234<td style="mso-number-format:'0.00'">6
        <tr><td>44<td class=t><td style="mso-number-format:'00.0'">7.5</table>"#,
    )
    .unwrap();
    assert_eq!(
        cells(&whole, 0),
        [r#"["42","01234",5]"#, r#"["43",1234,6]"#, "[44,null,7.5]"]
    );
    assert_eq!(notices(&whole), [("zeros-dropped", Some("C4"))]);
}

#[test]
fn the_table_of_a_page_is_a_sheet() {
    let whole = read(
        "<html><head><title>a <table> b</title><script>if (1 < 2) '<tr>'</script></head><body>
        <table border=1>
        <tr><th>Name <th>Size<th>Post&shy;code</tr>
        <tr><td>M&uuml;ller &amp;\n   S&#246;hne<td align=right>12<td>01067
        <tr><td>A<br>B<p>C</p><td>1.50</td><td>x</table></body></html>",
    )
    .unwrap();
    assert_eq!(names(&whole, 0), ["Name", "Size", "Post\u{ad}code"]);
    assert_eq!(
        cells(&whole, 0),
        [
            r#"["Müller & Söhne",12,"01067"]"#,
            r#"["A\nB\nC","1.50","x"]"#
        ]
    );
    assert_eq!(whole.sheets[0].0[1].number, 3);
}

#[test]
fn spans_move_cells_and_are_merges() {
    let whole = read(
        "<table><tr><th rowspan=2>Firm<th colspan=2>Sales</tr><tr><th>2023<th>2024</tr>
        <tr><td rowspan=2>Acme<td>1<td>2</tr><tr><td>3<td>4</tr>
        <tr><td>Bolt<td><td>6</tr></table>",
    )
    .unwrap();
    assert_eq!(names(&whole, 0), ["Firm", "Sales 2023", "Sales 2024"]);
    assert_eq!(
        cells(&whole, 0),
        [r#"["Acme",1,2]"#, r#"["Acme",3,4]"#, r#"["Bolt",null,6]"#]
    );
    let notices = &whole.sheets[0].1.notices;
    assert!(notices.iter().any(|notice| notice.code == "merged-filled"));
}

#[test]
fn each_table_is_a_sheet_and_what_lays_out_the_page_is_none() {
    let table = |name: &str| format!("<table><tr><th>{name}<th>n<tr><td>x<td>1</table>");
    let page = format!(
        "<html><p>Report of May</p><table><tr><td>{}<td>{}</table>{}<table><tr><td>© Firm</table>",
        table("a"),
        table("b"),
        table("c")
    );
    let whole = read(page).unwrap();
    assert_eq!(whole.sheets.len(), 3);
    assert_eq!(names(&whole, 1), ["b", "n"]);
    assert_eq!(whole.sheets[2].1.name.as_deref(), Some("Sheet3"));
    let notice = &whole.sheets[0].1.notices[0];
    assert_eq!(notice.code, "text-left-out");
    assert!(notice.message.contains("Report of May"), "{notice:?}");
}

#[test]
fn the_encoding_is_the_one_that_the_page_names() {
    let page = "<html><head><meta http-equiv=Content-Type content=\"text/html; charset=windows-1250\">\
        </head><table><tr><th>Miasto<th>n<tr><td>Łódź<td>1</table>";
    let bytes = encoding_rs::WINDOWS_1250.encode(page).0.into_owned();
    assert_eq!(cells(&read(bytes).unwrap(), 0), [r#"["Łódź",1]"#]);
    let utf16: Vec<u8> = "\u{feff}<table><tr><th>a<th>b<tr><td>ż<td>1</table>"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    assert_eq!(cells(&read(utf16).unwrap(), 0), [r#"["ż",1]"#]);
}

#[test]
fn what_a_page_says_of_its_encoding_is_tried_and_what_a_person_says_wins() {
    let page = |head: &str| {
        let text = format!("{head}<table><tr><th>Name<th>n<tr><td>Köln<td>1</table>");
        encoding_rs::WINDOWS_1252.encode(&text).0.into_owned()
    };
    let expected = [r#"["Köln",1]"#];
    for head in ["<meta charset=utf-8>", "<meta charset=klingon>", ""] {
        let whole = read(page(head)).unwrap();
        assert_eq!(cells(&whole, 0), expected, "{head}");
        assert_eq!(whole.file.encoding.as_deref(), Some("windows-1252"));
        assert_eq!(notices(&whole), [("encoding-guessed", None)], "{head}");
        let message = &whole.sheets[0].1.notices[0].message;
        let says = head.is_empty();
        assert_eq!(message.contains("does not say"), says, "{message}");
    }
    let whole = read(page("<meta charset=latin1>")).unwrap();
    assert_eq!(notices(&whole), []);
    let wrong = page("<meta charset=windows-1251>");
    let whole = read_as(&wrong, Some("windows-1252")).unwrap();
    assert_eq!(cells(&whole, 0), expected);
    assert_eq!(notices(&whole), []);
    // Bytes that mean nothing are told with their cell.
    let whole = read_as(page(""), Some("utf-8")).unwrap();
    assert_eq!(cells(&whole, 0), ["[\"K\u{fffd}ln\",1]"]);
    assert_eq!(notices(&whole), [("undecodable", Some("A2"))]);
    assert!(read_as(page(""), Some("klingon")).is_err());
}

#[test]
fn what_no_browser_shows_is_no_text_of_a_cell() {
    let whole = read(
        "<style>td{}</style><table><tr><th>A<th>B<th>C\
         <tr><td>1<style>td{x:y}</style><td>2<script>var a=1;</script><td>x<noscript>no</noscript>\
         <tr><td><select><option>o1<option>o2</select>y<td>3<td><select><option>z\
         <tr><td>4<td>5<td>6</table>",
    )
    .unwrap();
    assert_eq!(cells(&whole, 0), [r#"[1,2,"x"]"#, r#"["y",3]"#, "[4,5,6]"]);
    let told = [
        ("text-left-out", "C2"),
        ("text-left-out", "A3"),
        ("text-left-out", "C3"),
    ];
    assert_eq!(notices(&whole), told.map(|(code, cell)| (code, Some(cell))));
}

#[test]
fn pages_without_a_table_or_cut_off_or_not_to_be_told_are_refused() {
    let sentence = "unreadable-file: This file is really a web page.";
    assert!(refused("<html><body><p>Sign in first</p></body></html>").starts_with(sentence));
    assert!(refused("<table><tr><td>only one<tr><td>column</table>").starts_with(sentence));
    // Rows around another table would be lost.
    let both =
        "<table><tr><td>a<td>b<tr><td>1<td>2<tr><td>3<td><table><tr><td>x<td>y</table></table>";
    assert!(refused(both).starts_with(sentence));
    let cut = "<table><tr><th>a<th>b<tr><td>1<td>2<tr><td>3";
    assert!(refused(cut).starts_with("unreadable-file: The file is damaged"));
    let nested = "<table><tr><td>".repeat(100);
    assert!(refused(nested).starts_with("too-complex"));
    let wide = format!("<table><tr>{}", "<td colspan=1000>x".repeat(20));
    assert!(refused(wide).starts_with("too-complex"));
}
