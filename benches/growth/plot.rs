//! The picture: what one row or one request costs beside the smallest size. A level line is a cost in
//! proportion; the grey area is where n log n may go.

use std::fmt::Write as _;

use super::Curve;

const WIDTH: f64 = 760.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 470.0;
const TOP: f64 = 40.0;
const BOTTOM: f64 = 400.0;

/// The largest and the smallest share that are drawn.
const MOST: f64 = 8.0;
const LEAST: f64 = 0.125;

const COLOURS: [&str; 8] = [
    "#1b6ac9", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490", "#a16207", "#475569",
];

/// The drawing, for a bright and for a dark page alike.
pub(super) fn svg(curves: &[Curve]) -> String {
    let height = BOTTOM.max(TOP + 22.0 * curves.len() as f64) + 50.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>What each row or request costs at 1, 10 and 100 times the size</title>\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"20\" font-size=\"14\">Cost for each row or request, 1 x = 1 (level: in proportion)</text>\n"
    );
    // n log n from a thousand rows on: log(100 n) / log(n) = 5/3.
    let _ = writeln!(
        out,
        "<polygon points=\"{},{} {},{} {},{}\" fill=\"#e5e7eb\"/>",
        x(0),
        y(1.0),
        x(2),
        y(5.0 / 3.0),
        x(2),
        y(1.0)
    );
    for share in [0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0] {
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{0}\" y2=\"{0}\" stroke=\"#d1d5db\"/><text x=\"{1}\" y=\"{2}\" text-anchor=\"end\">{share}</text>",
            y(share),
            LEFT - 8.0,
            y(share) + 4.0
        );
    }
    for (place, label) in ["1 x", "10 x", "100 x"].iter().enumerate() {
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
            x(place),
            BOTTOM + 20.0
        );
    }
    for (number, curve) in curves.iter().enumerate() {
        let colour = COLOURS.get(number % COLOURS.len()).unwrap_or(&"#000");
        let dashes = if number < COLOURS.len() {
            ""
        } else {
            " stroke-dasharray=\"5 3\""
        };
        let _ = writeln!(
            out,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes} points=\"{}\"/>",
            points(curve)
        );
        let at = TOP + 22.0 * number as f64;
        let _ = writeln!(
            out,
            "<line x1=\"{0}\" x2=\"{1}\" y1=\"{at}\" y2=\"{at}\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/><text x=\"{2}\" y=\"{3}\">{4} ({5})</text>",
            RIGHT + 20.0,
            RIGHT + 44.0,
            RIGHT + 50.0,
            at + 4.0,
            curve.work,
            curve.of
        );
    }
    out.push_str("</svg>\n");
    out
}

fn points(curve: &Curve) -> String {
    let share = |size: usize, cost: f64| {
        if curve.grows {
            cost / size as f64
        } else {
            cost
        }
    };
    let first = curve
        .points
        .first()
        .map_or(1.0, |(size, cost)| share(*size, *cost));
    let texts: Vec<String> = curve
        .points
        .iter()
        .enumerate()
        .map(|(place, (size, cost))| {
            format!("{:.1},{:.1}", x(place), y(share(*size, *cost) / first))
        })
        .collect();
    texts.join(" ")
}

fn x(place: usize) -> f64 {
    LEFT + 10.0 + (RIGHT - LEFT - 20.0) * place as f64 / 2.0
}

fn y(share: f64) -> f64 {
    let height = (share.clamp(LEAST, MOST) / LEAST).log2() / (MOST / LEAST).log2();
    BOTTOM - (BOTTOM - TOP) * height
}
