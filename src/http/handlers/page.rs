//! The page: the files of `static/`, compiled in, compressed once, kept by browsers as long as they
//! are the same: each address carries a hash of the whole page.

use std::collections::HashMap;
use std::io::Write;
use std::sync::LazyLock;

use flate2::Compression;
use flate2::write::GzEncoder;
use rouille::Response;

use crate::error::{Error, Result};
use crate::http::call::Call;
use crate::http::routes::{Route, Who};
use crate::http::{compress, reply};
use crate::id;

pub(in crate::http) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/",
        who: Who::Anyone,
        summary: "The page",
        handle: index,
    },
    Route {
        method: "GET",
        path: "/static/{name}",
        who: Who::Anyone,
        summary: "A file of the page",
        handle: file,
    },
    Route {
        method: "GET",
        path: "/favicon.ico",
        who: Who::Anyone,
        summary: "The page's icon",
        handle: icon,
    },
];

/// Every file of `static/`; a test compares this list with the folder.
const FILES: &[(&str, &[u8])] = &[
    ("account.js", include_bytes!("../../../static/account.js")),
    ("add.js", include_bytes!("../../../static/add.js")),
    ("admin.js", include_bytes!("../../../static/admin.js")),
    ("api.js", include_bytes!("../../../static/api.js")),
    ("app.css", include_bytes!("../../../static/app.css")),
    ("app.js", include_bytes!("../../../static/app.js")),
    ("dom.js", include_bytes!("../../../static/dom.js")),
    ("icon.svg", include_bytes!("../../../static/icon.svg")),
    ("index.html", include_bytes!("../../../static/index.html")),
    ("jobs.js", include_bytes!("../../../static/jobs.js")),
    ("report.js", include_bytes!("../../../static/report.js")),
    ("uploads.js", include_bytes!("../../../static/uploads.js")),
    ("words.js", include_bytes!("../../../static/words.js")),
];

struct Asset {
    content_type: &'static str,
    plain: Vec<u8>,
    gzip: Option<Vec<u8>>,
    etag: String,
}

/// A hash of all files: the `v` in their addresses.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let all: Vec<u8> = FILES
        .iter()
        .flat_map(|(_, bytes)| *bytes)
        .copied()
        .collect();
    shortened(&id::sha256_hex(&all), 16)
});

static ASSETS: LazyLock<HashMap<&'static str, Asset>> = LazyLock::new(|| {
    FILES
        .iter()
        .map(|(name, bytes)| (*name, asset(name, bytes)))
        .collect()
});

fn shortened(hash: &str, letters: usize) -> String {
    hash.chars().take(letters).collect()
}

fn asset(name: &str, bytes: &[u8]) -> Asset {
    let content_type = match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    };
    let plain = with_versions(name, &String::from_utf8_lossy(bytes)).into_bytes();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let gzip = encoder
        .write_all(&plain)
        .and_then(|()| encoder.finish())
        .ok();
    let etag = format!("\"{}\"", shortened(&id::sha256_hex(&plain), 32));
    Asset {
        content_type,
        plain,
        gzip,
        etag,
    }
}

/// The text with the version in the addresses of the page's other files, and with all modules
/// named at once in the index, so that a browser does not find them one after the other.
fn with_versions(name: &str, text: &str) -> String {
    let version = VERSION.as_str();
    if name.ends_with(".js") {
        return text.replace(".js';", &format!(".js?v={version}';"));
    }
    if name != "index.html" {
        return text.to_owned();
    }
    let modules: Vec<String> = FILES
        .iter()
        .filter(|(name, _)| name.ends_with(".js"))
        .map(|(name, _)| format!("<link rel=\"modulepreload\" href=\"/static/{name}\">"))
        .collect();
    let mut text = text.replace("<!-- modules -->", &modules.join("\n"));
    for ending in [".js\"", ".css\"", ".svg\""] {
        let bare = ending.trim_end_matches('"');
        text = text.replace(ending, &format!("{bare}?v={version}\""));
    }
    text
}

fn index(call: &mut Call<'_, '_>) -> Result<Response> {
    serve(call, "index.html")
}

