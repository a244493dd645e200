//! What a setting's value may be, told in a person's words wherever the value stands.

use std::net::SocketAddr;
use std::ops::RangeInclusive;

use crate::settings::Network;

/// A reader of whole numbers in a range.
pub(super) fn whole<T>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static
where
    T: TryFrom<u64> + Send + Sync + 'static,
{
    move |text| {
        let (least, most) = (range.start(), range.end());
        let number = text.trim().parse::<u64>().ok();
        number
            .filter(|number| range.contains(number))
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| format!("it must be a whole number from {least} to {most}"))
    }
}

/// Where to listen: `127.0.0.1:8080`, `localhost:8080`, `[::1]:8080`, `unix:/run/sheetline/socket`.
pub(super) fn address(text: &str) -> Result<String, String> {
    let sound = match text.strip_prefix("unix:") {
        Some(path) => !path.is_empty(),
        None => {
            text.parse::<SocketAddr>().is_ok()
                || text.rsplit_once(':').is_some_and(|(host, port)| {
                    let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
                    !host.is_empty() && host.chars().all(of_a_name) && port.parse::<u16>().is_ok()
                })
        }
    };
    if sound {
        Ok(text.to_owned())
    } else {
        Err(
            "it must be an address with a port, such as 127.0.0.1:8080, or unix: and a path"
                .to_owned(),
        )
    }
}

/// The address under which people reach the server, without a path.
pub(super) fn public_url(text: &str) -> Result<String, String> {
    let host = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"))
        .map(|rest| rest.trim_end_matches('/'));
    match host {
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', ' ', '@']) => {
            Ok(text.to_owned())
        }
        Some(_) | None => Err(
            "it must be an address such as https://sheets.example.org, without a path".to_owned(),
        ),
    }
}

/// A proxy, or the network that it is in.
pub(super) fn network(text: &str) -> Result<Network, String> {
    text.trim().parse().map_err(|()| {
        "it must be an IP address such as 127.0.0.1 or a network such as 10.0.0.0/8, without a port (or several, with commas)"
            .to_owned()
    })
}

/// On or off.
pub(super) fn yes_or_no(text: &str) -> Result<bool, String> {
    text.trim()
        .parse()
        .map_err(|_| "it must be true or false".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_both_their_bounds() {
        let read = whole::<u32>(1..=64);
        assert_eq!(read("1"), Ok(1));
        assert_eq!(read(" 64 "), Ok(64));
        for wrong in ["0", "65", "-2", "abc", "", "1.5", "99999999999999999999"] {
            let said = read(wrong).unwrap_err();
            assert_eq!(said, "it must be a whole number from 1 to 64", "{wrong}");
        }
    }

    #[test]
    fn addresses_are_what_a_server_can_listen_at() {
        for right in [
            "127.0.0.1:8080",
            "localhost:0",
            "[::]:80",
            "unix:/run/sheetline/socket",
            "sheets-1.office:8080",
        ] {
            assert!(address(right).is_ok(), "{right}");
        }
        for wrong in [
            "5",
            "bogus",
            "",
            ":80",
            "a:99999",
            "a b:80",
            "unix:",
            "http://a:80",
        ] {
            assert!(address(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_public_address_is_a_whole_one() {
        assert!(public_url("https://sheets.example.org").is_ok());
        assert!(public_url("http://10.0.0.7:8080/").is_ok());
        for wrong in ["foo", "https://a b", "https://", "ftp://x", "https://a/b"] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }
}
