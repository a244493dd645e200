//! Tables of characters: those of the web's standard, and a few of DOS and the Macintosh beside them.

use encoding_rs::{Encoding, UTF_8};

use super::encoding::PIECE_BYTES;

/// How bytes become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Charset {
    Web(&'static Encoding),
    /// ASCII and an upper half.
    Table(&'static Upper),
}

/// What the bytes from 128 on mean.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Upper {
    name: &'static str,
    /// 128 of them.
    characters: &'static str,
}

/// The IBM PC's.
pub(super) static CP437: Upper = Upper {
    name: "cp437",
    characters: "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
};

/// Western European under DOS.
pub(super) static CP850: Upper = Upper {
    name: "cp850",
    characters: "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒáíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}",
};

/// Central European under DOS.
pub(super) static CP852: Upper = Upper {
    name: "cp852",
    characters: "ÇüéâäůćçłëŐőîŹÄĆÉĹĺôöĽľŚśÖÜŤťŁ×čáíóúĄąŽžĘę¬źČş«»░▒▓│┤ÁÂĚŞ╣║╗╝Żż┐└┴┬├─┼Ăă╚╔╩╦╠═╬¤đĐĎËďŇÍÎě┘┌█▄ŢŮ▀ÓßÔŃńňŠšŔÚŕŰýÝţ´\u{ad}˝˛ˇ˘§÷¸°¨˙űŘř■\u{a0}",
};

/// Nordic under DOS (Unicode's CP865.TXT).
pub(super) static CP865: Upper = Upper {
    name: "cp865",
    characters: "ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø₧ƒáíóúñÑªº¿⌐¬½¼¡«¤░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}",
};

/// Central European on the Macintosh.
pub(super) static MAC_CENTRAL_EUROPE: Upper = Upper {
    name: "x-mac-ce",
    characters: "ÄĀāÉĄÖÜáąČäčĆćéŹźĎíďĒēĖóėôöõúĚěü†°Ę£§•¶ß®©™ę¨≠ģĮįĪ≤≥īĶ∂∑łĻļĽľĹĺŅņŃ¬√ńŇ∆«»…\u{a0}ňŐÕőŌ–—“”‘’÷◊ōŔŕŘ‹›řŖŗŠ‚„šŚśÁŤťÍŽžŪÓÔūŮÚůŰűŲųÝýķŻŁżĢˇ",
};

impl Charset {
    /// The table of that name: a label of the WHATWG standard, or `cp850` and its kin.
    pub(super) fn by_label(label: &str) -> Option<Charset> {
        let label = label.trim().to_ascii_lowercase();
        let number = label.strip_prefix("cp").or(label.strip_prefix("ibm"));
        Some(Charset::Table(match number.unwrap_or(&label) {
            "437" => &CP437,
            "850" => &CP850,
            "852" => &CP852,
            "865" => &CP865,
            "x-mac-ce" => &MAC_CENTRAL_EUROPE,
            _ => return Encoding::for_label_no_replacement(label.as_bytes()).map(Charset::Web),
        }))
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Charset::Web(encoding) => encoding.name(),
            Charset::Table(upper) => upper.name,
        }
    }

    /// Whether a byte is a character, each the same wherever it stands.
    pub(super) fn is_single_byte(self) -> bool {
        match self {
            Charset::Web(encoding) => encoding.is_single_byte(),
            Charset::Table(_) => true,
        }
    }

    pub(super) fn is_ascii_compatible(self) -> bool {
        match self {
            Charset::Web(encoding) => encoding.is_ascii_compatible(),
            Charset::Table(_) => true,
        }
    }

    pub(super) fn is_utf8(self) -> bool {
        self == Charset::Web(UTF_8)
    }

    /// All of a text, without a look at marks.
    pub(super) fn decode(self, bytes: &[u8]) -> String {
        match self {
            Charset::Web(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Charset::Table(upper) => {
                let mut text = String::with_capacity(bytes.len().min(PIECE_BYTES) * 2);
                upper.decode(bytes, &mut text);
                text
            }
        }
    }
}

impl Upper {
    /// Appends these bytes as text.
    pub(super) fn decode(&self, bytes: &[u8], text: &mut String) {
        let upper: Vec<char> = self.characters.chars().collect();
        text.extend(bytes.iter().map(|byte| match byte.checked_sub(0x80) {
            None => char::from(*byte),
            Some(at) => upper.get(usize::from(at)).copied().unwrap_or('\u{fffd}'),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_tables_are_known_in_their_usual_spellings() {
        for (label, name) in [
            ("cp850", "cp850"),
            (" IBM850 ", "cp850"),
            ("437", "cp437"),
            ("CP852", "cp852"),
            ("cp865", "cp865"),
            ("IBM865", "cp865"),
            ("x-mac-ce", "x-mac-ce"),
            ("cp866", "IBM866"),
            ("Latin1", "windows-1252"),
            ("cp1252", "windows-1252"),
        ] {
            assert_eq!(
                Charset::by_label(label).map(Charset::name),
                Some(name),
                "{label}"
            );
        }
        assert_eq!(Charset::by_label("cp1"), None);
    }

    #[test]
    fn each_table_has_a_character_for_each_byte() {
        for upper in [&CP437, &CP850, &CP852, &CP865, &MAC_CENTRAL_EUROPE] {
            assert_eq!(upper.characters.chars().count(), 128, "{}", upper.name);
        }
        assert_eq!(
            Charset::Table(&CP850).decode(b"Gr\x94\xe1e \x9bl\xff"),
            "Größe øl\u{a0}"
        );
        assert_eq!(Charset::Table(&CP852).decode(b"\x9d\xa2d\xab"), "Łódź");
        assert_eq!(
            Charset::Table(&CP865).decode(b"Troms\x9b, \x9drsta, \x8fs \xaf"),
            "Tromsø, Ørsta, Ås ¤"
        );
    }

    #[test]
    fn the_nordic_table_is_that_of_the_pc_but_for_three_characters() {
        let mut others = CP437.characters.chars().zip(CP865.characters.chars());
        let differ: Vec<(char, char)> = others.by_ref().filter(|(pc, own)| pc != own).collect();
        assert_eq!(differ, [('¢', 'ø'), ('¥', 'Ø'), ('»', '¤')]);
    }
}