fn file(call: &mut Call<'_, '_>) -> Result<Response> {
    let name = call.param(0).to_owned();
    serve(call, &name)
}

fn icon(call: &mut Call<'_, '_>) -> Result<Response> {
    serve(call, "icon.svg")
}

fn serve(call: &Call<'_, '_>, name: &str) -> Result<Response> {
    let asset = ASSETS.get(name).ok_or_else(Error::not_found)?;
    if call
        .header("If-None-Match")
        .is_some_and(|tags| reply::tag_matches(tags, &asset.etag))
    {
        return Ok(
            reply::not_modified(&asset.etag).with_additional_header("Vary", "Accept-Encoding")
        );
    }
    let wants_gzip = call
        .header("Accept-Encoding")
        .is_some_and(compress::accepts_gzip);
    // The two forms have the same weak tag, not the same strong one.
    let response = match &asset.gzip {
        Some(gzip) if wants_gzip => Response::from_data(asset.content_type, gzip.clone())
            .with_additional_header("Content-Encoding", "gzip")
            .with_additional_header("ETag", format!("W/{}", asset.etag)),
        _ => Response::from_data(asset.content_type, asset.plain.clone())
            .with_additional_header("ETag", asset.etag.clone()),
    };
    // An address with the right version never changes what it means.
    let keep = if call.query("v").as_deref() == Some(VERSION.as_str()) {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    Ok(response
        .with_additional_header("Cache-Control", keep)
        .with_additional_header("Vary", "Accept-Encoding"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Code;

    #[test]
    fn every_file_of_the_page_is_compiled_in() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static");
        let mut there: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut here: Vec<String> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        there.sort();
        here.sort();
        assert_eq!(here, there);
    }

    #[test]
    fn the_page_stays_small() {
        let bytes: usize = FILES.iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes <= 120 * 1024, "{bytes} bytes");
    }

    #[test]
    fn every_address_in_the_page_carries_the_version() {
        for (name, bytes) in FILES {
            let text = String::from_utf8(ASSETS[name].plain.clone()).unwrap();
            let of_modules = text.matches(".js?v=").count();
            if name.ends_with(".js") {
                let imports = String::from_utf8_lossy(bytes).matches("from './").count();
                assert_eq!(of_modules, imports, "{name}");
            }
            if *name == "index.html" {
                let modules = FILES.iter().filter(|(n, _)| n.ends_with(".js")).count();
                assert_eq!(of_modules, modules + 1);
                assert!(text.contains("app.css?v=") && text.contains("icon.svg?v="));
            }
        }
    }

    /// What stands between two marks of `words.js`.
    fn between(begin: &str, end: &str) -> String {
        let (_, words) = FILES.iter().find(|(name, _)| *name == "words.js").unwrap();
        let text = String::from_utf8_lossy(words).into_owned();
        let (_, rest) = text.split_once(begin).unwrap();
        rest.split_once(end).unwrap().0.to_owned()
    }

    /// The words of a list in `words.js`.
    fn words_of(list: &str) -> Vec<String> {
        between(&format!("const {list} = ["), "];")
            .split(',')
            .map(|word| word.trim().trim_matches('\'').to_owned())
            .collect()
    }

    /// The quoted keys of an object in `words.js`.
    fn keys_of(object: &str) -> Vec<String> {
        let body = between(&format!("const {object} = {{"), "\n};");
        let pieces: Vec<&str> = body.split('\'').collect();
        pieces
            .windows(2)
            .filter(|pair| pair[1].starts_with(':'))
            .map(|pair| pair[0].to_owned())
            .collect()
    }

    #[test]
    fn the_page_knows_no_code_that_the_server_does_not() {
        let mut codes = keys_of("SENTENCES");
        codes.extend(words_of("UNREADABLE"));
        assert!(codes.len() > 8, "{codes:?}");
        for code in codes {
            assert!(Code::parse(&code).is_some(), "{code} is no code of ours");
        }
    }

    #[test]
    fn what_the_page_tells_by_itself_has_no_code_of_the_server() {
        let codes = keys_of("OWN");
        assert!(codes.len() > 3, "{codes:?}");
        for code in codes {
            assert!(Code::parse(&code).is_none(), "{code} is a code of ours");
        }
    }
}
