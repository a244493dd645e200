//! Draws the curves, in a panel for each kind. Work: a row should cost the same at any size, and at most grow as
//! n log n does. Requests: they should not grow. Memory: at most in proportion to the size. Each curve is divided by
//! its figure at the smallest size; the names beside a panel stand in the order in which its lines end.

use std::fmt::Write as _;

use super::works::ROWS;
use super::{Curve, Kind};

const WIDTH: f64 = 800.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 430.0;

/// From the top of a panel, which is its heading's, to its area, and from there to the next panel.
const HEADING: f64 = 50.0;
const FOOT: f64 = 50.0;

/// Of a panel's area, at least, and of a line of its list of names.
const HEIGHT_MIN: f64 = 220.0;
const LINE: f64 = 20.0;

/// Colours of lines, each as far from white as text must be.
const COLOURS: [&str; 8] = [
    "#1b6ac9", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0e7490", "#a16207", "#475569",
];

/// The drawing. It has a white ground of its own, so that it reads on a dark page as on a bright one.
pub(super) fn svg(curves: &[Curve]) -> String {
    let mut body = String::new();
    let mut top = 10.0;
    for (kind, heading, bound) in [
        (
            Kind::Work,
            "Work: what each row costs, at 1 x = 1",
            "Level: in proportion to the size. Grey: where n log n may go.",
        ),
        (
            Kind::Request,
            "Requests: what one costs, at 1 x = 1",
            "Level: it does not grow with the rows, people and jobs behind it.",
        ),
        (
            Kind::Memory,
            "Memory at most, at 1 x = 1",
            "In proportion to the size would be 10 and 100.",
        ),
    ] {
        let mut some: Vec<&Curve> = curves.iter().filter(|curve| curve.kind == kind).collect();
        some.sort_by(|one, other| other.bend().total_cmp(&one.bend()));
        let panel = Panel::around(&some, top);
        panel.draw(&mut body, heading, bound, kind == Kind::Work);
        for (number, curve) in some.iter().enumerate() {
            panel.line(&mut body, number, curve);
        }
        top = panel.bottom + FOOT;
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {top}\" font-family=\"sans-serif\" font-size=\"12\" fill=\"#111827\">\n\
         <title>What work, requests and memory cost at 1, 10 and 100 times the size</title>\n\
         <rect width=\"{WIDTH}\" height=\"{top}\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

/// A place of the picture with an axis of its own.
struct Panel {
    /// Of the heading, of the area under it, and of that area's end.
    head: f64,
    top: f64,
    bottom: f64,
    /// The powers of two at both ends of the axis.
    least: f64,
    most: f64,
}

impl Panel {
    /// From `head` downward, with room for all of the curves and for their names.
    fn around(curves: &[&Curve], head: f64) -> Panel {
        let all = || curves.iter().flat_map(|curve| curve.growth());
        let top = head + HEADING;
        Panel {
            head,
            top,
            bottom: top + HEIGHT_MIN.max(LINE * curves.len() as f64),
            least: all().fold(0.5, f64::min).log2().floor(),
            most: all().fold(2.0, f64::max).log2().ceil(),
        }
    }

    fn y(&self, growth: f64) -> f64 {
        let height = (growth.log2() - self.least) / (self.most - self.least);
        self.bottom - (self.bottom - self.top) * height
    }

    /// Heading, axes, and the grey area of n log n where there is one.
    fn draw(&self, out: &mut String, heading: &str, bound: &str, n_log_n: bool) {
        let _ = writeln!(
            out,
            "<text x=\"{LEFT}\" y=\"{}\" font-size=\"14\" font-weight=\"bold\">{heading}</text>\n\
             <text x=\"{LEFT}\" y=\"{}\">{bound}</text>",
            self.head + 16.0,
            self.head + 34.0
        );
        if n_log_n {
            // n log n beside n: log(10 n) / log(n), and log(100 n) / log(n).
            let n = (ROWS as f64).log10();
            let _ = writeln!(
                out,
                "<polygon points=\"{0},{1} {2},{3} {4},{5} {4},{1}\" fill=\"#d1d5db\"/>",
                x(0),
                self.y(1.0),
                x(1),
                self.y((n + 1.0) / n),
                x(2),
                self.y((n + 2.0) / n)
            );
        }
        let mut power = self.least;
        while power <= self.most {
            let growth = power.exp2();
            let at = self.y(growth);
            // The line that no curve leaves where all is well.
            let (colour, width) = if growth == 1.0 {
                ("#6b7280", 1.5)
            } else {
                ("#e5e7eb", 1.0)
            };
            let _ = writeln!(
                out,
                "<line x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"{colour}\" stroke-width=\"{width}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{growth}</text>",
                LEFT - 8.0,
                at + 4.0
            );
            power += 1.0;
        }
        for (place, label) in ["1 x", "10 x", "100 x"].iter().enumerate() {
            let _ = writeln!(
                out,
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                x(place),
                self.bottom + 20.0
            );
        }
    }

    /// A curve, and its name in the list beside the area.
    fn line(&self, out: &mut String, number: usize, curve: &Curve) {
        let colour = COLOURS[number % COLOURS.len()];
        let dashes = if number < COLOURS.len() {
            ""
        } else {
            " stroke-dasharray=\"5 3\""
        };
        let stroke = format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}");
        let points: Vec<String> = curve
            .growth()
            .iter()
            .enumerate()
            .map(|(place, growth)| format!("{:.1},{:.1}", x(place), self.y(*growth)))
            .collect();
        let _ = writeln!(out, "<polyline {stroke} points=\"{}\"/>", points.join(" "));
        let at = self.top + LINE * number as f64 + LINE / 2.0;
        let _ = writeln!(
            out,
            "<line {stroke} x1=\"{}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\"/>",
            RIGHT + 20.0,
            RIGHT + 44.0
        );
        let _ = writeln!(
            out,
            "<text x=\"{}\" y=\"{base}\" text-anchor=\"end\">{:.2}</text><text x=\"{}\" y=\"{base}\">{} ({})</text>",
            RIGHT + 80.0,
            curve.bend(),
            RIGHT + 90.0,
            curve.work.replace('`', ""),
            curve.of,
            base = at + 4.0
        );
    }
}

fn x(place: usize) -> f64 {
    LEFT + 10.0 + (RIGHT - LEFT - 20.0) * place as f64 / 2.0
}
