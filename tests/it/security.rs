//! What docs/security.md promises beyond the tests of single rooms.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::office::Office;

#[test]
fn every_answer_carries_what_browsers_go_by() {
    let office = Office::new();
    for (method, url, status) in [
        ("GET", "/", 200),
        ("GET", "/static/app.js", 200),
        ("GET", "/api/health", 503),
        ("GET", "/api/files", 401),
        ("GET", "/nothing", 404),
        ("DELETE", "/api/health", 405),
        ("POST", "/api/auth/login", 400),
    ] {
        let answer = office.call(method, url, &[], Vec::new());
        let line = format!("{method} {url}");
        assert_eq!(answer.status, status, "{line}");
        let header = |name: &str| answer.header(name).unwrap_or_default().to_owned();
        let policy = header("Content-Security-Policy");
        for part in [
            "default-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "script-src 'self';",
        ] {
            assert!(policy.contains(part), "{line}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{line}: {policy}");
        assert_eq!(header("X-Content-Type-Options"), "nosniff", "{line}");
        assert_eq!(header("Referrer-Policy"), "same-origin", "{line}");
        assert_eq!(
            header("Cross-Origin-Resource-Policy"),
            "same-origin",
            "{line}"
        );
        assert!(!header("Content-Type").is_empty(), "{line}");
        assert!(header("Content-Type") != "text/html", "{line}");
        for (name, _) in &answer.headers {
            let name = name.to_ascii_lowercase();
            assert!(!name.starts_with("access-control-"), "{line}: {name}");
            assert!(name != "server" && name != "x-powered-by", "{line}: {name}");
        }
        if url.starts_with("/api/") {
            assert_eq!(header("Cache-Control"), "no-store", "{line}");
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn files(folder: &Path, extension: &str, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, extension, found);
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(std::fs::read_to_string(path).unwrap());
        }
    }
}

#[test]
fn the_page_never_turns_text_into_markup() {
    let mut scripts = Vec::new();
    files(&root().join("static"), "js", &mut scripts);
    assert!(scripts.len() > 5);
    for script in &scripts {
        for word in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "eval(",
            "new Function",
            "localStorage.setItem('session",
        ] {
            assert!(!script.contains(word), "{word}");
        }
    }
    let page = std::fs::read_to_string(root().join("static/index.html")).unwrap();
    assert!(!page.contains("onclick=") && !page.contains("javascript:"));
}

#[test]
fn every_test_that_the_documents_of_security_and_door_name_is_there() {
    let document = ["docs/security.md", "docs/door.md"]
        .map(|name| std::fs::read_to_string(root().join(name)).unwrap())
        .concat();
    let mut code = Vec::new();
    for folder in ["src", "tests"] {
        files(&root().join(folder), "rs", &mut code);
    }
    let named: BTreeSet<&str> = document
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.matches('_').count() >= 3 || *word == "tokens_differ")
        .filter(|word| {
            word.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        })
        .collect();
    assert!(named.len() > 60, "{}", named.len());
    for name in named {
        let there = format!("fn {name}()");
        assert!(code.iter().any(|text| text.contains(&there)), "{name}");
    }
}
